"""What every reader of images returns, and how one image becomes 32 x 32, or 64 x 64."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image

SIZE = 32
SIZES = (SIZE, 64)  # that a person's own images may have

Progress = Callable[[float, str], None]  # told the share that is done, 0 to 1, and what is being done


class Images(NamedTuple):
    """Images uint8 (N, C, S, S) and labels int64 (N,), class by class in the table's order."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def fitted(image: Image.Image, channels: int, size: int = SIZE) -> np.ndarray:
    """uint8 (C, size, size): grey or RGB, resized bilinearly as uint8 (METHOD: "Images") unless it has that size already."""
    mode = "L" if channels == 1 else "RGB"
    if image.mode != mode:
        image = image.convert(mode)
    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BILINEAR)
    pixels = np.asarray(image)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def by_class(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both in the order of the labels, images of one class in the order they came.

    Class folders have this order too, so the same images have the same fingerprint from a zip and from torchvision.
    """
    order = np.argsort(labels, kind="stable")
    return np.ascontiguousarray(images[order]), labels[order].astype(np.int64)
