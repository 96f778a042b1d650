"""The four data sets that torchvision reads and, where they are absent, downloads.

torchvision, and torch with it, is imported only when images are read from its files.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ..downloading import beside, in_a_child
from ..errors import BadInput
from .images import Images, Progress, by_class, fitted
from .table import DatasetInfo


@dataclass(frozen=True)
class Files:
    """What torchvision keeps of a data set in its root folder, and the size of what it downloads."""

    entries: tuple[str, ...]
    download_bytes: int


FILES: dict[str, Files] = {
    "mnist": Files(("MNIST",), 11_594_722),
    "fashion_mnist": Files(("FashionMNIST",), 30_878_645),
    "svhn": Files(("train_32x32.mat", "test_32x32.mat"), 246_316_178),
    "cifar10": Files(("cifar-10-batches-py",), 170_498_071),
}


def read_torchvision(folder: Path, info: DatasetInfo, progress: Progress) -> Images:
    """The images of torchvision's own files below ``folder``. BadInput when they are damaged or not complete."""
    progress(0, f"Reading torchvision's {info.title}")
    try:
        (train, train_labels), (test, test_labels) = _splits(info.name, folder, download=False)
        splits = (*by_class(_square(train), train_labels), *by_class(_square(test), test_labels))
    except (
        Exception
    ) as error:  # torchvision reads with assertions, unpickling and scipy: a damaged file raises anything
        where = " and ".join(str(folder / entry) for entry in FILES[info.name].entries)
        raise BadInput(f"torchvision cannot read {where}; delete it to have it downloaded again") from error
    return Images(*splits)


def download(folder: Path, info: DatasetInfo, progress: Progress) -> None:
    """Brings torchvision's files into ``folder``: downloaded beside and moved into place, tried once.

    What ``progress`` raises ends it; torchvision's own progress bars go to stderr. BadInput says which file to put where
    when it fails.
    """
    files = FILES[info.name]
    try:
        with beside(folder) as made:

            def watch() -> None:
                share = min(1.0, _size(made) / files.download_bytes)
                progress(share, f"Downloading {info.title} ({files.download_bytes / 1e6:.0f} MB)")

            in_a_child(__name__, "_download", info.name, str(made), watch=watch)
            for entry in files.entries:
                _move(made / entry, folder / entry)
    except OSError as error:
        raise BadInput(
            f"{info.name} is missing and could not be downloaded ({error.strerror or error}); put {info.name}.zip "
            f"(train/<class>/*.png, test/<class>/*.png) or torchvision's {' and '.join(files.entries)} into {folder}, "
            f"or set SSAD_DATA_DIR"
        ) from error


def _download(name: str, root: str) -> None:
    _splits(name, Path(root), download=True)


def _splits(name: str, root: Path, download: bool) -> list[tuple[np.ndarray, np.ndarray]]:
    """Images uint8 (N, 28, 28) or (N, 3, 32, 32) and labels (N,) of the training and of the test split."""
    from torchvision import datasets

    if name == "svhn":
        splits = [datasets.SVHN(root, split=split, download=download) for split in ("train", "test")]
        return [(split.data, split.labels) for split in splits]
    dataset = {"mnist": datasets.MNIST, "fashion_mnist": datasets.FashionMNIST, "cifar10": datasets.CIFAR10}[name]
    splits = [dataset(root, train=train, download=download) for train in (True, False)]
    if name == "cifar10":
        return [(split.data.transpose(0, 3, 1, 2), np.array(split.targets)) for split in splits]
    return [(split.data.numpy(), split.targets.numpy()) for split in splits]


def _square(images: np.ndarray) -> np.ndarray:
    """uint8 (N, C, 32, 32)."""
    if images.ndim == 4:
        return images
    return np.stack([fitted(Image.fromarray(image), channels=1) for image in images])


def _size(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size
        except FileNotFoundError:  # renamed by the child at this moment
            continue
    return total


def _move(file: Path, target: Path) -> None:
    try:
        os.replace(file, target)
    except OSError:
        if not target.exists():  # else another process has brought it
            raise
