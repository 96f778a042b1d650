"""What torchvision downloads, it downloads in a process of its own: that can be ended at any time, may give up a server that
has fallen silent, which is a setting of a whole process, and keeps torch out of this one.
"""

from __future__ import annotations

import importlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable

from .paths import ROOT

SILENCE = 30.0  # seconds after which a server that sends nothing is given up
LOOK = 0.2  # seconds between two looks at how far it is


def in_a_child(module: str, function: str, *arguments: str, watch: Callable[[], None] = lambda: None) -> None:
    """Calls a module's function with texts in a process of its own; ``watch`` is called while it is at work, and what it
    raises ends it. OSError with the child's words when it fails."""
    command = f"from {__name__} import _called; _called({module!r}, {function!r}, {arguments!r})"
    child = subprocess.Popen([sys.executable, "-c", command], cwd=ROOT, stdout=subprocess.PIPE, text=True)
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
    socket.setdefaulttimeout(SILENCE)
    try:
        getattr(importlib.import_module(module), function)(*arguments)
    except Exception as error:
        # A URLError's reason is the error within it, without the frame around it.
        print(getattr(error, "reason", None) or error or type(error).__name__)
        sys.exit(1)
