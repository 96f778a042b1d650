"""The processes that train (`worker.py`), kept by whoever has trainings to do: some at work, some waiting warm."""

from __future__ import annotations

import bisect
import contextlib
import itertools
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from .machine import Machine, Needs

SPARES = 2  # idle children kept ready; each holds some 0.8 GB (torch)
CANCELLED = "Cancelled."

CHILD_ENVIRONMENT = {
    # A training has its threads to itself and may wait actively, which a server must not (pages' service.py).
    "OMP_WAIT_POLICY": "ACTIVE",
    # Of GNU's OpenMP, torch's: for some 30 ms. Else the threads of an idle child kept a core busy for minutes.
    "GOMP_SPINCOUNT": "1000000",
    # Of glibc: what is freed in a step is needed in the next; fetching it anew took up to a fifth of an evaluation.
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 32),
}


class Children:
    """The training processes of a Dask worker: who trains what, and which wait warm for the next run. Those at work never
    take more than the ``machine`` has, however many threads the worker has."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._waiting: list[tuple[int, int, str]] = []  # for room: -priority, who came when, the job's key
        self._asked = itertools.count()
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)  # room, or who may have it
        self._idle: list[subprocess.Popen[str]] = []
        self._busy: dict[str, subprocess.Popen[str]] = {}  # by the key of the job
        self._begun: set[str] = set()
        self._cancelled: set[str] = set()
        self._wanted = 0
        self._closed = False

    def fill(self, count: int = SPARES) -> None:
        """Sees to it that ``count`` children are there, idle or at work, from now on."""
        with self._lock:
            self._wanted = count
            self._refill()

    def _refill(self) -> None:
        self._idle = [child for child in self._idle if child.poll() is None]
        while not self._closed and len(self._idle) + len(self._busy) < self._wanted:
            self._idle.append(_start())

    def train(self, key: str, request: dict[str, Any], needs: Needs, priority: int = 0) -> str | None:
        """Has a child train as soon as there is room, first come, first served but for higher priorities, and waits for it.
        The reason when it did not work, None when it did."""
        with self._lock:
            turn = (-priority, next(self._asked), key)
            bisect.insort(self._waiting, turn)
            try:
                self._changed.wait_for(
                    lambda: self._is_off(key) or (self._waiting[0] == turn and self.machine.has(needs))
                )
            finally:
                self._waiting.remove(turn)
                self._changed.notify_all()  # it is the next one's turn
            if self._is_off(key):
                return CANCELLED
            self._idle = [child for child in self._idle if child.poll() is None]
            child = self._busy[key] = self._idle.pop(0) if self._idle else _start()
            gpu = self.machine.take(needs)
            self._begun.add(key)
        try:
            return self._ask(child, key, {**request, "gpu": gpu, "threads": needs["core"]})
        finally:  # once a child that ends is gone, and with it its memory
            with self._lock:
                self.machine.give_back(needs, gpu)
                self._changed.notify_all()

    def _ask(self, child: subprocess.Popen[str], key: str, request: dict[str, Any]) -> str | None:
        assert child.stdin is not None
        assert child.stdout is not None
        answer = ""
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(json.dumps(request) + "\n")
            child.stdin.flush()
            answer = child.stdout.readline()
        if answer.endswith("\n"):
            try:
                error = json.loads(answer)["error"]
            except (ValueError, KeyError):
                error = "The training process gave no answer that can be read."
        else:
            error = f"The training process died ({_cause(child.wait())})."
        with self._lock:
            if key in self._cancelled:
                error = CANCELLED
            del self._busy[key]
            ended = []
            # A process in which something went wrong trains no more.
            (self._idle if error is None and not self._closed else ended).append(child)
            if not self._busy:  # while others are at work, what waits in the queue takes one within a moment
                ended += self._idle[SPARES:]
                del self._idle[SPARES:]
            for each in ended:
                each.kill()
            self._refill()
        for each in ended:
            each.wait()
        return error

    def _is_off(self, key: str) -> bool:
        return self._closed or key in self._cancelled

    def cancel(self, key: str) -> None:
        """Ends the child that trains for this job, and returns when it is gone; a job that is about to start does not."""
        with self._lock:
            self._cancelled.add(key)
            self._changed.notify_all()
            child = self._busy.get(key)
            if child is not None:
                child.kill()
        if child is not None:
            child.wait()

    def forget(self, key: str) -> None:
        """Of a job that has ended, so that another of this key is not cancelled, and has not begun."""
        with self._lock:
            self._cancelled.discard(key)
            self._begun.discard(key)

    def may_begin(self, key: str) -> bool:
        """Whether nobody has cancelled this job yet."""
        with self._lock:
            return not self._is_off(key)

    def has_begun(self, key: str) -> bool:
        """Whether a child has begun to train for this job."""
        with self._lock:
            return key in self._begun

    def close(self) -> None:
        """Ends all children for good, and returns when they are gone."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()
            children = [*self._idle, *self._busy.values()]
            self._idle = []
            for child in children:
                child.kill()
        for child in children:
            child.wait()


def _start() -> subprocess.Popen[str]:
    # Not multiprocessing: its children would execute the app's script again.
    package = Path(__file__).resolve().parents[1]
    path = os.pathsep.join(filter(None, [str(package), os.environ.get("PYTHONPATH", "")]))
    return subprocess.Popen(
        [sys.executable, "-m", "ssad_core.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **CHILD_ENVIRONMENT, "PYTHONPATH": path},
        start_new_session=True,  # Ctrl-C is for the server, whose end they notice
    )


def _cause(code: int) -> str:
    if code == -9:
        return "killed; often that means that the memory was not enough"
    return f"signal {-code}" if code < 0 else f"exit status {code}"
