"""The two data sets that come with scikit-learn and need no download: digits and photos.

Both draw with NumPy's RandomState, whose stream is frozen: a data set, and with it the identity of each run on it,
must not change with the version of NumPy.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

from .images import SIZE, Images, Progress, by_class, fitted
from .table import DATASETS

SEED = 0
PATCH = 96
SHRINK = PATCH // SIZE  # each pixel of a patch becomes the mean of 3 x 3
DIVIDE = 400  # no photos patch crosses this column: training lies left of it, test right
TRAIN_PATCHES, TEST_PATCHES = 2000, 400  # a class
PHOTOGRAPHS = {"temple": "china.jpg", "flower": "flower.jpg"}  # 427 x 640 each


def digits(progress: Progress) -> Images:
    """scikit-learn's digits, split 2 : 1 with each class in proportion: 1,198 training and 599 test images."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    progress(0, "Preparing Digits")
    bunch = load_digits()
    grey = np.rint(bunch.images * 255 / 16).astype(np.uint8)  # (1797, 8, 8), given in 0..16
    images = np.stack([fitted(Image.fromarray(image), channels=1) for image in grey])
    train, test = train_test_split(np.arange(len(images)), test_size=1 / 3, stratify=bunch.target, random_state=SEED)
    return Images(*by_class(images[train], bunch.target[train]), *by_class(images[test], bunch.target[test]))


def photos(progress: Progress) -> Images:
    """Patches of scikit-learn's two photographs: 2,000 training and 400 test patches a class."""
    from sklearn.datasets import load_sample_image

    random = np.random.RandomState(SEED)
    train, test = [], []
    for label, name in enumerate(DATASETS["photos"].classes):
        progress(label / len(PHOTOGRAPHS), f"Cutting patches of the {name}")
        photograph = load_sample_image(PHOTOGRAPHS[name])  # uint8 (427, 640, 3)
        train.append(_patches(photograph[:, :DIVIDE], TRAIN_PATCHES, random))
        test.append(_patches(photograph[:, DIVIDE:], TEST_PATCHES, random))
    return Images(*_labelled(train), *_labelled(test))


READERS = {"digits": digits, "photos": photos}


def _patches(photograph: np.ndarray, count: int, random: np.random.RandomState) -> np.ndarray:
    """uint8 (count, 3, 32, 32): patches of a photograph (height, width, 3), no two at the same place."""
    # Not by Pillow's reduction, which rounds one mean in ten down to the wrong number. Nine sums of whole photographs are
    # several times as fast as a mean of each window.
    windows = sliding_window_view(photograph, (SHRINK, SHRINK), axis=(0, 1))
    sums = sum(windows[..., y, x].astype(np.uint16) for y in range(SHRINK) for x in range(SHRINK))
    means = np.rint(sums / SHRINK**2).astype(np.uint8)
    rows, columns = (length - PATCH + 1 for length in photograph.shape[:2])
    patches = np.empty((count, 3, SIZE, SIZE), np.uint8)
    for patch, place in zip(patches, random.choice(rows * columns, count, replace=False), strict=True):
        y, x = divmod(int(place), columns)
        patch[:] = means[y : y + PATCH : SHRINK, x : x + PATCH : SHRINK].transpose(2, 0, 1)
    return patches


def _labelled(classes: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate(classes), np.repeat(np.arange(len(classes)), [len(images) for images in classes])
