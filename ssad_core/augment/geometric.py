"""Geometric augmentations (App. B): the whole image moves."""

from __future__ import annotations

import torch
from torch import Tensor

from .base import Augmentation, Drawn, WithProbability


class Rotate(Augmentation):
    """A quarter turn, uniform over 0, 90, 180 and 270 degrees counter-clockwise; as a gen over the last three (ours: else a
    quarter of the anomalies were normal)."""

    def sample_params(self, n: int, channels: int, size: int, generator: torch.Generator) -> Drawn:
        first = 1 if self.role == "gen" else 0
        return {"turns": torch.randint(first, 4, (n,), generator=generator, device=generator.device)}

    def apply(self, x: Tensor, params: Drawn) -> Tensor:
        turns = params["turns"].to(x.device).view(-1, 1, 1, 1)
        # A quarter turn where odd, then a half turn from two on: two whole-batch selections, no batch taken apart.
        quarter = x.transpose(2, 3).flip(2)
        out = torch.where(turns % 2 == 1, quarter, x)
        return torch.where(turns >= 2, out.flip(2, 3), out)


class Flip(WithProbability):
    """Upside down, with probability .5 in training (code: at 1 a DAE never sees an upright normal)."""

    def change(self, x: Tensor) -> Tensor:
        return x.flip(2)
