"""Decoded images on disk: each source is decoded once, and its arrays are then mapped into memory.

    data/<name>-<key>/            train_images.npy train_labels.npy test_images.npy test_labels.npy fingerprint.json
    data/folder-<fingerprint>/    the same of a person's own images, which are found without their source
    data/source-<key>.json        the fingerprint of what a source of own images held, and what is to be said of the source

The key is of the source's path, size and time and of the version below, so a changed source is decoded anew.
Processes that map the same file share its pages: a server and the children it trains in hold the images once.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
    entry = _folder() / f"{name}-{_key(source)}"
    found = _mapped(entry)
    if found is None:
        with _held(entry):
            found = _mapped(entry)
            if found is None:
                with _beside(entry) as beside:  # before the reading, which may take long and would be in vain
                    images = read()
                    about = {"fingerprint": fingerprint(images)}
                    found = _publish(entry, beside, images, about)
    images, about = found
    return images, about["fingerprint"]


def own_images(fingerprint: str) -> tuple[Images, dict[str, Any]] | None:
    """A person's own images by their fingerprint, and what `own_images_of` was first told about them; None when they are
    not here."""
    return _mapped(_folder() / f"folder-{fingerprint}")


def own_images_of(
    stamps: object, read: Callable[[], tuple[Images, Mapping[str, Any], str]]
) -> tuple[Images, dict[str, Any], str]:
    """A person's own images, mapped, what is known about them, "fingerprint" among it, and the note on this source of them.

    ``stamps`` (JSON values) change whenever the source does. ``read`` is called when they are new or the copy is gone.
    Another source of the same images has the same copy, and a note of its own.
    """
    pointer = _folder() / f"source-{_digest(stamps)}.json"
    found = _pointed_at(pointer)
    if found is None:
        with _held(pointer):
            found = _pointed_at(pointer)
            if found is None:
                images, about, note = read()
                entry = _folder() / f"folder-{about['fingerprint']}"
                with _held(entry):
                    kept = _mapped(entry)
                    if kept is None:
                        with _beside(entry) as beside:
                            kept = _publish(entry, beside, images, about)
                with _writing():
                    beside = pointer.with_name(f".{pointer.name}")
                    beside.write_text(json.dumps({"fingerprint": about["fingerprint"], "note": note}))
                    os.replace(beside, pointer)
                found = (*kept, note)
    return found


def fingerprint(images: Images) -> str:
    """16 hex digits that depend on the content alone: shapes, images and labels, not on where they came from."""
    digest = hashlib.sha256()
    for field, array in images._asdict().items():
        digest.update(f"{field} {array.dtype} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()[:16]


def _folder() -> Path:
    return cache_dir() / "data"


def _key(source: Sequence[Path]) -> str:
    stats = [(str(file), os.stat(file)) for path in source for file in _files(path)]
    return _digest([(file, stat.st_size, stat.st_mtime_ns) for file, stat in stats])


def _digest(stamps: object) -> str:
    return hashlib.sha256(json.dumps([VERSION, stamps]).encode()).hexdigest()[:16]


def _files(path: Path) -> list[Path | str]:
    if path.is_file():
        return [path]
    files = (os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names)
    return sorted(file for file in files if os.path.exists(file))  # a dangling link has no time


def _mapped(entry: Path) -> tuple[Images, dict[str, Any]] | None:
    """The copy, or None when there is none or it is damaged. A mapped file that was cut short is found here."""
    try:
        images = Images(*(np.asarray(np.load(entry / f"{field}.npy", mmap_mode="r")) for field in Images._fields))
        about = json.loads((entry / "fingerprint.json").read_text())
        if about.pop("shapes") != [list(array.shape) for array in images]:
            return None
        return (images, about) if "fingerprint" in about else None
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _pointed_at(pointer: Path) -> tuple[Images, dict[str, Any], str] | None:
    try:
        known = json.loads(pointer.read_text())
        found = own_images(known["fingerprint"])
        return found and (*found, known["note"])
    except (OSError, ValueError, KeyError, TypeError):  # until 2026-11-30 it was a fingerprint and no more: read anew
        return None


@contextmanager
def _held(entry: Path) -> Iterator[None]:
    """Of several processes that want to write the entry, one does at a time."""
    with _writing():
        entry.parent.mkdir(parents=True, exist_ok=True)
        held = FileLock(entry.with_name(f".{entry.name}.lock")).acquire()
    with held:
        yield


@contextmanager
def _beside(entry: Path) -> Iterator[Path]:
    """An empty folder to write the entry in, which `_publish` renames into place."""
    beside = entry.with_name(f".{entry.name}")
    shutil.rmtree(beside, ignore_errors=True)  # left by a process that was killed; the lock is ours now
    try:
        with _writing():
            beside.mkdir()
        yield beside
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _publish(entry: Path, beside: Path, images: Images, about: Mapping[str, Any]) -> tuple[Images, dict[str, Any]]:
    with _writing():
        for field, array in images._asdict().items():
            np.save(beside / f"{field}.npy", array)
        shapes = [array.shape for array in images]
        (beside / "fingerprint.json").write_text(json.dumps({**about, "shapes": shapes}))
        shutil.rmtree(entry, ignore_errors=True)  # a damaged copy
        os.rename(beside, entry)
    return _mapped(entry) or (images, dict(about))  # in memory where the file system maps no files


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise cannot_write(cache_dir(), "SSAD_CACHE_DIR", error) from error
