"""The data sets: one table, and `load`, which brings any of them as uint8 arrays of 32 x 32 pixels.

Nothing here imports torch, except reading files in torchvision's own format.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from ..errors import BadInput, unknown
from ..paths import cache_dir, data_dir
from . import embedded, torchvision_sets
from .decoded import decoded
from .folders import read_class_folders
from .images import SIZE, Images, Progress
from .table import DATASETS, DatasetInfo, class_index, dataset_info

__all__ = [
    "DATASETS",
    "SIZE",
    "Dataset",
    "DatasetInfo",
    "Progress",
    "class_index",
    "contact_sheet",
    "counts",
    "dataset_info",
    "load",
]


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set's images, uint8 (N, C, 32, 32), and labels, int64 (N,), read-only and sorted by label.

    ``fingerprint`` (16 hex digits) depends on their content alone, wherever they came from.
    """

    info: DatasetInfo
    fingerprint: str
    train_images: np.ndarray = field(repr=False)
    train_labels: np.ndarray = field(repr=False)
    test_images: np.ndarray = field(repr=False)
    test_labels: np.ndarray = field(repr=False)

    def split(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Images and labels of "train" or "test"."""
        if name == "train":
            return self.train_images, self.train_labels
        if name == "test":
            return self.test_images, self.test_labels
        raise unknown("split", name, ("train", "test"))


def load(name: str, progress: Progress | None = None) -> Dataset:
    """The data set of this name: decoded once a machine, mapped once a process, then at hand.

    The images of a set that is not embedded come from the first of these that SSAD_DATA_DIR has: <name>.zip, <name>/
    (both with train/<class>/* and test/<class>/*), torchvision's own files; else torchvision downloads them into it.
    ``progress`` is called with the share that is done, 0 to 1, and what is being done.

    A zip that is replaced is noticed at the next call; images changed inside a folder are by the next process.
    BadInput, one line: an unknown name; a damaged or incomplete source; nothing here and no way to download it; a
    cache that cannot be written.
    """
    info = dataset_info(name)
    report = progress or (lambda done, text: None)
    with _locks[name]:
        source = _source(info)
        if source is None:
            torchvision_sets.download(data_dir(), info, report)
            source = _source(info)
        if source is None:
            raise BadInput(f"{data_dir()} has changed while {name} was downloaded into it; try again")
        glance = (cache_dir(), *((path, path.stat().st_size, path.stat().st_mtime_ns) for path in source.paths))
        if name not in _loaded or _loaded[name][0] != glance:
            images, fingerprint = decoded(name, source.paths, lambda: source.read(report))
            _loaded[name] = glance, Dataset(info, fingerprint, *images)
        return _loaded[name][1]


def counts(dataset: Dataset) -> dict[str, tuple[int, int]]:
    """The number of training and test images of each class, by its name."""
    classes = dataset.info.classes
    train, test = (np.bincount(dataset.split(split)[1], minlength=len(classes)) for split in ("train", "test"))
    return {name: (int(train[label]), int(test[label])) for label, name in enumerate(classes)}


def contact_sheet(dataset: Dataset, cls: str | int, split: str = "train", n: int = 24, seed: int = 0) -> np.ndarray:
    """uint8 (n, C, 32, 32): images of a class for showing, the same for the same seed; all of them if it has fewer."""
    images, labels = dataset.split(split)
    found = np.flatnonzero(labels == class_index(dataset.info, cls))
    return images[np.random.default_rng(seed).permutation(found)[:n]]


@dataclass(frozen=True)
class _Source:
    """The files or folders that hold a data set's images, none for an embedded one, and what reads them."""

    paths: tuple[Path, ...]
    read: Callable[[Progress], Images]


_locks = {name: threading.Lock() for name in DATASETS}  # of two threads that want a set, the second waits
_loaded: dict[str, tuple[tuple, Dataset]] = {}


def _source(info: DatasetInfo) -> _Source | None:
    if info.embedded:
        return _Source((), embedded.READERS[info.name])
    folder = data_dir()
    try:
        # Listed, since a file system that ignores case would take torchvision's MNIST/ for mnist/.
        present = {path.name for path in folder.iterdir() if path.exists()} if folder.is_dir() else set()
    except OSError as error:
        raise BadInput(
            f"cannot read {folder} ({error.strerror}); set SSAD_DATA_DIR to a folder that can be read"
        ) from error
    for entry in (f"{info.name}.zip", info.name):
        if entry in present:
            return _Source((folder / entry,), partial(read_class_folders, folder / entry, info))
    entries = torchvision_sets.FILES[info.name].entries
    if present.issuperset(entries):
        paths = tuple(folder / entry for entry in entries)
        return _Source(paths, partial(torchvision_sets.read_torchvision, folder, info))
    return None
