"""The peer of our benchmarks: what a textbook would write with torchvision. Images one at a time, in workers of a DataLoader;
the same network, eager, in float32, which on CUDA is no TF32, as in our training."""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms as T
from torchvision.transforms import functional as F

from ssad_core.networks import ConvAE
from ssad_core.spec import Settings

JITTER = T.ColorJitter(0.8, 0.8, 0.8, 0.2)
OF_A_PATCH = T.ColorJitter(0.1, 0.1, 0.1, 0.1)


def turn(image: Image.Image) -> Image.Image:
    return F.rotate(image, 90 * int(torch.randint(4, ())))


def move(image: Image.Image) -> Image.Image:
    dx, dy = ((8, 0), (-8, 0), (0, 8), (0, -8))[int(torch.randint(4, ()))]
    return F.affine(image, angle=0, translate=[dx, dy], scale=1, shear=[0, 0])


def add_noise(x: Tensor) -> Tensor:
    return x + 0.1 * torch.randn_like(x)


def cover(x: Tensor) -> Tensor:
    return x * (torch.rand(1, *x.shape[1:]) >= 0.2)


def paste(image: Image.Image) -> Image.Image:
    area, wide = image.width * image.height * random.uniform(0.02, 0.15), random.random() < 0.5
    aspect = random.uniform(1, 3.3) if wide else random.uniform(0.3, 1)
    patch = cut(image, int((area * aspect) ** 0.5), int((area / aspect) ** 0.5))
    return put(image, patch, None)


def paste_scar(image: Image.Image) -> Image.Image:
    patch = cut(image, random.randint(10, 25), random.randint(2, 16)).convert("RGBA")
    turned = patch.rotate(random.uniform(-45, 45), expand=True)
    return put(image, turned.convert("RGB"), turned.split()[-1])


def cut(image: Image.Image, width: int, height: int) -> Image.Image:
    left, top = random.randint(0, image.width - width), random.randint(0, image.height - height)
    return OF_A_PATCH(image.crop((left, top, left + width, top + height)))


def put(image: Image.Image, patch: Image.Image, mask: Image.Image | None) -> Image.Image:
    room = max(0, image.width - patch.width), max(0, image.height - patch.height)
    image = image.copy()
    image.paste(patch, (random.randint(0, room[0]), random.randint(0, room[1])), mask)
    return image


# By augmentation, each from a PIL image to a tensor in [0, 1]; CutPaste and CutPaste-scar, which torchvision does not have,
# as one would write them with PIL.
TRANSFORMS: dict[str, list[Callable]] = {
    "identity": [T.ToTensor()],
    "rotate": [turn, T.ToTensor()],
    "crop": [T.RandomResizedCrop(32), T.ToTensor()],
    "flip": [T.RandomVerticalFlip(), T.ToTensor()],
    "geom": [turn, T.RandomVerticalFlip(), move, T.ToTensor()],
    "cutout": [T.ToTensor(), T.RandomErasing(p=1.0)],
    "cutpaste": [paste, T.ToTensor()],
    "cutpaste-scar": [paste_scar, T.ToTensor()],
    "noise": [T.ToTensor(), add_noise],
    "mask": [T.ToTensor(), cover],
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


def transform(aug: str) -> T.Compose:
    return T.Compose(TRANSFORMS[aug])


class Pairs(Dataset):
    """An image, augmented and as it is."""

    def __init__(self, images: np.ndarray, aug: str) -> None:
        self.images = [Image.fromarray(image.transpose(1, 2, 0)) for image in images]
        self.augment, self.plain = transform(aug), T.ToTensor()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        return self.augment(self.images[i]), self.plain(self.images[i])


def train_dae(
    images: np.ndarray, aug: str, settings: Settings, seed: int, device: torch.device, workers: int
) -> tuple[ConvAE, float, float]:
    """Trains a DAE on uint8 images (N, 3, 32, 32). The network in evaluation mode, images per second of the whole loop, and
    the mean loss of the last epoch."""
    torch.backends.cudnn.allow_tf32 = False
    torch.manual_seed(seed)
    network = ConvAE(3, settings.features, settings.hidden).to(device)
    optimiser = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.epochs)
    loader = DataLoader(
        Pairs(images, aug),
        settings.batch_size,
        shuffle=True,
        num_workers=workers,
        persistent_workers=True,
        pin_memory=device.type == "cuda",
    )
    criterion = nn.MSELoss()
    network.train()
    # What is slow the first time, as loading cuDNN is, has ours behind it too when its clock starts.
    copy.deepcopy(network)(torch.zeros(2, 3, 32, 32, device=device)).sum().backward()
    start = time.perf_counter()
    mean = float("nan")
    for _ in range(settings.epochs):
        total = 0.0
        for augmented, plain in loader:
            augmented, plain = augmented.to(device, non_blocking=True), plain.to(device, non_blocking=True)
            optimiser.zero_grad()
            loss = criterion(network(augmented), plain)
            loss.backward()
            optimiser.step()
            total += loss.item() * len(plain)
        schedule.step()
        mean = total / len(images)
    seconds = time.perf_counter() - start
    return network.eval(), settings.epochs * len(images) / seconds, mean
