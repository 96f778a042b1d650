"""What torchvision downloads, it downloads in a process of its own: that can be ended at any time, may give up a server that
has fallen silent, which is a setting of a whole process, and keeps torch out of this one. It ends when this one does.
"""

from __future__ import annotations

import importlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from .paths import ROOT

SILENCE = 30.0  # seconds after which a server that sends nothing is given up
LOOK = 0.2  # seconds between two looks at how far it is


@contextmanager
def beside(folder: Path) -> Iterator[Path]:
    """An empty folder in this one to download into, and then to move from; it is removed in the end, and so are first those
    of processes that were killed. OSError when it cannot be made."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(".download-*/"):
        with suppress(OSError), _held(left):
            pass
    made = folder / f".download-{uuid.uuid4().hex[:8]}"
    with _held(made):
        made.mkdir()
        yield made


@contextmanager
def _held(made: Path) -> Iterator[None]:
    """Locks a folder to download into, also one that is not there yet, and removes it. OSError when a living process does."""
    lock = made.with_name(f"{made.name}.lock")
    with FileLock(lock, timeout=0):
        try:
            yield
        finally:
            shutil.rmtree(made, ignore_errors=True)
            lock.unlink(missing_ok=True)


def in_a_child(module: str, function: str, *arguments: str, watch: Callable[[], None] = lambda: None) -> None:
    """Calls a module's function with texts in a process of its own; ``watch`` is called while it is at work, and what it
    raises ends it. OSError with the child's words when it fails."""
    command = f"from {__name__} import _called; _called({module!r}, {function!r}, {arguments!r})"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    child = subprocess.Popen([sys.executable, "-c", command], cwd=ROOT, text=True, **pipes)
    try:
        while child.poll() is None:
            watch()
            time.sleep(LOOK)
    finally:
        child.kill()
        complaint, _ = child.communicate()
    if child.returncode != 0:
        raise OSError((complaint.strip() or f"exit status {child.returncode}").splitlines()[-1])


def _called(module: str, function: str, arguments: tuple[str, ...]) -> None:
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    socket.setdefaulttimeout(SILENCE)
    try:
        getattr(importlib.import_module(module), function)(*arguments)
    except Exception as error:
        # A URLError's reason is the error within it, without the frame around it.
        print(getattr(error, "reason", None) or error or type(error).__name__)
        sys.exit(1)


def _end_with_the_parent() -> None:
    os.read(0, 1)  # standard input, to which nobody writes: it is open as long as the parent lives
    os._exit(1)
