"""How cost grows at 1, 2, 4 and 8 times the work, with the exponent: seconds ~ work ** exponent.

    python -m benchmarks.growth

Four epochs of the DAE (16 features, batch 256) over 625 to 5,000 images of CIFAR-10; two over 1,250 images with 16 to 45
features, so that a step has 1 to 8 times the operations; t-SNE of 500 to 4,000 points. Memory is what the process holds at
the end of each.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import psutil
import torch

from benchmarks.training import operations
from benchmarks.turns import seconds
from ssad_core.data import load
from ssad_core.detectors import settings_for
from ssad_core.embedding import tsne
from ssad_core.machine import cores
from ssad_core.question import Question
from ssad_core.samples import Samples, to_float
from ssad_core.train import choose_device, prepared, train

TIMES = (1, 2, 4, 8)


def table(what: str, work: list[float], run: Callable[[int], None]) -> None:
    """Runs the k-th size and prints seconds and memory of each, and the slope of log seconds over log work."""
    run(0)  # what is slow the first time
    taken = []
    for k, amount in enumerate(work):
        taken.append(seconds(run, k))
        held = psutil.Process().memory_info().rss / 1e6
        print(f"{what}: {amount / work[0]:5.1f} x  {taken[-1]:7.2f} s  {held:6.0f} MB", flush=True)
    exponent = np.polyfit(np.log(work), np.log(taken), 1)[0]
    print(f"{what}: exponent {exponent:.2f}", flush=True)


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    device = choose_device()
    with prepared(device, cores()):
        measure(device)


def measure(device: torch.device) -> None:
    """Prints a table each of growing images, operations and points."""
    dataset = load("cifar10")
    paper = settings_for("paper", "dae", "cifar10")
    base = Question("cifar10", "Automobile", augment="flip").run(dataset)
    images = to_float(Samples.of(replace(base, settings=paper), dataset).train_normal())

    sizes = [len(images) * t // 8 for t in TIMES]
    small = replace(paper, features=16, batch_size=256, epochs=4)
    spec = replace(base, settings=small)
    table("images", [float(n) for n in sizes], lambda k: train(spec, images[: sizes[k]], device) and None)

    widths = [round(16 * t**0.5) for t in TIMES]
    specs = [replace(base, settings=replace(small, features=width, epochs=2)) for width in widths]
    work = [float(operations(spec)) for spec in specs]
    table("operations a step", work, lambda k: train(specs[k], images[: sizes[1]], device) and None)

    points = np.random.default_rng(0).normal(size=(500 * TIMES[-1], 128)) + 3 * torch.randint(4, (4000, 1)).numpy()
    table("t-SNE points", [500.0 * t for t in TIMES], lambda k: tsne(points[: 500 * TIMES[k]]) is None)


if __name__ == "__main__":
    main()
