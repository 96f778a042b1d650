"""Geometric augmentations (App. B): the whole image moves."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..protocol import PROFILES
from .base import Augmentation, Drawn, WithProbability, first_that_fits, per_image, up_to


class Rotate(Augmentation):
    """A quarter turn, uniform over 0, 90, 180 and 270 degrees counter-clockwise; as a gen over the last three (ours: else a
    quarter of the anomalies were normal)."""

    def sample_params(self, n: int, channels: int, size: int, generator: torch.Generator) -> Drawn:
        first = 1 if self.role == "gen" else 0
        return {"turns": torch.randint(first, 4, (n,), generator=generator, device=generator.device)}

    def transform(self, x: Tensor, params: Drawn) -> Tensor:
        return rotate(x, params["turns"])

    def function(self, x: Tensor, k: Tensor, params: Drawn) -> Tensor:
        """k quarter turns, k from 0 to 3."""
        return rotate(x, k)


class Crop(Augmentation):
    """A random part of the image, resized to its whole, as torchvision's RandomResizedCrop: area U(.08, 1), aspect
    log-U(3/4, 4/3), ten tries, else the centre crop, which of a square is all of it."""

    def sample_params(self, n: int, channels: int, size: int, generator: torch.Generator) -> Drawn:
        return draw_crop(n, size, generator)

    def transform(self, x: Tensor, params: Drawn) -> Tensor:
        return crop(x, params)


class Flip(WithProbability):
    """Upside down, with probability .5 in training (code: at 1 a DAE never sees an upright normal)."""

    def change(self, x: Tensor) -> Tensor:
        return x.flip(2)


class Geom(Augmentation):
    """Quarter turns, a flip and shifts of 8 (of 32) pixels, by the profile's steps in its order; what is uncovered is 0.

    "flip", upside down, and "mirror", left to right, are of half of the images. "shift" is one of four, never none (our
    reading of the text); "move" is by 0 or +-8 pixels in x and in y, which makes 72 states, each as likely; as a gen, of the
    71 that are not the identity.
    """

    STATES = 72
    STEPS = ("mirror", "move", "rotate")  # of a state, in every profile

    def sample_params(self, n: int, channels: int, size: int, generator: torch.Generator) -> Drawn:
        def whole(low: int, high: int) -> Tensor:
            return torch.randint(low, high, (n,), generator=generator, device=generator.device)

        if "move" in PROFILES[self.profile].geom:
            return self._drawn(whole(1 if self.role == "gen" else 0, self.STATES), size)
        turns, flipped, way = whole(0, 4), whole(0, 2) == 1, whole(0, 4)
        by = (way % 2 * 2 - 1) * self._step(size)
        return {"flipped": flipped, "dx": by * (way < 2), "dy": by * (way >= 2), "turns": turns}

    def transform(self, x: Tensor, params: Drawn) -> Tensor:
        return self._step_by_step(x, params, PROFILES[self.profile].geom, "zeros")

    def function(self, x: Tensor, k: Tensor, params: Drawn) -> Tensor:
        """The k-th of the 72 states, k from 0 to 71, the same in both profiles. What a shift uncovers is filled by
        reflection, the edge repeated (code: scipy's "reflect")."""
        return self._step_by_step(x, self._drawn(k, x.shape[-1]), self.STEPS, "reflection")

    @classmethod
    def _drawn(cls, k: Tensor, size: int) -> Drawn:
        step = cls._step(size)
        dx, dy = (((k // places + 1) % 3 - 1) * step for places in (2, 6))  # 0, step, -step
        return {"flipped": k % 2 == 1, "dx": dx, "dy": dy, "turns": k // 18}

    @staticmethod
    def _step(size: int) -> int:
        return round(size * 8 / 32)

    @staticmethod
    def _step_by_step(x: Tensor, params: Drawn, steps: tuple[str, ...], outside: str) -> Tensor:
        for step in steps:
            if step == "rotate":
                x = rotate(x, params["turns"])
            elif step in ("flip", "mirror"):
                x = torch.where(per_image(params["flipped"], x), x.flip(2 if step == "flip" else 3), x)
            else:
                x = shift(x, params["dx"], params["dy"], outside)
        return x


def rotate(x: Tensor, turns: Tensor) -> Tensor:
    """The images x by quarter turns (N,) of 0 to 3, counter-clockwise."""
    turns = per_image(turns, x)
    # A quarter turn where odd, then a half turn from two on: two whole-batch selections, no batch taken apart.
    quarter = x.transpose(2, 3).flip(2)
    out = torch.where(turns % 2 == 1, quarter, x)
    return torch.where(turns >= 2, out.flip(2, 3), out)


def shift(x: Tensor, dx: Tensor, dy: Tensor, outside: str) -> Tensor:
    """The images x moved dx pixels (N,) to the right and dy (N,) down; ``outside`` is "zeros" or "reflection"."""
    places = torch.arange(x.shape[-1], device=x.device)
    rows, columns = (places - by.to(x.device)[:, None] for by in (dy, dx))
    return read(x, rows.to(x), columns.to(x), "nearest", outside)


def draw_crop(n: int, size: int, generator: torch.Generator, area: tuple[float, float] = (0.08, 1.0)) -> Drawn:
    """Boxes of `Crop`: top, left, height and width (n,) in pixels; their area is a share of the image's."""
    height, width, found = first_that_fits(n, size, area, (3 / 4, 4 / 3), size, generator)
    height, width = (side.where(found, size) for side in (height, width))
    top, left = up_to(size - height, generator), up_to(size - width, generator)
    return {"top": top, "left": left, "height": height, "width": width}


def crop(x: Tensor, box: Drawn, mirrored: Tensor | None = None) -> Tensor:
    """The boxes of `draw_crop` of the images x, resized bilinearly to all of the image (N, C, size, size), some of them
    ``mirrored`` (N,) left to right."""
    centres = (torch.arange(x.shape[-1], device=x.device) + 0.5) / x.shape[-1]

    def places(start: Tensor, length: Tensor) -> Tensor:  # (N, size), in pixels of x, never beyond the box's own
        start, length = (value.to(x)[:, None] for value in (start, length))
        return start + (centres.to(x) * length - 0.5).clamp_min(0).minimum(length - 1)

    rows, columns = places(box["top"], box["height"]), places(box["left"], box["width"])
    if mirrored is not None:
        columns = torch.where(mirrored.to(x.device)[:, None], columns.flip(1), columns)
    # Enlarging only, so that torchvision's antialiasing, which is of shrinking, changes nothing.
    return read(x, rows, columns, "bilinear", "zeros")


def read(x: Tensor, rows: Tensor, columns: Tensor, mode: str, outside: str) -> Tensor:
    """Pixel (i, j) of each image is x at rows[i], columns[j], real numbers (N, size) in pixels."""
    size = x.shape[-1]
    y, x_ = ((2 * place + 1) / size - 1 for place in (rows, columns))  # grid_sample's: the image's edges are -1 and 1
    grid = torch.stack(torch.broadcast_tensors(x_[:, None, :], y[:, :, None]), dim=-1)
    return F.grid_sample(x, grid, mode=mode, padding_mode=outside, align_corners=False)
