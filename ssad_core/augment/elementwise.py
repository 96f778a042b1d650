"""Elementwise augmentations (App. B): each pixel changes by itself, or with its neighbours."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..protocol import PROFILES
from .base import Augmentation, Drawn, per_image, uniform


class Noise(Augmentation):
    """x + N(0, sigma^2) for each value on its own, not clipped (code)."""

    def sample_params(self, n: int, channels: int, size: int, generator: torch.Generator) -> Drawn:
        noise = torch.randn(n, channels, size, size, generator=generator, device=generator.device)
        return {"noise": noise.mul_(self.params["sigma"])}

    def transform(self, x: Tensor, params: Drawn) -> Tensor:
        return x + params["noise"].to(x)


class Mask(Augmentation):
    """Sets pixels to 0, each with probability p: its channels together, or each on its own; which of them, and p where it is
    not given, is the profile's."""

    def sample_params(self, n: int, channels: int, size: int, generator: torch.Generator) -> Drawn:
        profile = PROFILES[self.profile]
        p = profile.mask_p if self.params["p"] is None else self.params["p"]
        fields = 1 if profile.mask_channels == "together" else channels
        return {"masked": torch.rand(n, fields, size, size, generator=generator, device=generator.device) < p}

    def transform(self, x: Tensor, params: Drawn) -> Tensor:
        return x * ~params["masked"].to(x.device)  # four times as fast as a masked_fill


class Blur(Augmentation):
    """Gaussian filter, a tenth of the image wide (3 of 32 pixels), sigma U(.1, 2) pixels or the given one."""

    def sample_params(self, n: int, channels: int, size: int, generator: torch.Generator) -> Drawn:
        sigma = self.params["sigma"]
        return {
            "sigma": draw_sigma(n, generator) if sigma is None else torch.full((n,), sigma, device=generator.device)
        }

    def transform(self, x: Tensor, params: Drawn) -> Tensor:
        return blur(x, params["sigma"])


def draw_sigma(n: int, generator: torch.Generator) -> Tensor:
    """Standard deviations (n,) of the filter in pixels (App. B)."""
    return uniform(0.1, 2.0, (n,), generator)


def reach(size: int) -> int:
    """Neighbours on each side that the filter sees: it is int(size / 10) pixels wide, made odd, and at least 3."""
    return max(1, size // 10 // 2)


def blur(x: Tensor, sigma: Tensor) -> Tensor:
    """x (N, C, H, W) under a Gaussian filter, each image with its sigma (N,) in pixels; reflect padding."""
    r = reach(x.shape[-1])
    distance = torch.arange(r + 1, device=x.device)
    weights = torch.exp(-0.5 * (distance / sigma.to(x)[:, None]) ** 2)
    weights = weights / (2 * weights.sum(1, keepdim=True) - 1)  # the centre, of weight 1, counts once
    for axis in (2, 3):  # a Gaussian is separable: down the columns, then along the rows
        padded = F.pad(x, (0, 0, r, r) if axis == 2 else (r, r, 0, 0), mode="reflect")
        length = x.shape[axis]
        x = x * per_image(weights[:, 0], x)
        for k in range(1, r + 1):
            for start in (r - k, r + k):
                x.addcmul_(padded.narrow(axis, start, length), per_image(weights[:, k], x))
    return x
