"""Trains one run, whole: lock, train, evaluate, publish. `python -m ssad_core.worker` does it in a process of its own.

The process first gets ready (torch imported, one dummy step done), then takes one JSON line after the other from its
standard input, {"spec": ..., "cache": ..., "device": ..., "gpu": number or null, "threads": number}, trains, and answers
with one, {"error": sentence or null}. So a spare one can wait for the next run. Its standard input stays open as long as
its parent lives: at its end the process ends at once, however the parent died.
"""

from __future__ import annotations

import json
import os
import platform
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import torch
from safetensors.torch import save_file

from . import detectors
from .children import CANCELLED
from .data import load, look_again
from .errors import BadInput
from .evaluate import Live, evaluate
from .machine import cores
from .samples import Samples, to_float
from .spec import RunSpec
from .store import CANCEL_FILE, Busy, Store, StoredRun, Workspace
from .train import Adam, Curve, TrainingFailed, choose_device, prepared, train

Progress = Callable[[dict[str, Any]], None]
REPORT_EVERY = 1.0  # seconds between two reports within an epoch


def run(
    spec: RunSpec,
    store: Store,
    device: str = "auto",
    on_progress: Progress = lambda progress: None,
    end: Callable[[], None] | None = None,
    threads: int | None = None,
) -> StoredRun:
    """The stored run of a spec: loaded when it is there, awaited when another process trains it, else trained here.

    ``on_progress`` gets every progress that is also written for other processes to see. ``end`` is called, in a thread of
    its own, when somebody cancels the training: `end_process` where the process is there for nothing else. Without it
    TrainingFailed is raised after the step that goes on. ``threads`` are those that it takes on a CPU, by default what its
    settings make of all `cores`. torch's settings are as before in the end (`train.prepared`), its global generator is not:
    the seed is the run's.

    Raises BadInput, TrainingFailed (also written into the run's progress, with the log kept) or OSError.
    """
    while not store.has(spec.id):
        try:
            with store.begin(spec) as work:
                if work is not None:
                    return _train(spec, work, device, on_progress, end, threads or spec.settings.threads(cores()))
        except Busy:
            _await(spec.id, store, on_progress)
    return store.load(spec.id)


def _await(run_id: str, store: Store, on_progress: Progress) -> None:
    """Waits until the process that trains the run lets go of it. TrainingFailed when it failed or was cancelled."""
    while store.is_locked(run_id):
        if progress := store.progress(run_id):
            on_progress(progress)
        time.sleep(0.2)
    progress = store.progress(run_id)
    if progress.get("state") in ("failed", "cancelled"):
        raise TrainingFailed(progress["message"])
    if store.asked_to_cancel(run_id):  # it will be said in a moment, by whoever asked
        raise TrainingFailed(CANCELLED)


def _train(
    spec: RunSpec,
    work: Workspace,
    device_name: str,
    on_progress: Progress,
    end: Callable[[], None] | None,
    threads: int,
) -> StoredRun:
    started = time.time()
    over, cancelled, settings = threading.Event(), threading.Event(), ExitStack()
    watch = work.path / CANCEL_FILE, over, end or cancelled.set
    threading.Thread(target=_watch_cancel, args=watch, daemon=True).start()

    def go_on() -> None:
        if cancelled.is_set():
            raise TrainingFailed(CANCELLED)

    said = 0.0

    def report(state: str, **values: Any) -> None:
        nonlocal said
        go_on()
        said = time.monotonic()
        progress = {"state": state, "epochs": spec.settings.epochs, "started": started, "pid": os.getpid(), **values}
        work.progress(**progress)
        on_progress(progress)

    try:
        report("starting", message="Reading the images.")
        device = choose_device(device_name)
        settings.enter_context(prepared(device, threads))
        look_again()
        dataset = load(spec.dataset, lambda done, text: report("starting", message=text, done=done))
        if dataset.fingerprint != spec.fingerprint:
            raise BadInput(f"{spec.dataset} has other images than when this run was asked for; ask for it again")
        samples = Samples.of(spec, dataset)
        images = to_float(samples.train_normal())
        live = Live.of(samples, spec)
        auc: dict[str, list[tuple[int, float]]] = {}

        def latest(curve: Curve) -> dict[str, Any]:  # copies: what was reported does not change any more
            return {
                "epoch": curve.epoch,
                "done": curve.done,
                "loss": list(curve.loss),
                "auc": {kind: list(values) for kind, values in auc.items()},
                "monitor": {name: list(values) for name, values in curve.monitor.items()},
                "warning": curve.warning,
                "images_per_second": curve.images_per_second,
                "seconds_left": curve.seconds_left,
            }

        def on_epoch(detector: detectors.Detector, curve: Curve) -> None:
            if live.due(curve.epoch, spec.settings.epochs):
                live.evaluate(detector, curve.epoch)
                work.arrays("history", live.arrays())
                for kind, value in live.auc().items():
                    auc.setdefault(kind, []).append((curve.epoch, value))
            report("training", **latest(curve))

        def on_step(curve: Curve) -> None:
            go_on()
            if time.monotonic() - said > REPORT_EVERY:
                report("training", **latest(curve))

        detector, curve = train(spec, images, device, on_epoch, on_step)
        evaluation = evaluate(
            detector, samples, spec, lambda done: report("evaluating", **{**latest(curve), "done": done})
        )
        work.arrays("scores", evaluation.scores)
        work.arrays("codes", evaluation.codes)
        weights = {name: value.cpu().contiguous() for name, value in detector.network.state_dict().items()}
        save_file(weights, work.path / "weights.safetensors")
        return work.publish(
            {
                "auc": evaluation.auc,
                "loss": curve.loss,
                "live_auc": auc,
                "monitor": curve.monitor,
                "warning": curve.warning,
                "train_seconds": curve.seconds,
                "began": curve.began,
                "seconds": time.time() - started,
                "images_per_second": curve.images_per_second,
                "training_images": len(images),
                "finished": time.time(),
                "machine": {
                    "device": torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine(),
                    "device_type": device.type,
                    "threads": torch.get_num_threads(),
                    "torch": torch.__version__,
                    "python": platform.python_version(),
                },
            }
        )
    except Exception as error:
        # Not of KeyboardInterrupt: that run reads "interrupted", as of any process that ends too soon.
        work.failed(sentence(error), epochs=spec.settings.epochs)
        raise
    finally:
        over.set()
        settings.close()


def sentence(error: BaseException) -> str:
    """One sentence for a person: our own words where we have some, else the kind of the error and its first line."""
    if isinstance(error, BadInput | TrainingFailed):
        return str(error)
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return "The memory was not enough; fewer features, a smaller batch or another device may help."
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"


def _watch_cancel(file: Path, over: threading.Event, act: Callable[[], None]) -> None:
    while not over.wait(0.1):
        if file.exists():
            act()
            break


def end_process() -> NoReturn:
    """Ends this process at once, as `run`'s ``end``: a step of a large network cannot be broken off otherwise."""
    print("\nssad_core: the training was cancelled", file=sys.stderr, flush=True)
    os._exit(1)


def warm_up(device: torch.device) -> None:
    """Does everything once that is slow the first time. What cannot be done, as where others have all of a GPU's memory, is
    left to the training, which will say so."""
    with suppress(RuntimeError), prepared(device, 1):
        _step(device)


def _step(device: torch.device) -> None:
    settings = detectors.settings_for("quick")
    detector = detectors.build(RunSpec("photos", "", 0, "dae", "identity", (), settings), channels=3)
    detector.network.to(device, memory_format=torch.channels_last)
    x = torch.rand(settings.batch_size, 3, 32, 32, device=device)
    optimiser = Adam(detector.network.parameters())
    copy = torch.zeros(len(x), dtype=torch.long, device=device)
    detector.loss(x, copy, torch.Generator(device)).backward()
    optimiser.step(settings.learning_rate)


def serve() -> None:
    """Trains what comes in, line by line, and answers each with one line, until its standard input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # only answers may reach the parent, whatever a library prints
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    torch.set_num_threads(1)  # while it waits, whatever the device
    warm_up(choose_device())
    while True:
        answers.write(json.dumps({"error": _answer(json.loads(lines.get()))}) + "\n")


def _read(lines: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)  # the parent is gone


def _answer(request: dict[str, Any]) -> str | None:
    """Trains what is asked for; the sentence that says why not, or None."""
    try:
        spec, store = RunSpec.from_dict(request["spec"]), Store(Path(request["cache"]))
        gpu = request["gpu"]
        if gpu is not None and torch.cuda.is_available():  # "cuda" is this one from here on
            torch.cuda.set_device(gpu % torch.cuda.device_count())  # without torch more may have been counted
        with _log(store.work(spec.id) / "log.txt") as on_progress:
            run(spec, store, request["device"], on_progress, end_process, request["threads"])
        return None
    except Exception as error:
        return sentence(error)
    finally:
        with suppress(
            RuntimeError
        ):  # after some errors of a GPU nothing can be done on it any more: the first one is said
            torch.cuda.empty_cache()  # for the others that train on it; without a GPU this does nothing


@contextmanager
def _log(file: Path) -> Iterator[Progress]:
    """Has everything that is printed written to the file, from the first progress of a training of this process on: the
    run's workspace, where the file lies, exists only once this process holds the run's lock."""
    kept, begun, written = os.dup(2), False, None

    def on_progress(progress: dict[str, Any]) -> None:
        nonlocal begun, written
        if not begun and progress.get("pid") == os.getpid():
            log = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.close(log)
            begun = True
        step = [progress.get(key) for key in ("state", "message", "epoch")]
        if begun and step != written:
            print(json.dumps({k: v for k, v in progress.items() if k not in ("loss", "auc", "monitor")}), flush=True)
            written = step

    try:
        yield on_progress
    except Exception as error:
        if not isinstance(error, BadInput | TrainingFailed):
            traceback.print_exc()
        print(sentence(error), file=sys.stderr, flush=True)
        raise
    finally:
        os.dup2(kept, 1)
        os.dup2(kept, 2)
        os.close(kept)


if __name__ == "__main__":
    serve()
