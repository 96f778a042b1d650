"""Trainings in the background, with real processes: once, in order, cancelled, crashed, retried, and on a cluster."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import distributed
import psutil
import pytest
from PIL import Image
from tiny import FOREVER, PATIENCE, WIDE, alive, python, tiny, trainer, wait, words

from ssad_core import children, jobs, machine
from ssad_core.children import CANCELLED, Children
from ssad_core.data import load, look_again
from ssad_core.jobs import Jobs, Status, children_of, train_task
from ssad_core.machine import Machine, cores
from ssad_core.question import Question
from ssad_core.spec import RunSpec
from ssad_core.store import Store
from ssad_core.train import TrainingFailed
from ssad_core.worker import run


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    """One service for all tests, since every new process imports torch; each test has seeds of its own. It trains on the
    CPU, whose cores the tests count on, whatever else there is."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CUDA_VISIBLE_DEVICES", "")
        jobs = Jobs(Store(tmp_path_factory.mktemp("cache")))
        yield jobs
        jobs.close()


@pytest.fixture
def cache(service: Jobs) -> dict[str, str]:
    """The environment of other processes on the same cache."""
    return {"SSAD_CACHE_DIR": str(service.store.root)}


def ended(service: Jobs, run_id: str) -> Status:
    return wait(lambda: status if not (status := service.status(run_id)).going_on else None)


def pids(store: Store, run_id: str) -> set[int]:
    """The processes that the run's log tells of."""
    return {json.loads(line)["pid"] for line in store.log(run_id).splitlines() if line.startswith("{")}


def test_a_run_that_is_asked_for_twice_trains_once(service: Jobs) -> None:
    spec = tiny(seed=1)
    assert service.status(spec.id) == Status("none")
    assert service.submit(spec).going_on
    threads = [threading.Thread(target=service.submit, args=(spec,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [waiting.id for waiting, _ in service.going_on()] == [spec.id]
    assert ended(service, spec.id) == Status("done")
    assert service.going_on() == []
    finished = service.store.load(spec.id).result["finished"]
    assert service.submit(spec) == Status("done")
    assert service.store.load(spec.id).result["finished"] == finished
    states = [json.loads(line)["state"] for line in service.store.log(spec.id).splitlines()]
    assert states.count("evaluating") == 1


def test_a_deleted_run_is_trained_again(service: Jobs) -> None:
    spec = tiny(seed=3)
    service.submit(spec)
    assert ended(service, spec.id) == Status("done")
    service.store.delete(spec.id)
    assert service.status(spec.id) == Status("none")
    assert service.submit(spec).going_on
    assert ended(service, spec.id) == Status("done")


def test_what_a_person_waits_for_overtakes_a_sweep_in_the_process_that_is_there(service: Jobs) -> None:
    blocking = tiny(seed=11, **WIDE)
    sweep = [tiny(seed=seed, **WIDE) for seed in (12, 13, 14)]
    single = tiny(seed=15, **WIDE)
    with service.store.lock(blocking.id):  # its process has to wait, and so have all others
        service.submit(blocking)
        wait(lambda: service.status(blocking.id).state == "starting")
        for spec in sweep:
            assert service.submit(spec).state == "queued"
        assert [service.status(spec.id).position for spec in sweep] == [1, 2, 3]
        assert service.submit(single, priority=10) == Status("queued", position=1, priority=10)
        assert [service.status(spec.id).position for spec in sweep] == [2, 3, 4]
        assert [spec.id for spec, _ in service.going_on()] == [spec.id for spec in (blocking, *sweep, single)]
        sweep.insert(0, raised := sweep.pop())  # that somebody waits for now
        assert service.submit(raised, priority=5) == Status("queued", position=2, priority=5)
        assert service.submit(raised) == Status("queued", position=2, priority=5)
        assert service.submit(blocking, priority=5).state == "starting"
        assert [service.status(spec.id).position for spec in (single, *sweep)] == [1, 2, 3, 4]

        dropped = sweep.pop(1)
        assert service.cancel(dropped.id) == Status("cancelled", "Cancelled.")
        assert service.status(dropped.id) == Status("cancelled", "Cancelled.")
        assert [service.status(spec.id).position for spec in sweep] == [2, 3]
    runs = []
    for spec in (blocking, single, *sweep):
        assert ended(service, spec.id) == Status("done")
        runs.append(service.store.load(spec.id).result)
    finished = [run["finished"] for run in runs]
    assert finished == sorted(finished)
    assert len(set.union(*(pids(service.store, spec.id) for spec in (blocking, single, *sweep)))) == 1
    assert service.status(dropped.id).state == "cancelled"
    assert not service.store.has(dropped.id)
    assert not service.store.work(dropped.id).exists()


@pytest.mark.skipif(cores() < 2, reason="a training has a second thread only where there are two cores")
def test_a_process_that_has_trained_on_all_cores_leaves_them_to_others(service: Jobs) -> None:
    spec = tiny(seed=22, **WIDE)
    service.submit(spec)
    assert ended(service, spec.id).state == "done"
    assert service.store.load(spec.id).result["machine"]["threads"] > 1
    (pid,) = pids(service.store, spec.id)
    process = psutil.Process(pid)

    def busy() -> float:
        times = process.cpu_times()
        return times.user + times.system

    time.sleep(0.5)  # it may still spin for a moment
    before = busy()
    time.sleep(1)
    assert busy() - before < 0.3  # seconds; one waiting thread that spins takes them all


@pytest.fixture
def with_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobs]:
    """A service that counts on a GPU; its processes find none, and train on the CPU."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(jobs, "Machine", lambda: Machine(gpus=1))
    service = Jobs(Store(tmp_path / "store"))
    yield service
    service.close()


def test_small_trainings_share_a_gpu_and_a_large_one_has_it_to_itself(with_gpu: Jobs) -> None:
    service = with_gpu
    small = [tiny(seed=seed) for seed in range(100, 100 + min(10, cores()))]
    large = tiny(seed=110, batch_size=5000)
    assert [service.at_once(spec) for spec in (small[0], large)] == [len(small), 1]
    with contextlib.ExitStack() as locks:
        for spec in small:  # their processes have to wait
            locks.enter_context(service.store.lock(spec.id))
            service.submit(spec)
        service.submit(large)
        wait(lambda: all(service.status(spec.id).state == "starting" for spec in small))
        assert service.status(large.id) == Status("queued", position=1)
    assert [ended(service, spec.id).state for spec in (*small, large)] == ["done"] * (len(small) + 1)
    results = [service.store.load(spec.id).result for spec in (*small, large)]
    assert max(result["finished"] for result in results) == results[-1]["finished"]
    assert {result["machine"]["threads"] for result in results} == {1}  # each had a core and its part of the GPU


def test_it_is_known_where_bfloat16_is_no_gain(
    service: Jobs, with_gpu: Jobs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    exact, rough = tiny(), replace(tiny(), precision="bfloat16")
    monkeypatch.setattr(machine, "CPU", tmp_path / "cpuinfo")
    assert not service.emulates(rough)  # nothing is known
    for flags, has in {"avx512_bf16": True, "amx_bf16": True, "asimd bf16": True, "avx2 avx512f": False}.items():
        machine.CPU.write_text(f"flags : fpu {flags} lm")
        assert (service.emulates(rough), service.emulates(exact)) == (not has, False)
    assert not with_gpu.emulates(rough)


OTHER_SERVER = """
import json, sys, time
from ssad_core.jobs import Jobs
from ssad_core.spec import RunSpec
service, spec = Jobs(), RunSpec.from_dict(json.loads(sys.argv[1]))
service.submit(spec)
while service.status(spec.id).going_on:
    time.sleep(0.05)
print(service.status(spec.id).state, service.store.load(spec.id).result["finished"])
service.close()
"""


def test_two_servers_and_the_command_line_train_a_run_once(service: Jobs, cache: dict[str, str]) -> None:
    spec = tiny(seed=16, epochs=150)
    server = python("-c", OTHER_SERVER, json.dumps(spec.to_dict()), env=cache)
    cli = python("-m", "ssad_core", *words(16, 150), env=cache)
    service.submit(spec)
    seen = set()

    def over() -> bool:
        seen.add(service.store.progress(spec.id).get("pid"))
        return server.poll() is not None and cli.poll() is not None and not service.status(spec.id).going_on

    wait(over)
    finished = service.store.load(spec.id).result["finished"]
    assert service.status(spec.id) == Status("done")
    assert server.communicate()[0].split() == ["done", str(finished)]
    assert json.loads(cli.communicate()[0])["run"] == spec.id
    assert len(seen - {None}) == 1  # of the three
    assert not service.store.work(spec.id).exists()


def test_a_server_ends_without_a_word_of_the_trainings_that_it_had(cache: dict[str, str]) -> None:
    wide = [tiny(seed=seed, epochs=FOREVER, **WIDE).to_dict() for seed in (40, 41, 42)]
    ending = """
import json, sys
from ssad_core.jobs import Jobs
from ssad_core.spec import RunSpec
service = Jobs()
for spec in json.loads(sys.argv[1]):
    service.submit(RunSpec.from_dict(spec))
"""
    assert python("-c", ending, json.dumps(wide), env=cache).communicate() == ("", "")


def test_a_failed_run_says_why_keeps_its_log_and_spoils_nothing(service: Jobs) -> None:
    bad, good = replace(tiny(seed=4), fingerprint="0" * 16), tiny(seed=5)
    service.submit(bad)
    service.submit(good)
    status = ended(service, bad.id)
    assert status.state == "failed"
    assert status.message == "digits has other images than when this run was asked for; ask for it again"
    assert status.message in service.store.log(bad.id)
    assert service.cancel(bad.id) == status  # it has ended already
    assert service.status(bad.id) == status
    assert service.store.progress(bad.id)["state"] == "failed"
    assert ended(service, good.id) == Status("done")
    assert service.submit(bad).going_on  # it is tried again, and fails again
    assert ended(service, bad.id).state == "failed"


def test_who_asks_again_after_images_were_changed_trains_on_these(
    service: Jobs, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service._children, "_idle", [])  # they know of another data_dir
    for label, i in itertools.product(range(10), range(4)):
        for split in ("train", "test"):
            write_image(data_dir / "mnist" / split / str(label) / f"{i}.png", shade=10 * label + i)

    def asked() -> RunSpec:
        return replace(Question(dataset="mnist", normal_class="1").run(load("mnist")), settings=tiny().settings)

    before, shades = asked(), iter((100, 101))

    def change() -> None:  # in its place, as no folder's time tells
        write_image(data_dir / "mnist" / "train" / "1" / "0.png", next(shades))

    change()
    service.submit(before)
    status = ended(service, before.id)
    assert status.message == "mnist has other images than when this run was asked for; ask for it again"
    again = asked()
    service.submit(again)
    assert ended(service, again.id) == Status("done")
    change()
    look_again()
    service.submit(asked())  # the process that is there has trained on the images before
    assert ended(service, asked().id) == Status("done")


def write_image(path: Path, shade: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (32, 32), shade).save(path)


def test_cancel_returns_when_the_process_is_gone(service: Jobs) -> None:
    spec = tiny(seed=6, epochs=FOREVER)
    service.submit(spec)
    child = trainer(service.store, spec.id)
    seen = set()
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            state, there = service.status(spec.id).state, alive(child)
            seen.add((state, there))

    watcher = threading.Thread(target=watch)
    watcher.start()
    status = service.cancel(spec.id)
    assert not alive(child)
    over.set()
    watcher.join()
    assert ("cancelled", True) not in seen  # nobody hears of it before
    assert (status.state, status.message) == ("cancelled", "Cancelled.")
    assert service.status(spec.id).state == "cancelled"
    assert not service.store.is_locked(spec.id)
    assert service.store.progress(spec.id)["state"] == "cancelled"  # also after this server's end
    assert service.going_on() == []

    assert service.submit(spec).going_on
    again = trainer(service.store, spec.id)
    assert again != child
    assert service.cancel(spec.id).state == "cancelled"
    assert not alive(again)


def test_cancel_at_any_moment(service: Jobs) -> None:
    """Just after it was asked for, before its process has begun, and twice at once."""
    spec = tiny(seed=7, epochs=FOREVER)
    for _ in range(5):
        assert service.submit(spec).going_on
        assert service.cancel(spec.id).state == "cancelled"
        assert service.status(spec.id).state == "cancelled"
        assert not service.store.is_locked(spec.id)
    service.submit(spec)
    threads = [threading.Thread(target=service.cancel, args=(spec.id,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert service.status(spec.id).state == "cancelled"
    assert service.cancel(tiny(seed=999).id) == Status("none")  # nobody has asked for it
    finished = tiny(seed=8)
    service.submit(finished)
    assert ended(service, finished.id) == Status("done")
    assert service.cancel(finished.id) == Status("done")
    assert service.store.has(finished.id)


def test_a_task_that_begins_after_its_cancellation_touches_nothing(service: Jobs) -> None:
    """As when Dask had sent it to its worker already: whoever cancelled has been told that nobody has the run."""
    spec, children = tiny(seed=8, epochs=FOREVER), children_of(service.client.cluster.workers[0])
    folder = service.store.work(spec.id)
    folder.mkdir()
    children.cancel("late")
    task = service.client.submit(train_task, "late", spec.to_dict(), str(service.store.root), "auto", 0)
    assert task.result() == (CANCELLED, {})
    assert folder.is_dir()


def test_a_crash_is_a_sentence_and_touches_no_other_run(service: Jobs) -> None:
    if cores() < 2:
        pytest.skip("needs two slots")
    crashing, other = tiny(seed=9, epochs=FOREVER), tiny(seed=10, epochs=FOREVER)
    service.submit(crashing)
    service.submit(other)
    child, neighbour = trainer(service.store, crashing.id), trainer(service.store, other.id)
    os.kill(child, signal.SIGKILL)
    status = ended(service, crashing.id)
    assert status.state == "failed"
    assert status.message == "The training process died (killed; often that means that the memory was not enough)."
    assert service.store.progress(crashing.id)["state"] == "interrupted"  # what another server reads
    assert service.status(other.id).going_on
    assert alive(neighbour)
    assert service.submit(crashing).going_on
    trainer(service.store, crashing.id)
    for spec in (crashing, other):
        assert service.cancel(spec.id).state == "cancelled"


def test_a_crash_after_a_cancelled_try_is_a_crash(service: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = tiny(seed=23, epochs=FOREVER)
    service.submit(spec)
    trainer(service.store, spec.id)
    assert service.cancel(spec.id).state == "cancelled"
    monkeypatch.setattr(children, "_start", lambda: python("-c", "exit(3)", stdin=subprocess.PIPE))
    monkeypatch.setattr(service._children, "_idle", [])
    service.submit(spec)
    status = ended(service, spec.id)
    assert (status.state, status.message) == ("failed", "The training process died (exit status 3).")
    assert service.store.log(spec.id) == ""  # the cancelled try's is not its


def test_who_waits_for_a_run_that_is_cancelled_does_not_train_it(
    service: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, store, waits = tiny(seed=120, epochs=FOREVER), service.store, threading.Event()
    service.submit(spec)
    trainer(store, spec.id)

    def heard(progress: dict[str, object]) -> None:
        assert progress["pid"] != os.getpid(), "it trains"
        waits.set()

    def mark_late(store: Store, run_id: str) -> None:
        time.sleep(0.5)  # its process is gone already
        mark_cancelled(store, run_id)

    mark_cancelled = Store.mark_cancelled
    monkeypatch.setattr(Store, "mark_cancelled", mark_late)
    with ThreadPoolExecutor() as pool:
        waiter = pool.submit(run, spec, store, "cpu", heard)
        assert waits.wait(10)
        assert service.cancel(spec.id).state == "cancelled"
        with pytest.raises(TrainingFailed, match=r"^Cancelled\.$"):
            waiter.result(10)


def test_cancel_from_another_process_and_of_another_process(service: Jobs, cache: dict[str, str]) -> None:
    ours, theirs = tiny(seed=17, epochs=FOREVER), tiny(seed=18, epochs=FOREVER)
    cli = python("-m", "ssad_core", *words(18, FOREVER), env=cache)
    service.submit(ours)
    child = trainer(service.store, ours.id)
    assert trainer(service.store, theirs.id) == cli.pid
    assert service.status(theirs.id).state == "training"  # though it was asked for elsewhere
    assert service.submit(theirs).state == "training"

    code = f"from ssad_core.jobs import Jobs; print(Jobs().cancel({ours.id!r}).state)"
    other = python("-c", code, env=cache)
    assert other.communicate(timeout=60)[0] == "cancelled\n", other.communicate()
    assert not alive(child)
    assert ended(service, ours.id).state == "cancelled"

    assert service.cancel(theirs.id).state == "cancelled"
    assert not alive(cli.pid)
    assert cli.communicate()[1].endswith("ssad_core: the training was cancelled\n")
    assert cli.returncode == 1
    assert service.status(theirs.id).state == "cancelled"


def test_close_leaves_no_process_behind(tmp_path: Path) -> None:
    before = set(psutil.Process().children(recursive=True))
    service = Jobs(Store(tmp_path))
    service.warm()
    specs = [tiny(seed=seed, epochs=FOREVER) for seed in range(cores() + 2)]
    for spec in specs:
        service.submit(spec)
    wait(lambda: service.status(specs[0].id).state == "starting")
    assert set(psutil.Process().children(recursive=True)) > before
    service.close()
    assert set(psutil.Process().children(recursive=True)) <= before
    assert not any(service.store.is_locked(spec.id) for spec in specs)


def test_a_view_is_computed_once_at_a_time(service: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go = [], threading.Event()

    def slow() -> None:
        begun.append(1)
        go.wait(30)

    first = service.compute("map", slow)
    assert service.compute("map", slow) is first
    go.set()
    first.result(30)
    assert len(begun) == 1
    service.compute("map", slow).result(30)  # what was stored of it is gone, else nobody would ask
    assert len(begun) == 2
    failed = service.compute("bad", lambda: 1 // 0)
    assert isinstance(failed.exception(30), ZeroDivisionError)
    assert service.compute("bad", lambda: 1) is failed
    monkeypatch.setattr("ssad_core.jobs.FAILED_FOR", 0.0)
    service.compute("bad", lambda: begun.append("another try")).result(30)
    assert begun[-1] == "another try"


def test_a_view_that_nobody_waits_for_is_not_computed(service: Jobs) -> None:
    go, begun = threading.Event(), []
    first = service.compute("first", lambda: go.wait(30))
    second = service.compute("second", lambda: begun.append("second"))
    third = service.compute("third", lambda: begun.append("third"))
    wait(first.running)
    service.forget(["first", "second", "never asked for"])
    assert second.cancelled()
    assert service.computed("second")
    assert not service.computed("first")  # what has begun goes on
    go.set()
    third.result(30)
    assert begun == ["third"]
    service.compute("second", lambda: begun.append("asked for again")).result(30)
    assert begun == ["third", "asked for again"]


@pytest.mark.parametrize("address", ["nonsense://x", "tls://127.0.0.1:1", "localhost", "tcp://127.0.0.1:port"])
def test_no_scheduler_is_one_line(address: str) -> None:
    code = "from ssad_core.cli import main; raise SystemExit(main(['testbed', '--dataset', 'digits', '--json']))"
    process = python("-c", code, env={"SSAD_SCHEDULER": address})
    said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said[0]) == (2, "")
    assert said[1].startswith(f"ssad_core: no Dask scheduler answers at SSAD_SCHEDULER={address}; ")
    assert said[1].count("\n") == 1


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Store, subprocess.Popen[str]]]:
    """A scheduler and a worker on this machine that share no cache with us: address, the worker's store, scheduler."""
    folder = tmp_path_factory.mktemp("elsewhere")
    file = str(folder / "scheduler.json")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": open(folder / "log.txt", "w")}  # noqa: SIM115
    loopback = ["--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0", "--scheduler-file", file]
    scheduler = python("-m", "distributed.cli.dask_scheduler", *loopback, "--port", "0", **quiet)
    worker = python(
        *("-m", "distributed.cli.dask_worker", *loopback, "--nthreads", "1", "--no-nanny"),
        env={"SSAD_CACHE_DIR": str(folder / "cache")},
        **quiet,
    )
    wait(lambda: Path(file).exists())
    address = wait(lambda: json.loads(Path(file).read_text() or "{}").get("address"))
    yield address, Store(folder / "cache"), scheduler
    for process in (worker, scheduler):
        process.kill()
        process.wait()


def test_a_run_that_a_worker_elsewhere_trained_is_stored_here(
    cluster: tuple[str, Store, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, elsewhere, _ = cluster
    monkeypatch.setenv("SSAD_SCHEDULER", address)
    here = Jobs()
    try:
        assert here.store.root != elsewhere.root
        spec, bad = tiny(seed=1, epochs=300), replace(tiny(seed=2), fingerprint="0" * 16)
        assert here.submit(spec).state == "queued"
        assert here.submit(bad).state == "queued"
        status = wait(lambda: status if (status := here.status(spec.id)).state == "training" else None)
        assert status.progress["epoch"] >= 1
        assert status.progress["loss"]
        assert ended(here, spec.id) == Status("done")
        run, original = here.store.load(spec.id), elsewhere.load(spec.id)
        assert run.result == original.result
        assert sorted(path.name for path in run.path.iterdir()) == sorted(path.name for path in original.path.iterdir())
        assert run.weights.read_bytes() == original.weights.read_bytes()
        assert run.scores.keys() == original.scores.keys()
        assert here.store.log(spec.id)

        status = ended(here, bad.id)
        assert (status.state, status.message.partition(" ")[0]) == ("failed", "digits")
        assert status.message in here.store.log(bad.id)

        here.store.delete(spec.id)
        assert here.submit(spec).going_on
        assert ended(here, spec.id) == Status("done")
        assert here.store.load(spec.id).result == original.result  # it was still there
    finally:
        here.close()


@contextlib.contextmanager
def worker_elsewhere(threads: int) -> Iterator[tuple[str, Children]]:
    """The address of a scheduler with one worker, and that worker's children."""
    with (
        distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=threads,
            processes=False,
            dashboard_address=None,
            worker_dashboard_address=None,
        ) as cluster,
        contextlib.closing(children_of(cluster.workers[0])) as elsewhere,
    ):
        yield cluster.scheduler_address, elsewhere


def test_a_worker_elsewhere_trains_no_more_at_once_than_it_has_cores(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with (
        worker_elsewhere(threads=4) as (address, elsewhere),
        contextlib.closing(Jobs(Store(tmp_path / "here"), address)) as here,
    ):
        first, second = tiny(seed=6, epochs=FOREVER, **WIDE), tiny(seed=7, epochs=FOREVER, **WIDE)
        here.submit(first)
        child = trainer(Store(own_cache), first.id)
        here.submit(second)
        wait(lambda: elsewhere._waiting)
        wait(lambda: here.status(second.id) == Status("queued", position=1))
        assert here.cancel(second.id).state == "cancelled"
        wait(lambda: not elsewhere._waiting)  # though there never was room
        here.submit(second)
        assert here.cancel(first.id).state == "cancelled"
        assert not alive(child)
        assert trainer(Store(own_cache), second.id)
        assert here.cancel(second.id).state == "cancelled"


def test_what_one_server_cancelled_another_trains(own_cache: Path, tmp_path: Path) -> None:
    specs = [tiny(seed=seed, epochs=FOREVER) for seed in (8, 9, 10)]
    with worker_elsewhere(threads=1) as (address, _):
        with contextlib.closing(Jobs(Store(tmp_path / "here"), address)) as here:
            here.submit(specs[0])
            trainer(Store(own_cache), specs[0].id)
            for spec in specs[1:]:  # no worker gets to them
                here.submit(spec)
            for spec in reversed(specs):
                assert here.cancel(spec.id).state == "cancelled"
        with contextlib.closing(Jobs(Store(tmp_path / "other"), address)) as other:  # or the same, opened again
            for spec in specs:
                other.submit(spec)
                wait(lambda spec=spec: other.status(spec.id).state not in ("queued", "starting"))
                assert other.status(spec.id).state == "training"
                assert other.cancel(spec.id).state == "cancelled"


def test_cancel_ends_a_process_elsewhere(cluster: tuple[str, Store, object]) -> None:
    address, elsewhere, _ = cluster
    here, second = Jobs(address=address), Jobs(address=address)
    try:
        spec, waiting = tiny(seed=3, epochs=FOREVER), tiny(seed=4)
        here.submit(spec)
        second.submit(spec)  # another server with the same scheduler
        here.submit(waiting)
        child = trainer(elsewhere, spec.id)
        wait(lambda: here.status(spec.id).state == second.status(spec.id).state == "training")
        assert here.cancel(waiting.id).state == "cancelled"
        assert alive(child)
        assert here.cancel(spec.id).state == "cancelled"
        assert not alive(child)
        assert here.status(spec.id).state == "cancelled"
        assert ended(second, spec.id).state == "cancelled"
        assert here.submit(spec).going_on
        again = trainer(elsewhere, spec.id)
        assert again != child
        assert here.cancel(spec.id).state == "cancelled"
        assert not alive(again)
    finally:
        here.close()
        second.close()


def test_a_lost_scheduler_is_a_sentence(cluster: tuple[str, Store, subprocess.Popen[str]]) -> None:
    address, elsewhere, scheduler = cluster
    here = Jobs(address=address)
    try:
        spec = tiny(seed=5, epochs=FOREVER)
        here.submit(spec)
        trainer(elsewhere, spec.id)
        scheduler.kill()
        status = ended(here, spec.id)
        assert status.state == "interrupted"
        assert status.message == "The Dask scheduler no longer knows of this training."
    finally:
        here.close()
