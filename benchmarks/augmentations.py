"""Augmentation alone, on one CPU thread: our batched kernels against torchvision's transforms on PIL images, one by one.

    python -m benchmarks.augmentations [--repeats 5]

A batch of 1024 CIFAR-sized images, both sides in turn in one call: ours draws and applies on float tensors that are there
already; theirs ends with to_tensor, as in a textbook loop. Prints milliseconds (medians) and the ratio with its range.
CutPaste and CutPaste-scar have no transform in torchvision and stand alone.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torchvision import transforms as T
from torchvision.transforms import functional as F

from ssad_core import augment

N = 1024
JITTER = T.ColorJitter(0.8, 0.8, 0.8, 0.2)


def turn(image: object) -> object:
    return F.rotate(image, 90 * int(torch.randint(4, ())))


def move(image: object) -> object:
    dx, dy = ((8, 0), (-8, 0), (0, 8), (0, -8))[int(torch.randint(4, ()))]
    return F.affine(image, angle=0, translate=[dx, dy], scale=1, shear=[0, 0])


TEXTBOOK: dict[str, list[Callable]] = {
    "identity": [T.ToTensor()],
    "rotate": [turn, T.ToTensor()],
    "crop": [T.RandomResizedCrop(32), T.ToTensor()],
    "flip": [T.RandomVerticalFlip(), T.ToTensor()],
    "geom": [turn, T.RandomVerticalFlip(), move, T.ToTensor()],
    "cutout": [T.ToTensor(), T.RandomErasing(p=1.0)],
    "noise": [T.ToTensor(), lambda x: x + 0.1 * torch.randn_like(x)],
    "mask": [T.ToTensor(), lambda x: x * (torch.rand(1, 32, 32) >= 0.2)],
    "blur": [T.GaussianBlur(3, (0.1, 2.0)), T.ToTensor()],
    "color": [JITTER, T.ToTensor()],
    "invert": [T.RandomInvert(), T.ToTensor()],
    "simclr": [
        T.RandomResizedCrop(32),
        T.RandomHorizontalFlip(),
        T.RandomApply([JITTER], p=0.8),
        T.RandomGrayscale(p=0.2),
        T.GaussianBlur(3, (0.1, 2.0)),
        T.ToTensor(),
    ],
}


def one_by_one(transform: Callable, pictures: list) -> torch.Tensor:
    return torch.stack([transform(picture) for picture in pictures])


def seconds(function: Callable, *arguments: object) -> float:
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


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
        transform = T.Compose(TEXTBOOK[name]) if name in TEXTBOOK else None
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
            ratios = sorted(b / a for a, b in pairs)
            line += f" {1000 * statistics.median(b for _, b in pairs):8.0f} ms"
            line += f"  {statistics.median(ratios):6.1f} x ({ratios[0]:.1f} to {ratios[-1]:.1f})"
        print(line, flush=True)


if __name__ == "__main__":
    main()
