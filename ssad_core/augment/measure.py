"""How much an augmentation changes the images it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def modification(before: Tensor, after: Tensor) -> tuple[float, float]:
    """The degree of modification, the mean absolute change of a pixel's value, and the share of images left exactly as they
    were, of the images (N, C, H, W) before and after an augmentation."""
    degree = (after - before).abs().mean()
    unchanged = (after == before).flatten(1).all(1)
    return degree.item(), unchanged.to(degree).mean().item()
