"""Decoded images on disk: each source is decoded once, and its arrays are then mapped into memory.

    data/<name>-<key>/     train_images.npy train_labels.npy test_images.npy test_labels.npy fingerprint.json

The key is of the source's path, size and time and of the version below, so a changed source is decoded anew.
Processes that map the same file share its pages: a server and the children it trains in hold the images once.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from filelock import FileLock

from ..paths import cache_dir, cannot_write
from .images import Images

VERSION = 1  # raise it when the same source decodes to other arrays


def decoded(name: str, source: Sequence[Path], read: Callable[[], Images]) -> tuple[Images, str]:
    """The images of ``source`` (files or folders), mapped read-only, and their fingerprint.

    ``read`` is called when there is no copy yet or it is damaged; of several processes that find none, one reads and
    the others wait for it. A copy is written beside and renamed into place. BadInput when it cannot be written.
    """
    entry = cache_dir() / "data" / f"{name}-{_key(source)}"
    found = _mapped(entry)
    if found is None:
        with _writing():
            entry.parent.mkdir(parents=True, exist_ok=True)
            held = FileLock(entry.with_name(f".{entry.name}.lock")).acquire()
        with held:
            found = _mapped(entry) or _write(entry, read)
    return found


def fingerprint(images: Images) -> str:
    """16 hex digits that depend on the content alone: shapes, images and labels, not on where they came from."""
    digest = hashlib.sha256()
    for field, array in images._asdict().items():
        digest.update(f"{field} {array.dtype} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()[:16]


def _key(source: Sequence[Path]) -> str:
    stats = [(str(file), os.stat(file)) for path in source for file in _files(path)]
    stamps = [(file, stat.st_size, stat.st_mtime_ns) for file, stat in stats]
    return hashlib.sha256(json.dumps([VERSION, stamps]).encode()).hexdigest()[:16]


def _files(path: Path) -> list[Path | str]:
    if path.is_file():
        return [path]
    files = (os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names)
    return sorted(file for file in files if os.path.exists(file))  # a dangling link has no time


def _mapped(entry: Path) -> tuple[Images, str] | None:
    """The copy, or None when there is none or it is damaged. A mapped file that was cut short is found here."""
    try:
        images = Images(*(np.asarray(np.load(entry / f"{field}.npy", mmap_mode="r")) for field in Images._fields))
        stored = json.loads((entry / "fingerprint.json").read_text())
        if stored["shapes"] != [list(array.shape) for array in images]:
            return None
        return images, stored["fingerprint"]
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return None


def _write(entry: Path, read: Callable[[], Images]) -> tuple[Images, str]:
    beside = entry.with_name(f".{entry.name}")
    shutil.rmtree(beside, ignore_errors=True)  # left by a process that was killed; the lock is ours now
    try:
        with _writing():
            beside.mkdir()  # before the reading, which may take long and would be in vain
        images = read()
        written = images, fingerprint(images)
        with _writing():
            for field, array in images._asdict().items():
                np.save(beside / f"{field}.npy", array)
            about = {"fingerprint": written[1], "shapes": [array.shape for array in images]}
            (beside / "fingerprint.json").write_text(json.dumps(about))
            shutil.rmtree(entry, ignore_errors=True)  # a damaged copy
            os.rename(beside, entry)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return _mapped(entry) or written  # in memory where the file system maps no files


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise cannot_write(cache_dir(), "SSAD_CACHE_DIR", error) from error
