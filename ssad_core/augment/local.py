"""Local augmentations (App. B): a patch changes, the rest stays."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..protocol import PROFILES
from .base import Augmentation, Drawn, chance, first_that_fits, uniform, up_to
from .color import draw_jitter, jitter
from .table import CUTOUT_AREA


class CutOut(Augmentation):
    """Erases a patch: its pixels become 0.

    Without c as torchvision's RandomErasing: area U(.02, .33) of the image's, aspect log-U(.3, 3.3), ten tries, measured
    mean area .174. With c a square, whose width or area is c times the image's, as the profile has it (Sec. 4.2 speaks of a
    patch width; the code hands the number to RandomErasing, which takes an area).
    """

    AREA, ASPECT = CUTOUT_AREA, (0.3, 3.3)

    def side(self, size: int) -> int:
        """Width of the square in pixels, c given."""
        c = self.params["c"]
        assert c is not None
        return round(size * (c if PROFILES[self.profile].cutout_c == "width" else math.sqrt(c)))

    def sample_params(self, n: int, channels: int, size: int, generator: torch.Generator) -> Drawn:
        if self.params["c"] is not None:
            height = width = torch.full((n,), self.side(size), device=generator.device)
        else:
            height, width, found = first_that_fits(n, size, self.AREA, self.ASPECT, size - 1, generator)
            height, width = height * found, width * found  # none: a patch of nothing
        top, left = up_to(size - height, generator), up_to(size - width, generator)
        return {"top": top, "left": left, "height": height, "width": width}

    def placed(self, params: Drawn, size: int, down: float, across: float) -> Drawn:
        return {
            **params,
            "top": _share(down, size - params["height"]),
            "left": _share(across, size - params["width"]),
        }

    def transform(self, x: Tensor, params: Drawn) -> Tensor:
        top, left, height, width = (params[k].to(x.device).view(-1, 1) for k in ("top", "left", "height", "width"))
        rows, columns = (torch.arange(length, device=x.device) for length in x.shape[2:])
        inside_rows = (rows >= top) & (rows < top + height)  # (N, H)
        inside_columns = (columns >= left) & (columns < left + width)  # (N, W)
        return x * ~(inside_rows[:, :, None] & inside_columns[:, None, :])[:, None]


class Paste(Augmentation):
    """Copies a patch to another place in the same image, its colours jittered by .1 on the way (code).

    Subclasses say how large a patch is, where it goes, and which of its pixels lands where. Its pixels are handled as a list,
    row by row, of `most` places, of which a patch of height x width takes the first.
    """

    JITTER = 0.1

    def most(self, size: int) -> int:
        """Pixels of the largest patch."""
        raise NotImplementedError

    def draw_patch(self, n: int, size: int, generator: torch.Generator) -> Drawn:
        """``height``, ``width`` and, after turning, ``canvas_height`` and ``canvas_width`` (n,) in pixels, and what else
        `landing` needs."""
        raise NotImplementedError

    def landing(self, size: int, patch: Drawn) -> tuple[Tensor, Tensor]:
        """For each pixel of the images the row and the column, whole numbers (N, size, size), of the patch's pixel that lands
        on it; some lie outside the patch."""
        raise NotImplementedError

    def sample_params(self, n: int, channels: int, size: int, generator: torch.Generator) -> Drawn:
        patch = self.draw_patch(n, size, generator)
        room = {"top": "height", "left": "width", "to_top": "canvas_height", "to_left": "canvas_width"}
        corners = {corner: up_to((size - patch[side]).clamp_min(0), generator) for corner, side in room.items()}
        return {**patch, **corners, **draw_jitter(n, self.JITTER, self.JITTER, generator)}

    def placed(self, params: Drawn, size: int, down: float, across: float) -> Drawn:
        return {
            **params,
            "to_top": _share(down, (size - params["canvas_height"]).clamp_min(0)),
            "to_left": _share(across, (size - params["canvas_width"]).clamp_min(0)),
        }

    def transform(self, x: Tensor, params: Drawn) -> Tensor:
        size = x.shape[-1]
        patch = {name: value.to(x.device).view(-1, 1, 1) for name, value in params.items() if value.dim() == 1}
        top, left, height, width = (patch[name].view(-1, 1) for name in ("top", "left", "height", "width"))
        place = torch.arange(self.most(size), device=x.device)
        valid = place < height * width  # (N, most)
        source = ((top + place // width) * size + left + place % width) * valid
        pixels = jitter(_read(x.flatten(2), source), params, valid)
        row, column = self.landing(size, patch)
        inside = (row >= 0) & (row < patch["height"]) & (column >= 0) & (column < patch["width"])
        places = torch.addcmul(column, row, patch["width"]).mul_(inside).long()
        landed = _read(pixels, places.flatten(1))
        return torch.where(inside[:, None], landed.view_as(x), x)


def _share(share: float, room: Tensor) -> Tensor:
    """A whole number of pixels."""
    return (share * room).round().long()


def _read(pixels: Tensor, places: Tensor) -> Tensor:
    """(N, C, Q): of the pixels (N, C, P) those at the places (N, Q)."""
    return pixels.gather(2, places[:, None].expand(-1, pixels.shape[1], -1))


class CutPaste(Paste):
    """A rectangle: area U(.02, .15) of the image's, aspect U(.3, 1) or U(1, 3.3) with equal chance, corners uniform."""

    AREA, ASPECT = (0.02, 0.15), (0.3, 3.3)

    def most(self, size: int) -> int:
        return math.ceil(self.AREA[1] * size**2)

    def draw_patch(self, n: int, size: int, generator: torch.Generator) -> Drawn:
        area = uniform(*self.AREA, (n,), generator) * size**2
        flat, wide = uniform(self.ASPECT[0], 1, (n,), generator), uniform(1, self.ASPECT[1], (n,), generator)
        aspect = torch.where(chance(0.5, n, generator), flat, wide)
        height, width = (side.sqrt().long().clamp(1, size) for side in (area / aspect, area * aspect))
        return {"height": height, "width": width, "canvas_height": height, "canvas_width": width}

    def landing(self, size: int, patch: Drawn) -> tuple[Tensor, Tensor]:
        places = torch.arange(size, device=patch["to_top"].device)
        return torch.broadcast_tensors(places[:, None] - patch["to_top"], places - patch["to_left"])


class CutPasteScar(Paste):
    """A thin rectangle, of the profile's sizes, turned by U(-45, 45) degrees counter-clockwise: the nearest pixel, on a
    canvas that grows to hold it."""

    def sides(self, size: int) -> list[tuple[int, int]]:
        """The ranges of height and width in pixels, both ends included."""
        profile = PROFILES[self.profile]
        ranges = profile.scar_height, profile.scar_width
        return [(round(low * size / 32), round(high * size / 32)) for low, high in ranges]

    def most(self, size: int) -> int:
        return math.prod(high for _, high in self.sides(size))

    def draw_patch(self, n: int, size: int, generator: torch.Generator) -> Drawn:
        height, width = (
            torch.randint(low, high + 1, (n,), generator=generator, device=generator.device)
            for low, high in self.sides(size)
        )
        angle = uniform(-45, 45, (n,), generator)
        cosine, sine = (value.float().abs() for value in _cosine_and_sine(angle))
        across, down = width * cosine + height * sine, width * sine + height * cosine
        canvas = {"canvas_height": _canvas(down, height), "canvas_width": _canvas(across, width)}
        return {"height": height, "width": width, "angle": angle, **canvas}

    def landing(self, size: int, patch: Drawn) -> tuple[Tensor, Tensor]:
        places = torch.arange(size, device=patch["angle"].device)
        cosine, sine = _cosine_and_sine(patch["angle"])
        # From the canvas's centre, turned back, to the patch's corner.
        y = places[:, None] - patch["to_top"] - (patch["canvas_height"] - 1) / 2
        x = places - patch["to_left"] - (patch["canvas_width"] - 1) / 2
        row = (sine * x + (cosine * y + (patch["height"] - 1) / 2)).round_()
        column = (cosine * x - (sine * y - (patch["width"] - 1) / 2)).round_()
        return row, column


def _cosine_and_sine(degrees: Tensor) -> tuple[Tensor, Tensor]:
    # Doubles, so that which pixel is nearest does not hang on the last digit of a float, which devices round differently.
    radians = degrees.double().deg2rad()
    return radians.cos(), radians.sin()


def _canvas(extent: Tensor, side: Tensor) -> Tensor:
    """Pixels of a canvas that holds ``extent``, centred on ``side`` whole pixels, up to 1e-4 (torchvision)."""
    first, last = (((side + sign * extent) / 2 * 1e4).trunc() / 1e4 for sign in (-1, 1))
    return (last.ceil() - first.floor()).long()
