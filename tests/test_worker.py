"""A training process: its protocol, its exact repetition, its end with its parent's, its failures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from tiny import FOREVER, WIDE, alive, python, tiny, trainer, wait

from ssad_core import worker as worker_module
from ssad_core.data import load
from ssad_core.detectors import DETECTORS, settings_for
from ssad_core.errors import BadInput
from ssad_core.evaluate import examine_stored
from ssad_core.question import Question
from ssad_core.samples import Samples, to_float
from ssad_core.spec import PRECISIONS, RANGES, RunSpec
from ssad_core.store import Store, StoredRun
from ssad_core.train import TrainingFailed
from ssad_core.worker import run


@contextmanager
def worker() -> Iterator[subprocess.Popen[str]]:
    process = python("-m", "ssad_core.worker", stdin=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def ask(process: subprocess.Popen[str], spec: RunSpec, store: Store) -> None:
    process.stdin.write(json.dumps(request_for(spec, store.root)) + "\n")
    process.stdin.flush()


def request_for(spec: RunSpec, cache: Path, gpu: int | None = None, threads: int = 1) -> dict[str, object]:
    return {"spec": spec.to_dict(), "cache": str(cache), "device": "cpu", "gpu": gpu, "threads": threads}


def answer(process: subprocess.Popen[str]) -> str | None:
    line = process.stdout.readline()
    assert line, process.stderr.read()
    return json.loads(line)["error"]


def assert_same_bits(one: StoredRun, other: StoredRun) -> None:
    for a, b in ((one.scores, other.scores), (one.codes, other.codes), (one.history, other.history)):
        assert a.keys() == b.keys()
        for name in a:
            np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    weights = load_file(one.weights), load_file(other.weights)
    assert weights[0].keys() == weights[1].keys()
    for name, value in weights[0].items():
        np.testing.assert_array_equal(value, weights[1][name], err_msg=name)
    assert one.result["auc"] == other.result["auc"]
    assert one.result["loss"] == other.result["loss"]


def test_it_trains_line_by_line_and_repeats_a_run_to_the_bit(tmp_path: Path) -> None:
    one, other = Store(tmp_path / "one"), Store(tmp_path / "other")
    spec, before = tiny(epochs=3), tiny(seed=1)
    with worker() as first, worker() as second:
        ask(first, spec, one)
        for request in (before, spec):  # the second has trained something else already
            ask(second, request, other)
        assert answer(first) is None
        assert answer(second) is None
        assert answer(second) is None
        assert_same_bits(one.load(spec.id), other.load(spec.id))
        assert one.load(spec.id).result["auc"] != other.load(before.id).result["auc"]

        ask(first, spec, one)  # stored already
        assert answer(first) is None

        stranger = replace(spec, fingerprint="0" * 16)
        ask(first, stranger, one)
        sentence = answer(first)
        assert sentence == "digits has other images than when this run was asked for; ask for it again"
        assert one.progress(stranger.id)["state"] == "failed"
        assert one.progress(stranger.id)["message"] == sentence
        assert sentence in one.log(stranger.id)
        assert not one.has(stranger.id)

        (tmp_path / "file").touch()
        first.stdin.write(json.dumps(request_for(spec, tmp_path / "file")) + "\n")
        first.stdin.flush()
        assert "cannot write" in answer(first)

        # Each run has its own log, of its own process.
        logs = [one.log(spec.id), other.log(before.id), other.log(spec.id)]
        pids = [{json.loads(line)["pid"] for line in log.splitlines()} for log in logs]
        assert pids == [{first.pid}, {second.pid}, {second.pid}]
        for log in logs:
            assert [json.loads(line)["state"] for line in log.splitlines()].count("evaluating") == 1
        for process in (first, second):
            process.stdin.close()
            assert process.wait(30) == 0


def test_everything_of_a_finished_run_is_stored(tmp_path: Path) -> None:
    spec, store, heard = tiny(epochs=3), Store(tmp_path), []
    stored = run(spec, store, "cpu", heard.append)
    classes = {f"class:{i}" for i in range(10)} - {"class:1"}
    gens = {key for key in stored.scores if key.startswith("gen:")}
    assert {"gen:cutout", "gen:flip", "gen:invert"} <= gens
    assert set(stored.scores) == set(stored.codes) == {"train normal", "train augmented", "normal"} | classes | gens
    assert set(stored.result["auc"]) == classes | gens | {"rest"}
    assert all(0 <= value <= 1 for value in stored.result["auc"].values())
    assert {len(stored.scores[group]) for group in classes | gens | {"normal"}} == {20}
    assert {codes.shape[1] for codes in stored.codes.values()} == {8}
    # The views show no more of the training images than of the test normals.
    assert {len(stored.scores[group]) for group in ("train normal", "train augmented")} == {20}
    assert len(stored.result["loss"]) == 3
    assert stored.result["training_images"] == 64
    assert 0 < stored.result["train_seconds"] <= stored.result["seconds"]
    assert stored.result["images_per_second"] == pytest.approx(3 * 64 / stored.result["train_seconds"])
    assert {path.name for path in stored.path.iterdir()} == {
        *("spec.json", "result.json", "weights.safetensors", "scores.npz", "codes.npz", "history.npz")
    }  # and the log, of a process of its own
    states = [progress["state"] for progress in heard]
    assert states[0] == "starting"
    assert states[-1] == "evaluating"
    epochs = [progress for progress in heard if progress["state"] == "training"]
    assert sorted({len(progress["loss"]) for progress in epochs} | {0}) == [0, 1, 2, 3]
    assert epochs[-1]["loss"] == stored.result["loss"]
    assert (epochs[-1]["seconds_left"], epochs[-1]["done"]) == (0, 1)
    shares = [progress["done"] for progress in heard if progress["state"] == "evaluating"]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    assert [epoch for epoch, _ in epochs[-1]["auc"]["rest"]] == stored.history["epochs"].tolist()


def test_a_long_epoch_is_reported_as_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssad_core.worker.REPORT_EVERY", 0.0)
    spec, heard = tiny(epochs=1), []
    run(spec, Store(tmp_path), "cpu", heard.append)
    steps = [progress for progress in heard if progress["state"] == "training" and progress["epoch"] == 0]
    count = -(-spec.settings.limit // spec.settings.batch_size)
    assert [progress["done"] for progress in steps] == [(k + 1) / count for k in range(count)]
    assert all(progress["images_per_second"] > 0 for progress in steps)


PARENT = """
import json, sys, time
from ssad_core.jobs import Jobs
from ssad_core.spec import RANGES, RunSpec
service = Jobs()
service.submit(RunSpec.from_dict(json.loads(sys.argv[1])))
print("submitted", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("how", ["kill -9", "its end"])
def test_it_ends_when_its_parent_does(how: str) -> None:
    store, spec = Store(), tiny(epochs=FOREVER)
    parent = python("-c", PARENT, json.dumps(spec.to_dict()), stdin=subprocess.PIPE)
    assert parent.stdout.readline() == "submitted\n", parent.stderr.read()
    child = trainer(store, spec.id)
    assert child not in (parent.pid, os.getpid())
    assert alive(child)
    if how == "kill -9":
        parent.kill()
    else:
        parent.stdin.close()
    assert parent.wait(10) == (-signal.SIGKILL if how == "kill -9" else 0)
    wait(lambda: not alive(child), seconds=2)
    assert store.progress(spec.id)["state"] == "interrupted"
    assert "ended before it was done" in store.progress(spec.id)["message"]
    assert store.progress(spec.id)["epoch"] >= 1  # how far it had come is not forgotten
    assert store.log(spec.id)
    assert not store.has(spec.id)


def test_a_loss_that_is_no_number_fails_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RANGES, "learning_rate", (0.0, 1e39))  # no allowed one is bad enough
    store, spec = Store(), tiny(learning_rate=1e38)
    with pytest.raises(
        TrainingFailed, match=r"The loss became nan in epoch 1; a learning rate below 1e\+38 may help\."
    ):
        run(spec, store, "cpu")
    assert not store.has(spec.id)
    assert store.progress(spec.id)["state"] == "failed"
    assert store.progress(spec.id)["message"].startswith("The loss became nan in epoch 1")
    assert not store.is_locked(spec.id)


def test_ctrl_c_leaves_an_interrupted_run(tmp_path: Path) -> None:
    store, spec = Store(tmp_path), tiny()

    def press(progress: dict[str, object]) -> None:
        if progress["state"] == "training":
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(spec, store, "cpu", press)
    assert store.progress(spec.id)["state"] == "interrupted"
    assert run(spec, store, "cpu").spec == spec


def test_a_notebook_outlives_a_cancelled_training(tmp_path: Path, one_thread: None) -> None:
    store, spec = Store(tmp_path), tiny(epochs=FOREVER)
    torch.set_num_threads(3)
    torch.backends.cudnn.benchmark = True

    def settings() -> tuple[object, ...]:
        cudnn = torch.backends.cudnn
        return torch.get_num_threads(), cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark

    before, within = settings(), set()

    def cancel(progress: dict[str, object]) -> None:
        within.add(settings())
        if progress["state"] == "training":
            store.ask_to_cancel(spec.id)

    with pytest.raises(TrainingFailed, match=r"^Cancelled\.$"):
        run(spec, store, "cpu", cancel)
    assert store.progress(spec.id)["state"] == "cancelled"
    assert not store.is_locked(spec.id)
    assert within == {before, (1, False, True, False)}
    assert settings() == before


def test_bad_input_is_said_before_anything_is_trained(tmp_path: Path) -> None:
    store, spec = Store(tmp_path), tiny()
    with pytest.raises(BadInput, match="device must be"):
        run(spec, store, "tpu")
    assert store.progress(spec.id)["state"] == "failed"
    stranger = replace(spec, fingerprint="f" * 16)
    with pytest.raises(BadInput, match="other images"):
        run(stranger, store, "cpu")


def test_a_child_trains_on_the_gpu_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two that are not there: which one "cuda" would be."""
    chosen = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    for gpu in (0, 1, 2, None):
        assert worker_module._answer(request_for(tiny(), tmp_path, gpu)) is None
    assert chosen == [0, 1, 0]


def test_a_child_trains_with_as_many_threads_as_it_was_given(tmp_path: Path) -> None:
    """Also one that was to train on a GPU, and finds none: others have the cores."""
    assert worker_module._answer(request_for(tiny(**WIDE), tmp_path, threads=3)) is None
    assert Store(tmp_path).load(tiny(**WIDE).id).result["machine"]["threads"] == 3


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="a process is kept to some cores on Linux only")
def test_a_training_takes_the_cores_that_its_process_may_use(tmp_path: Path) -> None:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert run(tiny(**WIDE), Store(tmp_path), "cpu").result["machine"]["threads"] == 1
    finally:
        os.sched_setaffinity(0, allowed)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("detector", DETECTORS)
@pytest.mark.parametrize("aug", ["rotate", "simclr"])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_run_on_cuda_scores_as_its_weights_do_on_the_cpu(detector: str, aug: str, precision: str) -> None:
    sizes = settings_for("quick", detector, aug=aug, epochs=2, features=8, hidden=16, limit=64, test_limit=40)
    spec = Question(detector=detector, augment=aug, settings=sizes, precision=precision).run(load("photos"))
    stored = run(spec, Store(), "cuda")
    assert stored.result["machine"]["device_type"] == "cuda"
    found = examine_stored(stored, to_float(Samples.of(spec, load("photos")).test_normal()))
    # In float32 on both, whatever it was trained in; a score may be the small difference of larger numbers.
    scale = np.abs(stored.scores["normal"]).max()
    np.testing.assert_allclose(found.scores, stored.scores["normal"], rtol=1e-3, atol=1e-4 * scale)
    np.testing.assert_allclose(found.codes, stored.codes["normal"], rtol=1e-3, atol=1e-4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("detector", DETECTORS)
def test_a_run_on_cuda_repeats_to_the_bit(detector: str, tmp_path: Path) -> None:
    sizes = settings_for("quick", detector, aug="simclr", epochs=2, features=8, hidden=16, limit=64, test_limit=40)
    spec = Question(detector=detector, augment="simclr", settings=sizes).run(load("photos"))
    assert_same_bits(*(run(spec, Store(tmp_path / name), "cuda") for name in ("one", "other")))
