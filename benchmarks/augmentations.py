"""Augmentation alone, on the CPU: our batched kernels against torchvision's transforms on PIL images, one by one.

    python -m benchmarks.augmentations [--repeats 5]

A batch of 1024 CIFAR-sized images on one thread, both sides in turn in one call: ours draws and applies on float tensors that
are there already; theirs ends with to_tensor, as in a textbook loop. Prints milliseconds (medians) and the ratio with its
range; then, on all cores as in training, what share of a step of 256 images the augmentation is, where DAE has 16 features.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable

import torch
from torch import Tensor
from torchvision.transforms import functional as F

from benchmarks import textbook
from benchmarks.turns import ratio, seconds
from ssad_core import augment
from ssad_core.detectors import build, settings_for
from ssad_core.machine import cores
from ssad_core.spec import PRECISIONS, RunSpec
from ssad_core.train import Adam

N, BATCH = 1024, 256


def one_by_one(transform: Callable, pictures: list) -> torch.Tensor:
    return torch.stack([transform(picture) for picture in pictures])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    x = torch.rand(N, 3, 32, 32)
    batch, pictures = x[:BATCH], [F.to_pil_image(image) for image in x]
    generator = torch.Generator().manual_seed(0)
    for name in augment.AUGMENTATIONS:
        ours, theirs = augment.get(name), textbook.transform(name)
        ours(x, generator)
        pairs = [(seconds(ours, x, generator), seconds(one_by_one, theirs, pictures)) for _ in range(repeats)]
        print(
            f"{name:14} {1000 * statistics.median(a for a, _ in pairs):8.1f} ms"
            f" {1000 * statistics.median(b for _, b in pairs):8.0f} ms  "
            f"{ratio([b for _, b in pairs], [a for a, _ in pairs])}",
            flush=True,
        )
    torch.set_num_threads(cores())  # from here on: an idle thread goes on waiting beside a single one
    for name in augment.AUGMENTATIONS:
        ours, shares = augment.get(name), []
        for precision in PRECISIONS:
            step = stepping(name, precision)
            found = [seconds(ours, batch, generator) / seconds(step, batch) for _ in range(4 * repeats)]
            shares.append(f"{statistics.median(found):4.0%} of a step in {precision}")
        print(f"{name:14} {', '.join(shares)}", flush=True)


def stepping(aug: str, precision: str) -> Callable[[Tensor], None]:
    """A training step, augmentation included, after two that are not counted."""
    settings = settings_for("paper", "dae", features=16, batch_size=BATCH)
    detector = build(RunSpec("cifar10", "", 0, "dae", aug, (), settings), 3)
    network = detector.network.to(memory_format=torch.channels_last).train()
    network.in_bfloat16 = precision == "bfloat16"
    optimiser, generator = Adam(network.parameters()), torch.Generator().manual_seed(0)

    def step(x: Tensor) -> None:
        detector.loss(x, torch.zeros(len(x), dtype=torch.long), generator).backward()
        optimiser.step(settings.learning_rate)

    for _ in range(2):
        step(torch.rand(BATCH, 3, 32, 32))
    return step


if __name__ == "__main__":
    main()
