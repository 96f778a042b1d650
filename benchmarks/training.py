"""Training a DAE: our loop, in both precisions, against a textbook one (`textbook.py`), in turn, in one call.

    python -m benchmarks.training [--size paper] [--augs flip simclr] [--epochs N] [--repeats 3]

Same network, batch, epochs and schedule, on CIFAR-10's 5,000 Automobiles; the textbook's images come from two workers,
beside a GPU from twelve. Each training has a process of its own, ours set up as the app sets it up. Prints images per second
of the whole loop (start-up apart), the ratio with its range, final loss and AUC on gen Flip of all sides over the seeds, and
each side's share of the machine's matrix limit: a product of two large matrices in its precision, measured in the same call.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import textbook
from benchmarks.turns import ratio, spread
from ssad_core.children import CHILD_ENVIRONMENT
from ssad_core.data import load
from ssad_core.detectors import build, settings_for
from ssad_core.machine import cores
from ssad_core.question import Question
from ssad_core.samples import Samples, to_float
from ssad_core.spec import PRECISIONS, Anomaly, RunSpec
from ssad_core.statistics import auc
from ssad_core.train import choose_device, prepared, train
from ssad_core.worker import warm_up

# Of each size: features, batch, and the epochs that are enough to compare on a CPU.
SIZES = {"paper": (64, 1024, 2), "small": (16, 256, 8)}
# Images/s that a good textbook loop reaches on two cores with a matrix limit of 175 GFLOP/s: ours must have 80% of it,
# scaled to this machine's limit, or the ratio does not count. (Beside a GPU it waits for its workers, whatever the limit.)
GOOD_PEER = {("paper", "flip"): 460, ("paper", "simclr"): 380, ("small", "flip"): 2940, ("small", "simclr"): 790}
GOOD_LIMIT = 175e9

TEXTBOOK = "textbook"
SIDES = (*PRECISIONS, TEXTBOOK)  # ours by its precision


def matrix_limit(precision: str, device: torch.device) -> float:
    """Floating-point operations a second of a product of two square matrices, large for the device; the best of twenty."""
    n = 8192 if device.type == "cuda" else 2048
    a, b = torch.rand(2, n, n, device=device).to(getattr(torch, precision))
    best = float("inf")
    for _ in range(20):
        start = time.perf_counter()
        (a @ b)[0, 0].item()
        best = min(best, time.perf_counter() - start)
    return 2 * n**3 / best


def operations(spec: RunSpec) -> int:
    """Floating-point operations of the network for one image and step, forwards and backwards."""
    images = torch.rand(2, 3, 32, 32)
    detector = build(spec.baseline(), 3)
    with FlopCounterMode(display=False) as counter:
        detector.loss(images, torch.zeros(2, dtype=torch.long), torch.Generator()).backward()
    return counter.get_total_flops() // 2


def question(size: str, aug: str, epochs: int | None, seed: int, side: str) -> Question:
    features, batch, enough = SIZES[size]
    enough = 256 if torch.cuda.is_available() else enough
    paper = settings_for("paper", "dae", "cifar10")
    settings = replace(paper, features=features, batch_size=batch, epochs=epochs or enough)
    precision = side if side in PRECISIONS else "float32"
    return Question("cifar10", "Automobile", augment=aug, settings=settings, seed=seed, precision=precision)


def one_side(side: str, asked: Question) -> dict[str, Any]:
    """Trains and evaluates once, in this process."""
    dataset, device = load("cifar10"), choose_device()
    spec = asked.run(dataset)
    samples = Samples.of(spec, dataset)
    images = samples.train_normal()
    if side != TEXTBOOK:
        warm_up(device)
        with prepared(device, spec.settings.threads(cores())):
            detector, curve = train(spec, to_float(images), device)
        network, speed, loss = detector.network, curve.images_per_second, curve.loss[-1]
    else:
        workers = 12 if device.type == "cuda" else 2
        network, speed, loss = textbook.train_dae(images, spec.augment, spec.settings, spec.seed, device, workers)
    groups = to_float(samples.test_normal()), samples.anomalous(Anomaly("gen", "flip"), spec.profile)
    scores = []
    with torch.no_grad():
        for group in groups:
            parts = [(network(x.to(device)) - x.to(device)).square().flatten(1).mean(1) for x in group.split(500)]
            scores.append(torch.cat(parts).cpu().numpy())
    return {"speed": speed, "loss": loss, "auc": auc(*scores)}


def in_own_process(side: str, size: str, aug: str, epochs: int | None, seed: int) -> dict[str, Any]:
    options = ["--side", side, "--size", size, "--augs", aug, "--seed", str(seed)]
    options += ["--epochs", str(epochs)] if epochs else []
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.training", *options],
        env={**os.environ, **(CHILD_ENVIRONMENT if side != TEXTBOOK else {})},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def compare(size: str, aug: str, epochs: int | None, repeats: int, limits: dict[str, float]) -> None:
    asked = question(size, aug, epochs, 0, TEXTBOOK)
    step = operations(asked.run(load("cifar10")))
    found: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for seed in range(repeats):
        for side, results in found.items():
            results.append(in_own_process(side, size, aug, epochs, seed))
    print(f"{size} size, {aug}, {asked.settings.epochs} epochs, {step / 1e6:.1f} MFLOP an image and step")
    speeds = {side: [result["speed"] for result in results] for side, results in found.items()}
    for side, results in found.items():
        speed = statistics.median(speeds[side])
        line = (
            f"  {side:9}{speed:7.0f} images/s, {speed * step / limits.get(side, limits['float32']):4.0%} of the limit"
        )
        line += f", loss {spread([r['loss'] for r in results], 4)}, AUC {spread([r['auc'] for r in results])}"
        print(line)
    print("  ratio", ", ".join(f"{side} {ratio(speeds[side], speeds[TEXTBOOK])}" for side in PRECISIONS), end="")
    if (good := GOOD_PEER.get((size, aug))) and choose_device().type == "cpu":
        share = statistics.median(speeds[TEXTBOOK]) / (good * limits["float32"] / GOOD_LIMIT)
        print(f"; the peer has {share:.0%} of a good one's speed on two such cores", end="")
    print(flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=list(SIZES), default="small")
    parser.add_argument("--augs", nargs="+", choices=list(textbook.TRANSFORMS), default=["flip", "simclr"])
    parser.add_argument("--epochs", type=int, help="default: 2 at paper size, 8 of the small one, 256 on a GPU")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--side", choices=SIDES, help="train this side once, and print its result as JSON")
    parser.add_argument("--seed", type=int, default=0, help="of --side")
    args = parser.parse_args()
    if args.side:
        print(json.dumps(one_side(args.side, question(args.size, args.augs[0], args.epochs, args.seed, args.side))))
        return
    limits = {precision: matrix_limit(precision, choose_device()) for precision in PRECISIONS}
    measured = ", ".join(f"{limit / 1e9:.0f} GFLOP/s in {precision}" for precision, limit in limits.items())
    print(f"matrix limit {measured} ({cores()} cores, {choose_device().type})")
    for aug in args.augs:
        compare(args.size, aug, args.epochs, args.repeats, limits)


if __name__ == "__main__":
    main()
