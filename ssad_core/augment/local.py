"""Local augmentations (App. B): a patch changes, the rest stays."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .base import Augmentation, Drawn

TRIES = 10  # RandomErasing's, before it leaves the image as it is


class CutOut(Augmentation):
    """Erases a patch: its pixels become 0.

    Without c as torchvision's RandomErasing: area U(.02, .33) of the image's, aspect log-U(.3, 3.3), ten tries, measured
    mean area .174. With c a square: of width round(size c) in the profile ``paper`` (Sec. 4.2 speaks of a patch width), of
    area c in ``reference`` (the code hands the number to RandomErasing).
    """

    AREA, ASPECT = (0.02, 0.33), (0.3, 3.3)

    def side(self, size: int) -> int:
        """Width of the square in pixels, c given."""
        c = self.params["c"]
        assert c is not None
        return round(size * c) if self.profile == "paper" else round(size * math.sqrt(c))

    def sample_params(self, n: int, channels: int, size: int, generator: torch.Generator) -> Drawn:
        def uniform(*shape: int) -> Tensor:
            return torch.rand(*shape, generator=generator, device=generator.device)

        if self.params["c"] is not None:
            height = width = torch.full((n,), self.side(size), device=generator.device)
        else:
            area = (self.AREA[0] + (self.AREA[1] - self.AREA[0]) * uniform(n, TRIES)) * size**2
            low, high = map(math.log, self.ASPECT)
            aspect = torch.exp(low + (high - low) * uniform(n, TRIES))
            heights, widths = (area * aspect).sqrt().round().long(), (area / aspect).sqrt().round().long()
            fits = (heights < size) & (widths < size)
            first = fits.int().argmax(1, keepdim=True)  # the first try that fits; none: a patch of nothing
            height, width = (s.gather(1, first).squeeze(1) * fits.any(1) for s in (heights, widths))
        # Uniform whole numbers from 0 to size - side, drawn without looking at the sides on the host.
        top = (uniform(n) * (size - height + 1)).long().clamp_max(size - height)
        left = (uniform(n) * (size - width + 1)).long().clamp_max(size - width)
        return {"top": top, "left": left, "height": height, "width": width}

    def apply(self, x: Tensor, params: Drawn) -> Tensor:
        top, left, height, width = (params[k].to(x.device).view(-1, 1) for k in ("top", "left", "height", "width"))
        rows, columns = (torch.arange(length, device=x.device) for length in x.shape[2:])
        inside_rows = (rows >= top) & (rows < top + height)  # (N, H)
        inside_columns = (columns >= left) & (columns < left + width)  # (N, W)
        return x.masked_fill((inside_rows[:, :, None] & inside_columns[:, None, :])[:, None], 0)
