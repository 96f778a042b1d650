"""Trainings in the background: submit, status, cancel, on dask.distributed.

Dask queues and orders them; each training is a process of its own (`worker.py`), because a Dask task cannot be
cancelled once it runs and a process can. By default the scheduler lives inside this process; with SSAD_SCHEDULER (its
address) workers elsewhere train, which need only this package and the data, and a finished run comes back through Dask.

That a run is trained only once is ensured by its lock in the store, whoever asks: a page, a second server, the CLI.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future as Computation
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import distributed

from .errors import BadInput
from .spec import RunSpec
from .store import Busy, Store

SPARES = 2  # idle children kept ready; each holds some 0.8 GB (torch)
GOING_ON = ("queued", "starting", "training", "evaluating")


@dataclass(frozen=True)
class Status:
    """How a run stands: "none" (never asked for), "queued" (``position`` 1 is next), "starting", "training",
    "evaluating", "done", "failed", "cancelled" or "interrupted"; ``message`` is a sentence for a person."""

    state: str
    message: str = ""
    position: int | None = None
    progress: dict[str, Any] = field(default_factory=dict)

    @property
    def going_on(self) -> bool:
        return self.state in GOING_ON


class Children:
    """The training processes of this process: who trains what, and which wait warm for the next run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[subprocess.Popen[str]] = []
        self._busy: dict[str, subprocess.Popen[str]] = {}
        self._cancelled: set[str] = set()

    def fill(self, count: int = SPARES) -> None:
        """Starts spare children until ``count`` are there or at work."""
        with self._lock:
            self._idle = [child for child in self._idle if child.poll() is None]
            for _ in range(count - len(self._idle) - len(self._busy)):
                self._idle.append(_start())

    def train(self, run_id: str, request: dict[str, Any]) -> str | None:
        """Has a child train, and waits for it. The reason when it did not work, None when it did."""
        with self._lock:
            if run_id in self._cancelled:
                return "Cancelled."
            self._idle = [child for child in self._idle if child.poll() is None]
            child = self._busy[run_id] = self._idle.pop(0) if self._idle else _start()
        assert child.stdin is not None
        assert child.stdout is not None
        answer = ""
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(json.dumps(request) + "\n")
            child.stdin.flush()
            answer = child.stdout.readline()
        error = json.loads(answer)["error"] if answer else f"The training process died ({_cause(child.wait())})."
        with self._lock:
            del self._busy[run_id]
            if error is None and len(self._idle) < SPARES:
                self._idle.append(child)
                return None
        child.kill()  # a process in which something went wrong trains no more
        child.wait()
        return error

    def cancel(self, run_id: str) -> None:
        """Ends the child that trains the run; one that is about to start does not."""
        with self._lock:
            self._cancelled.add(run_id)
            if child := self._busy.get(run_id):
                child.kill()

    def allow(self, run_id: str) -> None:
        """Takes an earlier `cancel` back, for another try."""
        with self._lock:
            self._cancelled.discard(run_id)

    def busy(self) -> set[str]:
        with self._lock:
            return set(self._busy)

    def close(self) -> None:
        with self._lock:
            for child in [*self._idle, *self._busy.values()]:
                child.kill()
            self._idle = []


def _start() -> subprocess.Popen[str]:
    # Not multiprocessing: its children would execute the app's script again.
    package = Path(__file__).resolve().parents[1]
    path = os.pathsep.join(filter(None, [str(package), os.environ.get("PYTHONPATH", "")]))
    return subprocess.Popen(
        [sys.executable, "-m", "ssad_core.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def _cause(code: int) -> str:
    if code == -9:
        return "killed; often that means that the memory was not enough"
    return f"signal {-code}" if code < 0 else f"exit status {code}"


CHILDREN = Children()  # of this process: a Dask task must find them, and it cannot carry a process with it


def train_task(spec: dict[str, Any], cache: str | None, device: str) -> dict[str, bytes] | None:
    """What Dask runs. With a ``cache`` of this machine the run is left there; without one (a worker elsewhere) it is
    trained in that worker's own store, reports through Dask's events, and is returned as its files."""
    run = RunSpec.from_dict(spec)
    store = Store(Path(cache) if cache else None)
    request = {"spec": spec, "cache": str(store.root), "device": device}
    if cache:
        error = CHILDREN.train(run.id, request)
    else:
        over = threading.Event()
        reporter = threading.Thread(target=_report, args=(run.id, store, distributed.get_worker(), over), daemon=True)
        reporter.start()
        error = CHILDREN.train(run.id, request)
        over.set()
        reporter.join()
    if error is not None:
        raise RuntimeError(error)
    if cache:
        return None
    folder = store.run(run.id)
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def _report(run_id: str, store: Store, worker: distributed.Worker, over: threading.Event) -> None:
    cancelled = distributed.Event(f"cancel-{run_id}", client=worker._get_client())
    while not over.wait(0.25):
        if cancelled.is_set():
            CHILDREN.cancel(run_id)
        worker.log_event(f"ssad-{run_id}", store.progress(run_id))


@dataclass
class Job:
    """A training asked for through this service."""

    spec: RunSpec
    future: distributed.Future
    priority: int
    order: int


class Jobs:
    """The service of one server. Its methods may be called from any thread.

    ``address``: of a Dask scheduler (default: SSAD_SCHEDULER); without one the scheduler is in this process.
    """

    def __init__(self, store: Store | None = None, address: str | None = None) -> None:
        self.store = store or Store()
        address = address or os.environ.get("SSAD_SCHEDULER")
        self.slots = os.cpu_count() or 1
        self.gpu = shutil.which("nvidia-smi") is not None
        self.remote = bool(address)
        if address:
            try:
                self.client = distributed.Client(address, timeout="10s", set_as_default=False)
            except (OSError, ValueError) as error:
                raise BadInput(f"no Dask scheduler answers at SSAD_SCHEDULER={address}") from error
        else:
            # More threads than slots: a thread only waits for its child, the resources below are what is shared out.
            cluster = distributed.LocalCluster(
                n_workers=1,
                threads_per_worker=self.slots + 1,
                processes=False,
                dashboard_address=None,
                resources={"core": self.slots, "gpu": 1},
                silence_logs=40,
            )
            self.client = distributed.Client(cluster, set_as_default=False)
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._heard: dict[str, dict[str, Any]] = {}  # progress of runs that are trained elsewhere
        self._computations: dict[str, Computation[Any]] = {}
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="views")
        self._order = 0

    def warm(self) -> None:
        """Starts the spare children, so that the next training begins at once."""
        if not self.remote:
            CHILDREN.fill()

    def submit(self, spec: RunSpec, priority: int = 0, device: str = "auto") -> Status:
        """Asks for a run; asking again changes nothing while it is queued, going on or done. A run that failed, was
        cancelled or interrupted is tried again. Higher priorities overtake what waits."""
        with self._lock:
            status = self.status(spec.id)
            if status.going_on or status.state == "done":
                return status
            CHILDREN.allow(spec.id)
            self._order += 1
            resources = None
            if not self.remote:
                on_gpu = self.gpu and device != "cpu"
                resources = {"gpu": 1} if on_gpu else {"core": spec.settings.threads(self.slots)}
            else:
                distributed.Event(f"cancel-{spec.id}", client=self.client).clear()
                self.client.subscribe_topic(f"ssad-{spec.id}", lambda event: self._hear(spec.id, event))
            future = self.client.submit(
                train_task,
                spec.to_dict(),
                None if self.remote else str(self.store.root),
                device,
                # The same key for everybody, so that servers that share a scheduler share the training, but a new one
                # for another try, since Dask remembers how the last one ended.
                key=f"train-{spec.id}" + ("" if status.state == "none" else f"-{uuid.uuid4().hex[:8]}"),
                priority=priority,
                resources=resources,
                retries=0,
                pure=False,
            )
            self._jobs[spec.id] = Job(spec, future, priority, self._order)
            future.add_done_callback(lambda done: self._take_home(spec, done))
            return self.status(spec.id)

    def _hear(self, run_id: str, event: Any) -> None:
        self._heard[run_id] = event[1] if isinstance(event, tuple | list) else event

    def _take_home(self, spec: RunSpec, future: distributed.Future) -> None:
        if not self.remote or future.status != "finished" or self.store.has(spec.id):
            return
        files = future.result()
        with contextlib.suppress(Busy), self.store.begin(spec) as work:
            for name, content in files.items():
                (work.path / name).parent.mkdir(parents=True, exist_ok=True)
                (work.path / name).write_bytes(content)
            work.publish(json.loads(files["result.json"]))

    def status(self, run_id: str) -> Status:
        """How a run stands, whoever trains it."""
        if self.store.has(run_id):
            return Status("done")
        with self._lock:
            job = self._jobs.get(run_id)
            progress = self._heard.get(run_id, {}) if self.remote and job else self.store.progress(run_id)
            state = progress.get("state", "none")
            if job and job.future.status == "pending":
                started = bool(progress) if self.remote else run_id in CHILDREN.busy()
                if not started and not (state in GOING_ON and self.store.is_locked(run_id)):
                    return Status("queued", position=self._position(job))
                if state not in GOING_ON:  # what is left of an earlier try
                    return Status("starting", "Starting the training process.")
            elif job and job.future.status == "error" and state in (*GOING_ON, "none", "interrupted"):
                message = str(job.future.exception(timeout=5))
                return Status("failed", message, progress=progress)
            return Status(state, progress.get("message", ""), progress=progress)

    def _position(self, job: Job) -> int:
        running = CHILDREN.busy()
        waiting = [
            other
            for other in self._jobs.values()
            if other.future.status == "pending" and other.spec.id not in running and not self.store.has(other.spec.id)
        ]
        return 1 + sum((-other.priority, other.order) < (-job.priority, job.order) for other in waiting)

    def cancel(self, run_id: str, timeout: float = 10.0) -> Status:
        """Ends a run, wherever it is trained, and returns once its process is gone."""
        with self._lock:
            job = self._jobs.get(run_id)
        if self.remote and job:
            distributed.Event(f"cancel-{run_id}", client=self.client).set()
        CHILDREN.cancel(run_id)
        if job:
            with contextlib.suppress(Exception):
                job.future.cancel()
        deadline = time.monotonic() + timeout
        while self.store.is_locked(run_id) and time.monotonic() < deadline:
            self.store.ask_to_cancel(run_id)
            time.sleep(0.02)
        if self.store.has(run_id):
            return self.status(run_id)
        with self._lock:
            self._jobs.pop(run_id, None)
            self._heard.pop(run_id, None)
        try:
            self.store.mark_cancelled(run_id)
        except Busy:
            return Status("training", "The process that trains it did not end; try again.")
        return Status("cancelled", "Cancelled.", progress=self.store.progress(run_id))

    def going_on(self) -> list[tuple[RunSpec, Status]]:
        """The trainings of this service that are queued or going on, in the order they were asked for."""
        with self._lock:
            jobs = list(self._jobs.values())
        found = [(job.spec, self.status(job.spec.id)) for job in jobs]
        return [(spec, status) for spec, status in found if status.going_on]

    def compute(self, name: str, function: Callable[[], Any]) -> Computation[Any]:
        """A short computation of a view off the page's thread; one at a time of each name. Done ones are forgotten
        when they are asked for again after an error."""
        with self._lock:
            known = self._computations.get(name)
            if known is None or (known.done() and known.exception() is not None):
                known = self._computations[name] = self._pool.submit(function)
            return known

    def close(self) -> None:
        """Ends the service and every child of this process."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        CHILDREN.close()
        cluster = self.client.cluster
        self.client.close(timeout=2)
        if cluster is not None:
            cluster.close(timeout=2)
