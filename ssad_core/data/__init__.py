"""The data sets: one table and a person's own images, and `load`, which brings any as uint8 arrays.

Nothing here imports torch, except reading files in torchvision's own format.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from ..errors import BadInput, unknown
from ..paths import cache_dir, data_dir
from . import embedded, own, torchvision_sets
from .decoded import decoded
from .folders import read_class_folders
from .images import SIZES, Images, Progress
from .own import SeveralSets, is_own, keep_upload, own_name, path_and_size
from .table import DATASETS, DatasetInfo, class_index, named, normal_class

__all__ = [
    "DATASETS",
    "SIZES",
    "Dataset",
    "DatasetInfo",
    "Progress",
    "SeveralSets",
    "class_index",
    "class_title",
    "contact_sheet",
    "counts",
    "dataset_info",
    "is_own",
    "keep_upload",
    "load",
    "look_again",
    "normal_class",
    "own_name",
    "path_and_size",
]


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set's images, uint8 (N, C, S, S), and labels, int64 (N,), read-only and sorted by label. S is 32, or 64 of own
    images that are wanted so.

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

    A name of the table, or of own images: folder:PATH, folder:PATH@64 for 64 x 64 pixels instead of 32 x 32, or
    folder:FINGERPRINT for what was once read on this machine.
    The images of a set that is not embedded come from the first of these that SSAD_DATA_DIR has: <name>.zip, <name>/
    (both with train/<class>/* and test/<class>/*), torchvision's own files; else torchvision downloads them into it.
    ``progress`` is called with the share that is done, 0 to 1, and what is being done.

    A zip that is replaced is noticed at the next call, and so is what comes, goes or is renamed in a folder or below it. A
    file there that is written over in its place is after `look_again`.
    BadInput, one line: an unknown name; a damaged or incomplete source; nothing here and no way to download it; a
    cache that cannot be written.
    """
    report = progress or (lambda done, text: None)
    if is_own(name):
        return _own(name, report)
    info = named(name)
    with _locks[name]:
        return _named(info, report)


def look_again() -> None:
    """Has the next `load` of each data set look at every file of its source: half a second where a folder has 60,000, of
    which a `load` in between looks at the folders alone, within 0.1 ms."""
    _loaded.clear()


def dataset_info(name: str, progress: Progress | None = None) -> DatasetInfo:
    """What is known of a data set: the table's row; of own images what is found in them, read now if they are new.

    BadInput, as of `load`, or with the nearest known name when there is none.
    """
    return load(name, progress).info if is_own(name) else named(name)


def class_title(name: str, label: int) -> tuple[str, str]:
    """The data set's title and the class's name, also of a run whose own images are not here any more."""
    try:
        info = dataset_info(name)
    except BadInput:
        return name, str(label)
    return info.title, info.classes[label]


def counts(dataset: Dataset) -> dict[str, tuple[int, int]]:
    """The number of training and test images of each class, by its name."""
    classes = dataset.info.classes
    train, test = (np.bincount(dataset.split(split)[1], minlength=len(classes)) for split in ("train", "test"))
    return {name: (int(train[label]), int(test[label])) for label, name in enumerate(classes)}


def contact_sheet(dataset: Dataset, cls: str | int, split: str = "train", n: int = 24, seed: int = 0) -> np.ndarray:
    """uint8 (n, C, S, S): images of a class for showing, the same for the same seed; all of them if it has fewer."""
    images, labels = dataset.split(split)
    found = np.flatnonzero(labels == class_index(dataset.info, cls))
    return images[np.random.default_rng(seed).permutation(found)[:n]]


@dataclass(frozen=True)
class _Source:
    """The files or folders that hold a data set's images, none for an embedded one, and what reads them."""

    paths: tuple[Path, ...]
    read: Callable[[Progress], Images]


Glance = dict[Path, tuple[int, int] | None]  # sizes and times of files and folders, None of what is gone


@dataclass(frozen=True)
class _Loaded:
    """A data set, what it was read from and with which cache, and how that and all folders below it looked then."""

    sources: tuple[Path, ...]
    glance: Glance
    dataset: Dataset


_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)  # of two threads that want a set, one waits
_loaded: dict[str, _Loaded] = {}


def _at_hand(name: str, paths: tuple[Path, ...], read: Callable[[], Dataset]) -> Dataset:
    """The data set as it was read last, or read now when it comes from elsewhere or something has come, gone or been renamed
    there. Pages ask for it many times a second, so only folders are looked at, not the images in them."""
    sources = cache_dir(), *paths
    known = _loaded.get(name)
    if known is None or known.sources != sources or known.glance != _glance(known.glance):
        before = _glance(place for path in paths for place in (path, *_folders_below(path)))
        known = _loaded[name] = _Loaded(sources, before, read())
    return known.dataset


def _glance(places: Iterable[Path]) -> Glance:
    found: Glance = {}
    for place in places:
        try:
            stat = place.stat()
            found[place] = stat.st_size, stat.st_mtime_ns
        except OSError:
            found[place] = None
    return found


def _folders_below(path: Path) -> list[Path]:
    return [Path(where, name) for where, folders, _ in os.walk(path) for name in folders]


def _named(info: DatasetInfo, report: Progress) -> Dataset:
    source = _source(info)
    if source is None:
        torchvision_sets.download(data_dir(), info, report)
        source = _source(info)
    if source is None:
        raise BadInput(f"{data_dir()} has changed while {info.name} was downloaded into it; try again")

    def read() -> Dataset:
        images, fingerprint = decoded(info.name, source.paths, lambda: source.read(report))
        return Dataset(info, fingerprint, *images)

    return _at_hand(info.name, source.paths, read)


def _own(name: str, report: Progress) -> Dataset:
    def read() -> Dataset:
        info, fingerprint, images = own.load_own(name, report)
        return Dataset(info, fingerprint, *images)

    with _locks[name]:
        return _at_hand(name, own.sources(name), read)


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
