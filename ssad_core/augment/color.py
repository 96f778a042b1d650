"""Color augmentations (App. B): the values change, the objects stay."""

from __future__ import annotations

from torch import Tensor

from .base import WithProbability


class Invert(WithProbability):
    """1 - x, with probability .5 in training (code)."""

    def change(self, x: Tensor) -> Tensor:
        return 1 - x
