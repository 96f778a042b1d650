"""Trainings in the background: submit, status, cancel, on dask.distributed.

Dask queues and orders them; each training is a process of its own (`worker.py`), because a Dask task cannot be
cancelled once it runs and a process can. By default the scheduler lives inside this process; with SSAD_SCHEDULER (its
address) workers elsewhere train, which need only this package and the data, and a finished run comes back through Dask.

That a run is trained only once is ensured by its lock in the store, whoever asks: a page, a second server, the CLI.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import logging
import math
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from concurrent.futures import Future as Computation
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import dask
import distributed
from distributed.comm import connect

from .children import CANCELLED, Children
from .data import look_again
from .errors import BadInput
from .machine import Machine, has_bfloat16
from .spec import RunSpec
from .store import Busy, Store

GOING_ON = ("queued", "starting", "training", "evaluating")
TOPIC = "ssad-progress"  # of Dask's events
ANSWERS_WITHIN = 10.0  # seconds that a scheduler has
CANCELLED_WITHIN = 10.0  # seconds that a process has to end
FAILED_FOR = 30.0  # seconds until a view's computation that failed may be tried again
LOOK = 2.0  # seconds between two looks of who waits for many trainings

# When the interpreter ends, Dask lets go of trainings for whose callbacks there is no thread any more, and says so of each.
atexit.register(logging.getLogger("tornado.application").setLevel, logging.CRITICAL)


@dataclass(frozen=True)
class Status:
    """How a run stands: "none" (never asked for), "queued" (``position`` 1 is next), "starting", "training",
    "evaluating", "done", "failed", "cancelled" or "interrupted"; ``message`` is a sentence for a person. ``priority`` is what
    a training was asked for with, here, as long as it is queued or going on."""

    state: str
    message: str = ""
    position: int | None = None
    progress: dict[str, Any] = field(default_factory=dict)
    priority: int = 0

    @property
    def going_on(self) -> bool:
        return self.state in GOING_ON

    @property
    def trained(self) -> float:
        """The share of the training that is behind it, in [0, 1]."""
        if self.state == "training":
            return self.progress.get("done", 0.0)
        return float(self.state in ("evaluating", "done"))


_children_lock = threading.Lock()


def children_of(worker: distributed.Worker) -> Children:
    """The children of a Dask worker. They are kept with it, since a task cannot carry a process."""
    with _children_lock:
        if not hasattr(worker, "ssad_children"):
            worker.ssad_children = Children(Machine())
        return worker.ssad_children


def train_task(
    key: str, spec: dict[str, Any], cache: str | None, device: str, priority: int
) -> tuple[str | None, dict[str, bytes]]:
    """What Dask runs; returns why it did not work, or None, and files.

    With a ``cache`` of this machine the run is left there. Without one, on a worker elsewhere, it is trained in that
    worker's own store, its progress is sent as Dask's events, and the run's files are returned, of a failed one the log.
    """
    run = RunSpec.from_dict(spec)
    store = Store(Path(cache) if cache else None)
    children = children_of(distributed.get_worker())
    error = None if children.may_begin(key) else CANCELLED  # once told of it, nobody is to find the run touched
    if error is None and not store.has(run.id):
        with contextlib.suppress(Busy), store.lock(run.id):
            store.discard(store.work(run.id))  # an earlier try's cancellation and log must not pass for this one's
        request = {"spec": spec, "cache": str(store.root), "device": device}
        with contextlib.nullcontext() if cache else _in_touch(key, run.id, store, children):
            error = children.train(key, request, children.machine.needs(run.settings, device), priority)
        if error is not None and store.asked_to_cancel(run.id):
            error = CANCELLED
    if cache:
        return error, {}
    folder = store.work(run.id) if error else store.run(run.id)
    paths = [folder / "log.txt"] if error else folder.rglob("*")
    return error, {str(path.relative_to(folder)): path.read_bytes() for path in paths if path.is_file()}


@contextlib.contextmanager
def _in_touch(key: str, run_id: str, store: Store, children: Children) -> Iterator[None]:
    """Between a worker elsewhere and the service: sends the run's progress, listens for its cancellation."""
    worker, over = distributed.get_worker(), threading.Event()
    cancelled = _cancellation(key, distributed.get_client())

    def exchange() -> None:
        sent: dict[str, Any] = {}
        while not over.is_set():
            if cancelled.is_set():
                children.cancel(key)
            progress = store.progress(run_id)
            if progress != sent and progress.get("state") in GOING_ON:
                worker.log_event(TOPIC, {"key": key, "run": run_id, "progress": progress})
                sent = progress
            over.wait(0.25)

    thread = threading.Thread(target=exchange, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        children.forget(key)


def _cancellation(key: str, client: distributed.Client) -> distributed.Event:
    """Set as long as whoever cancels the task of this key waits for its end."""
    return distributed.Event(f"cancel-{key}", client=client)


@dataclass
class Job:
    """A training asked for through this service. ``outcome`` is None as long as it is queued or going on."""

    spec: RunSpec
    key: str  # Dask's
    priority: int
    order: int
    heard: dict[str, Any] = field(default_factory=dict)  # its progress, when it is trained elsewhere
    cancelling: bool = False
    outcome: Status | None = None
    future: distributed.Future | None = None  # kept, since a dropped one makes Dask forget its task
    settled: threading.Event = field(default_factory=threading.Event)

    def withdraw(self) -> None:
        """Takes its task back from Dask."""
        if (future := self.future) is not None:  # which another thread may drop
            future.cancel()


class Jobs:
    """The service of one server. Its methods may be called from any thread.

    ``address``: of a Dask scheduler (default: SSAD_SCHEDULER); without one the scheduler is in this process.
    """

    def __init__(self, store: Store | None = None, address: str | None = None) -> None:
        self.store = store or Store()
        self.address = address or os.environ.get("SSAD_SCHEDULER")
        self._children: Children | None = None  # none here when workers elsewhere train
        if self.address:
            self.client = self._connect()
        else:
            self.client = distributed.Client(_cluster(Machine()), set_as_default=False)
            self._children = children_of(self.client.cluster.workers[0])
        # Held neither by what Dask's event loop calls nor while waiting for it.
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._tries: Counter[str] = Counter()
        self._computations: dict[str, Computation[None]] = {}
        self._failures: dict[str, float] = {}  # when a computation failed last
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="views", initializer=_step_back)

    def _connect(self) -> distributed.Client:
        try:
            # First, since a Client that finds none is left half made, and then holds up the end of the process. Apart, since
            # a notebook has a loop in this thread.
            with ThreadPoolExecutor(1) as apart:
                apart.submit(asyncio.run, asyncio.wait_for(_reach(self.address), ANSWERS_WITHIN)).result()
            client = distributed.Client(self.address, timeout=ANSWERS_WITHIN, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:  # the last of tls:// without certificates
            raise BadInput(
                f"no Dask scheduler answers at SSAD_SCHEDULER={self.address}; an address is like tcp://127.0.0.1:8786"
            ) from error
        client.subscribe_topic(TOPIC, self._hear)
        return client

    @property
    def remote(self) -> bool:
        """Whether workers elsewhere train."""
        return self._children is None

    def warm(self) -> None:
        """Starts the spare children, so that the next training begins at once."""
        if self._children:
            self._children.fill()

    def at_once(self, spec: RunSpec) -> int:
        """How many trainings like this one go on side by side; 1 where workers elsewhere train, which may be more."""
        if self._children is None:
            return 1
        machine = self._children.machine
        return min(machine.capacity[name] // taken for name, taken in machine.needs(spec.settings).items())

    def emulates(self, spec: RunSpec) -> bool:
        """Whether the training computes in bfloat16 on a CPU that has none, up to ten times slower than in float32."""
        if spec.precision != "bfloat16" or self._children is None:
            return False
        return not self._children.machine.gpus and not has_bfloat16()

    def submit(self, spec: RunSpec, priority: int = 0, device: str = "auto") -> Status:
        """Asks for a run; asking again changes nothing while it is going on or done, nor while it is queued, unless with a
        higher priority. A run that failed, was cancelled or interrupted is tried again. Higher priorities overtake what
        waits.

        BadInput when the scheduler elsewhere was lost and does not answer again."""
        overtaken = self._take_off(spec.id, priority)
        with self._lock:
            if overtaken is not None:
                self._close_job(overtaken, None)
            status = self.status(spec.id)
            if status.going_on or status.state == "done":
                return status
            look_again()  # as the process that trains will: who asks again after images were changed asks for these
            if self.remote and self.client.status in ("closing", "closed"):
                self.client = self._connect()
            self._tries[spec.id] += 1
            # The same key for everybody, so that servers that share a scheduler share the training, but a new one for
            # another try, since Dask remembers how the last one ended.
            key = f"train-{spec.id}-{self._tries[spec.id]}"
            job = Job(spec, key, priority, self._tries.total())
            job.future = self.client.submit(
                train_task,
                key,
                spec.to_dict(),
                None if self.remote else str(self.store.root),
                device,
                priority,
                key=key,
                priority=priority,
                fifo_timeout="0s",  # those of one priority in the order in which they were asked for
                resources=self._children and self._children.machine.needs(spec.settings, device),
                retries=0,
                pure=False,
            )
            self._jobs[spec.id] = job
            job.future.add_done_callback(lambda future: self._settle(job, future))
            return self.status(spec.id)

    def _take_off(self, run_id: str, priority: int) -> Job | None:
        """Takes a training that waits with a lower priority off the queue, to be put in anew. One that waits elsewhere keeps
        its place: other servers may have asked for it too."""
        with self._lock:
            job = self._jobs.get(run_id)
            if self.remote or job is None or job.priority >= priority or self.status(run_id).state != "queued":
                return None
            job.cancelling = True  # it is as before for everybody who looks
        self._stop(job, time.monotonic())
        return job

    def _hear(self, event: tuple[float, dict[str, Any]]) -> None:
        job = self._jobs.get(event[1]["run"])
        if job is not None and job.key == event[1]["key"] and job.outcome is None:
            job.heard = event[1]["progress"]

    def _settle(self, job: Job, future: distributed.Future) -> None:
        """Takes home what Dask's task returned. Called once, in a thread of Dask's, however the task ended."""
        outcome = None
        try:
            error, files = future.result()
            if self.remote:
                self._take_home(job.spec, error, files)
            if error is not None:
                outcome = Status("cancelled" if error == CANCELLED else "failed", error)
        except CancelledError:  # by `cancel`, or the scheduler is gone
            outcome = Status("interrupted", "The Dask scheduler no longer knows of this training.")
        except Exception as error:
            kind = "" if isinstance(error, BadInput) else f"{type(error).__name__}: "
            outcome = Status("failed", kind + (str(error).splitlines() or [""])[0])
        with self._lock:
            job.future = None
            if not job.cancelling:
                self._close_job(job, outcome)
        job.settled.set()

    def _close_job(self, job: Job, outcome: Status | None) -> None:
        job.outcome, job.heard = outcome, {}
        if outcome is None and self._jobs.get(job.spec.id) is job:
            del self._jobs[job.spec.id]

    def _take_home(self, spec: RunSpec, error: str | None, files: dict[str, bytes]) -> None:
        with contextlib.suppress(Busy), self.store.begin(spec) as work:
            if work is None:
                return
            for name, content in files.items():
                (work.path / name).parent.mkdir(parents=True, exist_ok=True)
                (work.path / name).write_bytes(content)
            if error is None:
                work.publish(json.loads(files["result.json"]))
            else:
                work.failed(error)

    def status(self, run_id: str) -> Status:
        """How a run stands, whoever trains it."""
        with self._lock:
            job = self._jobs.get(run_id)
            progress = (job.heard if job else None) or self.store.progress(run_id)
            if self.store.has(run_id):  # last, since it may be published while we look
                if job is not None and not job.cancelling:
                    self._close_job(job, None)
                return Status("done")
            state, priority = progress.get("state", "none"), job.priority if job else 0
            if state not in GOING_ON and job is not None:
                # What is written is left of an earlier try, or this one has ended.
                if job.outcome is not None:
                    return replace(job.outcome, progress=progress)
                if self._started(job):
                    return Status("starting", "Starting the training process.", priority=priority)
                return Status("queued", position=self._position(job), priority=priority)
            return Status(state, progress.get("message", ""), progress=progress, priority=priority)

    def _started(self, job: Job) -> bool:
        return bool(job.heard) if self._children is None else self._children.has_begun(job.key)

    def _waiting(self) -> list[Job]:
        return [job for job in self._jobs.values() if job.outcome is None and not self._started(job)]

    def _position(self, job: Job) -> int:
        return 1 + sum((-other.priority, other.order) < (-job.priority, job.order) for other in self._waiting())

    def waiting(self) -> int:
        """How many trainings of this service have not begun."""
        with self._lock:
            return len(self._waiting())

    def cancel(self, run_id: str) -> Status:
        """Ends a run that is queued or going on, wherever it is trained, and returns once its process is gone, or does not
        go. What has ended stays as it is."""
        deadline = time.monotonic() + CANCELLED_WITHIN
        with self._lock:
            if not (status := self.status(run_id)).going_on:
                return status
            job = self._jobs.get(run_id)
            if job is not None and job.outcome is None:
                job.cancelling = True  # until below, it is as before for everybody who looks
        try:
            # Before its process is gone: whoever waits for the run must not take it for one that was cut off.
            self.store.ask_to_cancel(run_id)
            if job is not None and job.cancelling:
                self._stop(job, deadline)
            while self.store.is_locked(run_id) and time.monotonic() < deadline:
                self.store.ask_to_cancel(run_id)
                time.sleep(0.02)
            if not self.store.has(run_id):
                self.store.mark_cancelled(run_id)
        except Busy:
            return Status("training", "The process that trains it did not end; try again.")
        finally:
            with self._lock:
                if job is not None and (job.cancelling or job.outcome is not None):
                    self._close_job(job, None if self.store.has(run_id) else Status("cancelled", CANCELLED))
        return self.status(run_id)

    def _stop(self, job: Job, deadline: float) -> None:
        if self._children is not None:
            self._children.cancel(job.key)
            job.withdraw()
            return
        cancelled = _cancellation(job.key, self.client)
        cancelled.set()
        if job.heard:  # a worker that trains it notices within 0.25 s
            job.settled.wait(deadline - time.monotonic())
        elif any(job.key in keys for keys in self.client.processing().values()):
            job.settled.wait(1.0)  # one that does not yet is not to begin; it would end at once
        job.withdraw()
        cancelled.clear()  # another server's first try has the same key

    def going_on(self) -> list[tuple[RunSpec, Status]]:
        """The trainings of this service that are queued or going on, in the order they were asked for."""
        with self._lock:
            jobs = sorted(self._jobs.values(), key=lambda job: job.order)
        found = [(job.spec, self.status(job.spec.id)) for job in jobs]
        return [(spec, status) for spec, status in found if status.going_on]

    def compute(self, name: str, function: Callable[[], Any]) -> Computation[None]:
        """A short computation of a view off the page's thread, whose result `function` leaves in the store. The same one
        for everybody who asks for this name, until it is done: who asks then finds its result gone, and gets another. One
        that failed stays for a while, so that a page can say so without trying again and again."""

        def work() -> None:  # a future that is kept must not keep a map
            try:
                function()
            except BaseException:
                self._failures[name] = time.monotonic()
                raise

        with self._lock:
            known = self._computations.get(name)
            failed = time.monotonic() - self._failures.get(name, -math.inf) < FAILED_FOR
            if known is None or (known.done() and not failed):
                known = self._computations[name] = self._pool.submit(work)
            return known

    def computed(self, name: str) -> bool:
        """Whether no computation of this name is waiting or going on."""
        with self._lock:
            known = self._computations.get(name)
            return known is None or known.done()

    def forget(self, names: Iterable[str]) -> None:
        """Takes computations that have not begun off the queue: whoever asked for them wants something else now. Somebody
        else who waits for one sees that nothing is at work any more, and asks again."""
        with self._lock:
            for name in names:
                known = self._computations.get(name)
                if known is not None and known.cancel():
                    del self._computations[name]

    def close(self) -> None:
        """Ends the service and its children."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._children:
            self._children.close()
        cluster = self.client.cluster
        self.client.close(timeout=2)
        if cluster is not None:
            cluster.close(timeout=2)


async def _reach(address: str) -> None:
    """Says hello to the scheduler at an address. OSError when none answers; ValueError or TypeError for what is none."""
    comm = await connect(address, ANSWERS_WITHIN, **distributed.Security().get_connection_args("client"))
    await comm.close()


def train_all(specs: Iterable[RunSpec], report: Callable[[int, int], Any] = lambda done, total: None) -> Store:
    """Trains those of the runs that are not stored, in a service of its own, and gives the store once they are done;
    ``report`` gets how many of how many are. Broken off, the next call goes on where it stopped. RuntimeError where some
    failed."""
    specs = list(specs)
    service = Jobs()
    try:
        stati = {spec.id: service.submit(spec) for spec in specs}
        failed: list[str] = []
        while True:
            failed += [status.message for status in stati.values() if not status.going_on and status.state != "done"]
            waiting = [run_id for run_id, status in stati.items() if status.going_on]
            report(len(specs) - len(waiting), len(specs))
            if not waiting:
                break
            time.sleep(LOOK)
            stati = {run_id: service.status(run_id) for run_id in waiting}
        if failed:
            raise RuntimeError(f"{len(failed)} of {len(specs)} runs are not done: {failed[0]}")
        return service.store
    finally:
        service.close()


def _step_back() -> None:
    """Lets pages and the browser go before this thread and those it starts, where threads have priorities of their own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 5)


def _cluster(machine: Machine) -> distributed.LocalCluster:
    """A scheduler and a worker in this process. A job takes cores and a share of a GPU; a thread waits for its child."""
    with dask.config.set({"distributed.scheduler.worker-ttl": None}):  # a laptop may sleep over it
        return distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=machine.cores + 1,
            processes=False,
            memory_limit=None,  # the trainings' memory is not this process's
            # Dask serves HTTP in any case: on this machine only, at any free port.
            dashboard_address="127.0.0.1:0",
            worker_dashboard_address="127.0.0.1:0",
            resources=machine.capacity,
            silence_logs=40,
        )
