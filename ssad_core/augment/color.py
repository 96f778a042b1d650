"""Color augmentations (App. B): the values change, the objects stay."""

from __future__ import annotations

import torch
from torch import Tensor

from .base import Augmentation, Drawn, WithProbability, uniform

BRIGHTNESS, CONTRAST, SATURATION, HUE = range(4)  # as torchvision's ColorJitter numbers its steps


class Invert(WithProbability):
    """1 - x, with probability .5 in training (code)."""

    def change(self, x: Tensor) -> Tensor:
        return 1 - x


class Color(Augmentation):
    """Jitter of brightness, contrast and saturation by .8 s and of hue by .2 s, in each image's own order; s is 1 as in
    SimCLR. One channel has neither saturation nor hue."""

    def sample_params(self, n: int, channels: int, size: int, generator: torch.Generator) -> Drawn:
        return draw_jitter(n, 0.8 * self.params["s"], 0.2 * self.params["s"], generator)

    def transform(self, x: Tensor, params: Drawn) -> Tensor:
        return jitter(x.flatten(2), params).view_as(x)


def draw_jitter(n: int, strength: float, hue: float, generator: torch.Generator) -> Drawn:
    """Parameters of torchvision's ColorJitter: factors U(max(0, 1 - strength), 1 + strength) of brightness, contrast and
    saturation, a shift U(-hue, hue) of the hue as a share of the circle, each (n,); and their order (n, 4)."""
    factors = {
        name: uniform(max(0.0, 1 - strength), 1 + strength, (n,), generator)
        for name in ("brightness", "contrast", "saturation")
    }
    order = torch.rand(n, 4, generator=generator, device=generator.device).argsort(1)
    return {**factors, "hue": uniform(-hue, hue, (n,), generator), "order": order}


def jitter(x: Tensor, params: Drawn, valid: Tensor | None = None) -> Tensor:
    """The pixels x (N, C, P) in [0, 1] under the jitter of `draw_jitter`, clamped to [0, 1] after every step.

    valid : bool (N, P), the pixels that count; contrast is about their mean. None: all.
    """
    names = ("brightness", "contrast", "saturation", "hue")
    factors = torch.stack([params[name] for name in names], 1).to(x)
    order = params["order"].to(x.device)
    shares = None if valid is None else valid.to(x) / valid.sum(1, keepdim=True)  # of each pixel in its image's mean
    if x.shape[1] == 1:
        return _blends(x, factors, order, order <= CONTRAST, shares)
    # Hue, the dear one, has its turn once for the whole batch: the steps that an image has before it are done before, the
    # others after, and those that have no place on a side are blends that change nothing.
    turn, of_hue = torch.arange(4, device=x.device), (order == HUE).int().argmax(1, keepdim=True)
    x = _blends(x, factors, order[:, :3], (turn < of_hue)[:, :3], shares)
    x = _turn_hue(x, factors[:, HUE, None])
    return _blends(x, factors, order[:, 1:], (turn > of_hue)[:, 1:], shares)


def grey(x: Tensor) -> Tensor:
    """The luma (N, ...) of the images x (N, C, ...), as torchvision weighs it; of one channel, itself."""
    if x.shape[1] == 1:
        return x[:, 0]
    red, green, blue = x.unbind(1)
    return (red * 0.2989).add_(green, alpha=0.587).add_(blue, alpha=0.114)


def _blends(x: Tensor, factors: Tensor, steps: Tensor, active: Tensor, shares: Tensor | None) -> Tensor:
    """f x + (1 - f) d, in [0, 1], for each of the steps (N, T) of an image that is active: d is the mean grey for contrast,
    the pixel's own for saturation, else black."""
    f = torch.where(active, factors.gather(1, steps), 1)
    of_mean, of_own = ((1 - f).where(steps == step, 0) for step in (CONTRAST, SATURATION))
    for turn in range(steps.shape[1]):
        one = slice(turn, turn + 1)
        own = grey(x)
        mean = own.mean(1, keepdim=True) if shares is None else (own * shares).sum(1, keepdim=True)
        d = torch.addcmul(of_mean[:, one] * mean, own, of_own[:, one])
        x = torch.addcmul(d[:, None], x, f[:, one, None]).clamp_(0, 1)
    return x


def _turn_hue(x: Tensor, by: Tensor) -> Tensor:
    """x with its hue moved by (N, 1), a share of the circle; saturation and value of HSV stay."""
    red, green, blue = x.unbind(1)
    low = torch.minimum(red, green).minimum(blue)
    chroma = torch.maximum(red, green).maximum(blue).sub_(low)
    # The hue's distance from red, in sixths of the circle, is 1 + (g + b - r - low) / chroma; it lies on green's side or on
    # blue's. Back again each colour is full up to one sixth from its own hue, and gone beyond two.
    distance = (green + blue).sub_(red).sub_(low).div_(chroma.clamp_min(torch.finfo(x.dtype).tiny)).add_(1)
    hue = torch.addcmul(by, distance.copysign_(green - blue), torch.full_like(by, 1 / 6))
    own = torch.arange(3, device=x.device).to(x)[:, None] / 3
    away = hue[:, None] - own
    away.sub_(away.round()).abs_()
    return torch.addcmul(low[:, None], away.mul_(-6).add_(2).clamp_(0, 1), chroma[:, None])
