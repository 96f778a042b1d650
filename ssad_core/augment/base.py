"""The contract of an augmentation: random parameters first, then a deterministic kernel, so that both can be checked."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

Drawn = dict[str, Tensor]  # one entry an image in every tensor


@dataclass(frozen=True)
class Augmentation:
    """``params`` are the given and default parameters of the table, by name."""

    name: str
    category: str
    params: dict[str, float | None] = field(hash=False)
    profile: str
    role: str

    def sample_params(self, n: int, channels: int, size: int, generator: torch.Generator) -> Drawn:
        """Random parameters of n images (channels, size, size), drawn and left on the generator's device."""
        raise NotImplementedError

    def apply(self, x: Tensor, params: Drawn) -> Tensor:
        """The images x (N, C, H, W) in [0, 1] changed as ``params`` say; x itself stays as it is."""
        raise NotImplementedError

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
        return {"applied": torch.rand(n, generator=generator, device=generator.device) < p}

    def apply(self, x: Tensor, params: Drawn) -> Tensor:
        return torch.where(params["applied"].to(x.device).view(-1, 1, 1, 1), self.change(x), x)
