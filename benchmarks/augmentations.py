"""Augmentation alone, on one CPU thread: our batched kernels against torchvision's transforms on PIL images, one by one.

    python -m benchmarks.augmentations [--repeats 5]

A batch of 1024 CIFAR-sized images, both sides in turn in one call: ours draws and applies on float tensors that are there
already; theirs ends with to_tensor, as in a textbook loop. Prints milliseconds (medians) and the ratio with its range.
CutPaste and CutPaste-scar have no transform in torchvision and stand alone.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable

import torch
from torchvision.transforms import functional as F

from benchmarks import textbook
from benchmarks.turns import ratio, seconds
from ssad_core import augment

N = 1024


def one_by_one(transform: Callable, pictures: list) -> torch.Tensor:
    return torch.stack([transform(picture) for picture in pictures])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    x = torch.rand(N, 3, 32, 32)
    pictures = [F.to_pil_image(image) for image in x]
    generator = torch.Generator().manual_seed(0)
    for name in augment.AUGMENTATIONS:
        ours = augment.get(name)
        transform = textbook.transform(name) if name in textbook.TRANSFORMS else None
        ours(x, generator)
        pairs = [
            (
                seconds(ours, x, generator),
                seconds(one_by_one, transform, pictures) if transform else None,
            )
            for _ in range(repeats)
        ]
        line = f"{name:14} {1000 * statistics.median(a for a, _ in pairs):8.1f} ms"
        if transform:
            line += f" {1000 * statistics.median(b for _, b in pairs):8.0f} ms"
            line += "  " + ratio([b for _, b in pairs], [a for a, _ in pairs])
        print(line, flush=True)


if __name__ == "__main__":
    main()
