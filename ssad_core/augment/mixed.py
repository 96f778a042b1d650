"""Mixed augmentations (App. B): several categories at once."""

from __future__ import annotations

import torch
from torch import Tensor

from .base import Augmentation, Drawn, chance, per_image
from .color import draw_jitter, grey, jitter
from .elementwise import blur, draw_sigma
from .geometric import crop, draw_crop


class SimCLR(Augmentation):
    """Crop, mirrored left to right with probability .5, Color with probability .8, grey with probability .2 and Blur, in this
    order (App. B)."""

    def sample_params(self, n: int, channels: int, size: int, generator: torch.Generator) -> Drawn:
        return {
            **draw_crop(n, size, generator),
            "mirrored": chance(0.5, n, generator),
            "jittered": chance(0.8, n, generator),
            **draw_jitter(n, 0.8, 0.2, generator),
            "grey": chance(0.2, n, generator),
            "sigma": draw_sigma(n, generator),
        }

    def transform(self, x: Tensor, params: Drawn) -> Tensor:
        x = crop(x, params, params["mirrored"])
        x = torch.where(per_image(params["jittered"], x), jitter(x.flatten(2), params).view_as(x), x)
        x = torch.where(per_image(params["grey"], x), grey(x)[:, None], x)
        return blur(x, params["sigma"])
