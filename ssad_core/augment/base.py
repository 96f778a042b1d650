"""The contract of an augmentation: random parameters first, then a deterministic kernel, so that both can be checked."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

Drawn = dict[str, Tensor]  # one entry an image in every tensor

# Values that a CPU changes at a time: what a kernel needs on the way then stays in its cache, in memory that is at hand. All
# of a batch of 1024 at once takes up to three times as long, and blocks four times smaller up to half as long again.
BLOCK = 2**19

TRIES = 10  # of RandomErasing and RandomResizedCrop, before they give up


@dataclass(frozen=True)
class Augmentation:
    """``params`` are the given and default parameters of the table, by name."""

    name: str
    params: dict[str, float | None] = field(hash=False)
    profile: str
    role: str

    def sample_params(self, n: int, channels: int, size: int, generator: torch.Generator) -> Drawn:
        """Random parameters of n images (channels, size, size), drawn and left on the generator's device."""
        raise NotImplementedError

    def transform(self, x: Tensor, params: Drawn) -> Tensor:
        """The kernel of `apply`."""
        raise NotImplementedError

    def apply(self, x: Tensor, params: Drawn) -> Tensor:
        """The images x (N, C, H, W) in [0, 1] changed as ``params`` say; x itself stays as it is."""
        if x.device.type != "cpu":
            return self.transform(x, params)
        out = torch.empty_like(x)
        images = max(1, BLOCK // max(1, x[:1].numel()))
        for start in range(0, len(x), images):
            block = slice(start, start + images)
            out[block] = self.transform(x[block], {name: value[block] for name, value in params.items()})
        return out

    def placed(self, params: Drawn, size: int, down: float, across: float) -> Drawn:
        """The same parameters, with the patch that changes, where there is one, at a place of one's choice: shares, from 0 to
        1, of the room that it has in an image of ``size`` pixels."""
        return params

    def function(self, x: Tensor, k: Tensor, params: Drawn) -> Tensor:
        """The k-th of the K functions that augmentation prediction tells apart (METHOD, "AP"), k (N,), of the images x. The
        first, 0, is the identity; of a random augmentation the only other one is what ``params`` make of an image."""
        return torch.where(per_image(k == 1, x), self.apply(x, params), x)

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Draws parameters for the images and applies them."""
        return self.apply(x, self.sample_params(len(x), x.shape[1], x.shape[-1], generator))


class Identity(Augmentation):
    """x. With it DAE is AE and DeepSAD is DeepSVDD (Sec. 2.4)."""

    def sample_params(self, n: int, channels: int, size: int, generator: torch.Generator) -> Drawn:
        return {}

    def apply(self, x: Tensor, params: Drawn) -> Tensor:
        return x


class WithProbability(Augmentation):
    """Changes an image with probability p in training and always as a gen or for analysis (METHOD: "Where p = .5
    matters"). Subclasses say what `change` is."""

    def change(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def sample_params(self, n: int, channels: int, size: int, generator: torch.Generator) -> Drawn:
        p = self.params["p"] if self.role == "aug" else 1.0
        return {"applied": chance(p, n, generator)}

    def transform(self, x: Tensor, params: Drawn) -> Tensor:
        return torch.where(per_image(params["applied"], x), self.change(x), x)


def per_image(value: Tensor, x: Tensor) -> Tensor:
    """(N, 1, 1, 1), to meet the images x (N, C, H, W): on their device and, of real numbers, in their precision."""
    return value.to(x if value.is_floating_point() else x.device).view(-1, 1, 1, 1)


def uniform(low: float, high: float, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Real numbers from low to high."""
    return low + (high - low) * torch.rand(shape, generator=generator, device=generator.device)


def chance(p: float, n: int, generator: torch.Generator) -> Tensor:
    """bool (n,): each True with probability p."""
    return torch.rand(n, generator=generator, device=generator.device) < p


def up_to(most: Tensor, generator: torch.Generator) -> Tensor:
    """int64 (n,): uniform over 0, 1, ..., most, each image with its own, without looking at it on the host."""
    drawn = torch.rand(len(most), generator=generator, device=generator.device)
    return (drawn * (most + 1)).long().minimum(most)


def first_that_fits(
    n: int, size: int, area: tuple[float, float], aspect: tuple[float, float], largest: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Heights and widths in pixels (n,) of rectangles: area uniform as a share of the image's, height/width log-uniform, the
    first of ten tries of which neither side exceeds ``largest``; and whether there was one (n,), else the sides mean nothing.
    """
    areas = uniform(*area, (n, TRIES), generator) * size**2
    aspects = uniform(math.log(aspect[0]), math.log(aspect[1]), (n, TRIES), generator).exp()
    heights, widths = (areas * aspects).sqrt().round().long(), (areas / aspects).sqrt().round().long()
    fits = (heights <= largest) & (widths <= largest)
    first = fits.int().argmax(1, keepdim=True)
    return heights.gather(1, first).squeeze(1), widths.gather(1, first).squeeze(1), fits.any(1)
