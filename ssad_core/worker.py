"""Trains one run, whole: lock, train, evaluate, publish. `python -m ssad_core.worker` does it in a process of its own.

The process first gets ready (torch imported, one dummy step done), then takes one JSON line after the other from its
standard input, {"spec": ..., "cache": ..., "device": ...}, trains, and answers with one line. So a spare one can wait
for the next run. Its standard input stays open as long as its parent lives: at its end the process ends at once,
however the parent died.
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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from . import detectors
from .data import load
from .errors import BadInput
from .evaluate import Live, evaluate
from .samples import Samples, to_float
from .spec import PRESETS, RunSpec
from .store import CANCEL_FILE, Busy, Store, StoredRun, Workspace
from .train import Curve, TrainingFailed, choose_device, optimiser, prepare, train

Progress = Callable[[dict[str, Any]], None]


def run(spec: RunSpec, store: Store, device: str = "auto", on_progress: Progress = lambda progress: None) -> StoredRun:
    """The stored run of a spec: loaded when it is there, awaited when another process trains it, else trained here.

    ``on_progress`` gets every progress that is also written for other processes to see.

    Raises BadInput, TrainingFailed (also written into the run's progress, with the log kept) or OSError.
    """
    while not store.has(spec.id):
        try:
            with store.begin(spec) as work:
                if store.has(spec.id):
                    break
                return _train(spec, store, work, device, on_progress)
        except Busy:
            if progress := store.progress(spec.id):
                on_progress(progress)
            time.sleep(0.2)
            state = store.progress(spec.id).get("state")
            if not store.is_locked(spec.id) and state in ("failed", "cancelled"):
                raise TrainingFailed(f"The other process that trained this run says: {state}.") from None
    return store.load(spec.id)


def _train(spec: RunSpec, store: Store, work: Workspace, device_name: str, on_progress: Progress) -> StoredRun:
    started = time.time()
    threading.Thread(target=_watch_cancel, args=(work.path / CANCEL_FILE,), daemon=True).start()

    def report(state: str, **values: Any) -> None:
        progress = {"state": state, "epochs": spec.settings.epochs, "started": started, "pid": os.getpid(), **values}
        work.progress(**progress)
        on_progress(progress)

    try:
        report("starting", message="Reading the images.")
        device = choose_device(device_name)
        threads = spec.settings.threads(os.cpu_count() or 1)
        prepare(device, threads)
        dataset = load(spec.dataset, lambda done, text: report("starting", message=text, done=done))
        if dataset.fingerprint != spec.fingerprint:
            raise BadInput(f"{spec.dataset} has other images than when this run was asked for; ask for it again")
        samples = Samples.of(spec, dataset)
        images = to_float(samples.train_normal())
        live = Live.of(samples, spec.profile)
        auc: dict[str, list[tuple[int, float]]] = {}

        def on_epoch(detector: detectors.Detector, curve: Curve) -> None:
            if live.due(curve.epoch, spec.settings.epochs):
                live.evaluate(detector, curve.epoch)
                work.arrays("history", live.arrays())
                for kind, value in live.auc().items():
                    auc.setdefault(kind, []).append((curve.epoch, value))
            report("training", **_describe(curve), auc=auc)

        detector, curve = train(spec, images, device, on_epoch)
        report("evaluating", **_describe(curve), auc=auc)
        evaluation = evaluate(detector, samples, spec)
        work.arrays("scores", evaluation.scores)
        work.arrays("codes", evaluation.codes)
        weights = {name: value.cpu().contiguous() for name, value in detector.network.state_dict().items()}
        save_file(weights, work.path / "weights.safetensors")
        return work.publish(
            {
                "auc": evaluation.auc,
                "loss": curve.loss,
                "live_auc": auc,
                "train_seconds": curve.seconds,
                "seconds": time.time() - started,
                "images_per_second": curve.images_per_second,
                "training_images": len(images),
                "finished": time.time(),
                "machine": {
                    "device": torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine(),
                    "device_type": device.type,
                    "threads": threads,
                    "torch": torch.__version__,
                    "python": platform.python_version(),
                },
            }
        )
    except BaseException as error:
        work.progress(state="failed", message=sentence(error), epochs=spec.settings.epochs)
        raise


def _describe(curve: Curve) -> dict[str, Any]:
    return {
        "epoch": curve.epoch,
        "loss": curve.loss,
        "images_per_second": curve.images_per_second,
        "seconds_left": curve.seconds_left,
    }


def sentence(error: BaseException) -> str:
    """One sentence for a person: our own words where we have some, else the kind of the error and its first line."""
    if isinstance(error, BadInput | TrainingFailed):
        return str(error)
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return "The memory was not enough; fewer features, a smaller batch or another device may help."
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted."
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"


def _watch_cancel(file: Path) -> None:
    """Ends this process at once when asked to: a step of a large network cannot be broken off otherwise."""
    while file.parent.is_dir():
        if file.exists():
            print("Cancelled.", file=sys.stderr, flush=True)
            os._exit(130)
        time.sleep(0.1)


def warm_up() -> None:
    """Does everything once that is slow the first time: imports of the optimiser, kernels, the embedded images."""
    settings = PRESETS["quick"]
    detector = detectors.DETECTORS["dae"].build(3, settings)
    detector.network.to(memory_format=torch.channels_last)
    x = torch.rand(settings.batch_size, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    adam = optimiser(detector.network.parameters(), settings)
    detector.loss(x, x).backward()
    adam.step()


def serve() -> None:
    """Trains what comes in, line by line, and answers each with one line, until its standard input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    torch.set_num_threads(1)
    warm_up()
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    while True:
        request = json.loads(lines.get())
        spec, store = RunSpec.from_dict(request["spec"]), Store(Path(request["cache"]))
        answers.write(json.dumps(_answer(spec, store, request["device"])) + "\n")


def _read(lines: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)  # the parent is gone


def _answer(spec: RunSpec, store: Store, device: str) -> dict[str, Any]:
    log = None

    def on_progress(progress: dict[str, Any]) -> None:
        # The log lies in the run's workspace, which exists only once this process holds the run's lock.
        nonlocal log
        if log is None and progress.get("pid") == os.getpid():
            log = os.open(store.work(spec.id) / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.close(log)
        print(json.dumps({k: v for k, v in progress.items() if k not in ("loss", "auc")}), flush=True)

    try:
        run(spec, store, device, on_progress)
    except Exception as error:
        if not isinstance(error, BadInput | TrainingFailed):
            traceback.print_exc()
        print(sentence(error), file=sys.stderr, flush=True)
        return {"run": spec.id, "error": sentence(error)}
    return {"run": spec.id, "error": None}


if __name__ == "__main__":
    serve()
