"""Real runs that take a moment, and what tests of processes need."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest

from ssad_core.data import load
from ssad_core.detectors import settings_for
from ssad_core.question import Question
from ssad_core.spec import RunSpec
from ssad_core.store import Store

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[1]
FOREVER = 10_000  # epochs: until it is cancelled
WIDE = {"batch_size": 300}  # with which a training takes all cores, and so all slots
PATIENCE = 90.0  # seconds: a process that imports torch on a busy machine takes a while


def tiny(seed: int = 0, epochs: int = 2, **settings: Any) -> RunSpec:
    """A run on 64 digits."""
    sizes = settings_for("quick", epochs=epochs, features=4, hidden=8, limit=64, test_limit=20, **settings)
    return Question(dataset="digits", normal_class="1", settings=sizes, seed=seed).run(load("digits"))


def words(seed: int = 0, epochs: int = 2, *more: str) -> list[str]:
    """The arguments of `python -m ssad_core` that train `tiny` of the same values."""
    sizes = f"--features 4 --hidden 8 --limit 64 --test-limit 20 --epochs {epochs} --seed {seed}"
    return ["train", "--dataset", "digits", "--normal-class", "1", *sizes.split(), *more]


def wait(condition: Callable[[], T], seconds: float = PATIENCE) -> T:
    """What the condition returns as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds:g} s")
        time.sleep(0.02)
    return found


def trainer(store: Store, run_id: str) -> int:
    """The process that trains the run, waited for until its first epoch is done."""
    return wait(lambda: _trainer(store, run_id))


def _trainer(store: Store, run_id: str) -> int | None:
    progress = store.progress(run_id)
    return progress["pid"] if progress.get("state") == "training" else None


def alive(pid: int) -> bool:
    """Whether any thread of the process is there; an entry that nobody has asked for yet is none."""
    with suppress(FileNotFoundError):  # it may go while we look, and so may each thread
        for task in Path(f"/proc/{pid}/task").glob("*/stat"):
            with suppress(FileNotFoundError, ProcessLookupError):
                if task.read_text().rpartition(")")[2].split()[0] != "Z":
                    return True
    return False


def python(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """A Python process that finds the package; its output is kept."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, *arguments], env=environment, text=True, **{**pipes, **options})
