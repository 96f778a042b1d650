"""The cache of runs on disk: one directory a run, content-addressed, written beside and renamed into place.

    runs/<id>/     spec.json result.json weights.safetensors scores.npz codes.npz history.npz log.txt, and
                   derived/ for what is computed from them later (t-SNE maps, MMD, more anomalies)
    work/<id>/     the same, unfinished: progress.json is rewritten as the training goes on
    locks/<id>     held by the process that trains the run, let go by the operating system when it dies
    data/ uploads/ embeddings/   what others keep here (`data`, `encoders`)
    .deleted-*/    out of the way, and on its way out

A run is there exactly when runs/<id>/result.json is: everything is written in work/<id>/ and one rename publishes
it. Nothing is pickled.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from .children import CANCELLED
from .errors import BadInput
from .paths import cache_dir, cannot_write
from .spec import RunSpec

Arrays = Mapping[str, np.ndarray]

CANCEL_FILE = "cancel"  # in a work directory: somebody wants this training to end
PATIENCE = 0.5  # seconds to wait for a lock: who only deletes or marks a run, or looks whether it is trained, is quick


class Busy(RuntimeError):
    """Another process trains this run at the moment."""


class Gone(BadInput):
    """No run of this id is stored; there may have been one."""


class Damaged(RuntimeError):
    """A file of a stored run is missing, cannot be read or is of something else; the text says which and what to do."""


def write_json(path: Path, value: Any) -> None:
    """Writes so that a reader sees the old file or the new one, never half of one."""
    _replace(path, lambda file: file.write(json.dumps(value).encode()))


def write_arrays(path: Path, arrays: Arrays) -> None:
    """As `write_json`, an .npz of plain arrays."""
    _replace(path, lambda file: np.savez(file, **arrays))


def _replace(path: Path, write: Callable[[IO[bytes]], Any]) -> None:
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        with open(beside, "wb") as file:
            write(file)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def read_json(path: Path) -> Any | None:
    """The file's value, or None when there is none (yet) or it is no JSON."""
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an .npz. Damaged when it cannot be read."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> Damaged:
    return Damaged(f"{path.parent.name}/{path.name} cannot be read; delete the run and train it again")


@dataclass(frozen=True)
class StoredRun:
    """A finished run. Arrays are read when first asked for.

    ``scores`` and ``codes`` have an entry for each group: "train normal", "train augmented" (a fixed sample), "normal"
    (all test images of the normal class) and each anomaly's key; shapes (n,) and (n, hidden).
    """

    path: Path
    spec: RunSpec
    result: dict[str, Any]

    @cached_property
    def scores(self) -> dict[str, np.ndarray]:
        return read_arrays(self.path / "scores.npz")

    @cached_property
    def codes(self) -> dict[str, np.ndarray]:
        return read_arrays(self.path / "codes.npz")

    @cached_property
    def history(self) -> dict[str, np.ndarray]:
        return read_arrays(self.path / "history.npz")

    @property
    def id(self) -> str:
        return self.spec.id

    @property
    def warning(self) -> str | None:
        """What went wrong in the training, though it ended: a collapse, nothing learned. Its scores say little."""
        return self.result.get("warning")

    @property
    def weights(self) -> Path:
        return self.path / "weights.safetensors"

    def read_weights(self) -> dict[str, np.ndarray]:
        """The network's state by name. Damaged when it cannot be read."""
        try:
            return load_file(self.weights)
        except (OSError, SafetensorError) as error:
            raise _damaged(self.weights) from error

    def derived(self, name: str) -> dict[str, np.ndarray] | None:
        """What `remember` stored under this name; None when there is nothing, or nothing that can be read."""
        try:
            return read_arrays(self.path / "derived" / f"{name}.npz")
        except Damaged:
            return None

    def remember(self, name: str, compute: Callable[[], Arrays]) -> Arrays:
        """What is stored with the run under this name; computed and stored first when it is not. BadInput when that cannot
        be written."""
        kept = self.derived(name)
        if kept is None:
            kept = compute()
            try:
                (self.path / "derived").mkdir(exist_ok=True)
                write_arrays(self.path / "derived" / f"{name}.npz", kept)
            except FileNotFoundError:  # the run was deleted meanwhile
                pass
            except OSError as error:
                raise cannot_write(self.path, "SSAD_CACHE_DIR", error) from error
        return kept

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return folder_size(self.path)


class Workspace:
    """The unfinished directory of a run whose lock this process holds. `Store.begin` makes it."""

    def __init__(self, store: Store, spec: RunSpec) -> None:
        self.store, self.spec = store, spec
        self.path = store.work(spec.id)
        store.discard(self.path)
        self.path.mkdir(parents=True)
        write_json(self.path / "spec.json", spec.to_dict())

    def progress(self, **values: Any) -> None:
        """What a person who watches sees; ``state`` is one of starting, training, evaluating, failed, cancelled."""
        write_json(self.path / "progress.json", {**values, "time": time.time()})

    def failed(self, why: str, **values: Any) -> None:
        """Says in a sentence why there will be no run: it failed, or was cancelled."""
        self.progress(state="cancelled" if why == CANCELLED else "failed", message=why, **values)

    def arrays(self, name: str, arrays: Arrays) -> None:
        write_arrays(self.path / f"{name}.npz", arrays)

    def publish(self, result: dict[str, Any]) -> StoredRun:
        """Makes the run there, whole, in one step."""
        write_json(self.path / "result.json", result)
        target = self.store.run(self.spec.id)
        self.store.discard(target)  # a damaged one: a whole one is not trained again
        os.rename(self.path, target)
        # Only now: before, whoever looked would have found neither a training nor the run.
        for passing in ("progress.json", CANCEL_FILE):
            (target / passing).unlink(missing_ok=True)
        return self.store.load(self.spec.id)


class Store:
    """The runs below ``root`` (default: SSAD_CACHE_DIR). BadInput when it cannot be written."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = Path(root or cache_dir()).absolute()
        self.runs, self._work, self._locks = self.root / "runs", self.root / "work", self.root / "locks"
        # Descriptions by id, with what tells whether their files are still the same: pages ask for all of them, often.
        self._known: dict[str, tuple[tuple[object, ...], RunSpec, dict[str, Any]]] = {}
        try:
            self._make_folders()
            probe = self.root / f".write-{uuid.uuid4().hex[:8]}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise cannot_write(self.root, "SSAD_CACHE_DIR", error) from error
        for doomed in self.root.glob(".deleted-*"):  # by a process that was killed over it
            shutil.rmtree(doomed, ignore_errors=True)

    def _make_folders(self) -> None:
        for folder in (self.runs, self._work, self._locks):
            folder.mkdir(parents=True, exist_ok=True)

    def run(self, run_id: str) -> Path:
        """Where the run lies once it is finished. BadInput when this is no run's id."""
        return self.runs / _checked(run_id)

    def work(self, run_id: str) -> Path:
        """Where it lies until then."""
        return self._work / _checked(run_id)

    def has(self, run_id: str) -> bool:
        return (self.run(run_id) / "result.json").is_file()

    def load(self, run_id: str) -> StoredRun:
        """The stored run. Gone when there is none of this id, Damaged when its description is broken."""
        path = self.run(run_id)
        files = path / "spec.json", path / "result.json"
        stamps = tuple(map(_stamp, files))
        known = self._known.get(run_id)
        if known is None or known[0] != stamps:
            spec, result = map(read_json, files)
            if not path.is_dir():
                raise self._gone(run_id)
            try:
                if not isinstance(result, dict) or "finished" not in result:
                    raise BadInput("no result")
                known = self._known[run_id] = stamps, RunSpec.from_dict(spec), result
            except BadInput as error:
                raise Damaged(f"run {run_id} is damaged; delete it and train it again") from error
        return StoredRun(path, *known[1:])

    def _gone(self, run_id: str) -> Gone:
        return Gone(f"no run {run_id!r} is stored in {self.root}")

    def list(self) -> list[StoredRun]:
        """The stored runs, newest first, without those that `damaged` lists."""
        found = []
        for name in self._names():
            with contextlib.suppress(BadInput, Damaged):
                found.append(self.load(name))
        return sorted(found, key=lambda run: run.result.get("finished", 0), reverse=True)

    def damaged(self) -> Sequence[str]:
        """The ids of the runs whose description cannot be read; they can only be deleted."""
        found = []
        for name in self._names():
            try:
                self.load(name)
            except Damaged:
                found.append(name)
            except BadInput:  # deleted meanwhile, or not a run at all
                continue
        return sorted(found)

    def unfinished(self) -> Sequence[str]:
        """The ids of the trainings that ended without a run: failed, cancelled or interrupted. Their logs are kept."""
        return sorted(name for name in _listed(self._work) if is_run_id(name) and not self.is_locked(name))

    def _names(self) -> list[str]:
        return _listed(self.runs)

    def delete(self, run_id: str) -> None:
        """Removes the run, or what is left of an unfinished one. Busy while it is being trained, Gone when there is
        neither."""
        paths = self.run(run_id), self.work(run_id)
        if not any(path.exists() for path in paths):
            raise self._gone(run_id)
        with self.lock(run_id):
            for path in paths:
                self.discard(path)

    def discard(self, path: Path) -> None:
        """Removes a run's directory, if it is there: out of the way in one step, so that nobody ever finds half of it."""
        doomed = self.root / f".deleted-{uuid.uuid4().hex[:8]}"
        with contextlib.suppress(FileNotFoundError):
            os.rename(path, doomed)
            shutil.rmtree(doomed, ignore_errors=True)

    @property
    def size(self) -> int:
        """Bytes of all runs, finished or not."""
        return folder_size(self.runs) + folder_size(self._work)

    def beside(self) -> dict[str, int]:
        """Bytes of what else is kept below the root, by the name of its folder: decoded images, uploads, embeddings."""
        sizes = {name: folder_size(self.root / name) for name in ("data", "uploads", "embeddings")}
        return {name: size for name, size in sizes.items() if size}

    @contextmanager
    def lock(self, run_id: str) -> Iterator[None]:
        """Holds the run's lock. Busy when another process (or thread) does."""
        deadline = time.monotonic() + PATIENCE
        self._make_folders()  # somebody may have emptied the cache
        with open(self._locks / _checked(run_id), "ab") as file:
            while not _flock(file, fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    raise Busy(f"run {run_id} is being trained by another process")
                time.sleep(0.02)
            try:
                yield
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)

    def is_locked(self, run_id: str) -> bool:
        """Whether some living process trains this run."""
        try:
            with open(self._locks / _checked(run_id), "rb") as file:
                # Shared, so that those who only look do not take each other for a training.
                return not _flock(file, fcntl.LOCK_SH)
        except FileNotFoundError:
            return False

    @contextmanager
    def begin(self, spec: RunSpec) -> Iterator[Workspace | None]:
        """An empty workspace for the run, with its lock held; None when it is stored already. Busy when somebody else has
        the lock."""
        with self.lock(spec.id):
            yield None if self.has(spec.id) else Workspace(self, spec)

    def progress(self, run_id: str) -> dict[str, Any]:
        """The last progress of an unfinished run, {} when there is none.

        A run that says it goes on but whose lock nobody holds was cut off: its state reads "interrupted".
        """
        folder = self.work(run_id)
        while True:
            progress = read_json(folder / "progress.json") or {}
            over = progress.get("state") in ("failed", "cancelled")
            if over or not folder.is_dir() or self.is_locked(run_id) or self.has(run_id):
                return progress
            # Nobody trains it. Unless that is news: then its process has written its last words since we read.
            if progress == (read_json(folder / "progress.json") or {}):
                message = "The process that trained it ended before it was done."
                return {**progress, "state": "interrupted", "message": message}

    def snapshots(self, run_id: str) -> dict[str, np.ndarray] | None:
        """The history so far of a run in training (or the whole one of a finished run), None before the first."""
        for folder in (self.work(run_id), self.run(run_id)):
            if (folder / "history.npz").is_file():
                try:
                    return read_arrays(folder / "history.npz")
                except Damaged:  # published between the two calls
                    continue
        return None

    def log(self, run_id: str) -> str:
        """What the training process printed."""
        for folder in (self.run(run_id), self.work(run_id)):
            if (folder / "log.txt").is_file():
                return (folder / "log.txt").read_text(errors="replace")
        return ""

    def ask_to_cancel(self, run_id: str) -> None:
        """Asks the process that trains the run, whosever it is, to end; it looks ten times a second."""
        with contextlib.suppress(OSError):
            (self.work(run_id) / CANCEL_FILE).touch()

    def asked_to_cancel(self, run_id: str) -> bool:
        """Whether somebody has asked the last training of the run to end."""
        return (self.work(run_id) / CANCEL_FILE).exists()

    def mark_cancelled(self, run_id: str) -> None:
        """Says so in the unfinished run, if there is one, once its process is gone. Busy while it is not."""
        with self.lock(run_id):
            folder = self.work(run_id)
            if folder.is_dir():
                last = read_json(folder / "progress.json") or {}
                write_json(folder / "progress.json", {**last, "state": "cancelled", "message": CANCELLED})


def _listed(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:  # somebody has emptied the cache
        return []


def short(*what: object) -> str:
    """Twelve hex digits that stand for all of ``what`` in the name of what is kept."""
    return hashlib.sha256("|".join(map(str, what)).encode()).hexdigest()[:12]


def is_run_id(text: str) -> bool:
    """Whether a text is written like a run's id."""
    return re.fullmatch("[0-9a-f]{16}", text) is not None


def _checked(run_id: str) -> str:
    """A run's id, which names files, and may have been typed."""
    if not is_run_id(run_id):
        raise BadInput(f"a run's id has 16 hexadecimal digits, unlike {run_id[:60]!r}")
    return run_id


def _flock(file: IO[bytes], kind: int) -> bool:
    """Takes an exclusive or shared lock; whether that worked."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _stamp(file: Path) -> object:
    """Changes whenever the file is replaced or written to; a new object each time where it is not there."""
    try:
        found = file.stat()
    except OSError:
        return object()
    return found.st_ino, found.st_mtime_ns, found.st_size


def folder_size(folder: Path) -> int:
    """Bytes of all files below a folder, once of one that has several names; files that vanish meanwhile count nothing."""
    sizes = {}
    for base, _, names in os.walk(folder):
        for name in names:
            try:
                stat = os.stat(os.path.join(base, name))
            except OSError:
                continue
            sizes[stat.st_dev, stat.st_ino] = stat.st_size
    return sum(sizes.values())
