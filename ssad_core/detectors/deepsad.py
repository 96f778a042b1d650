"""DeepSAD (Sec. 2.4): normals near a centre, what aug makes of them away from it; with the identity it is DeepSVDD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ..networks import LeNet
from ..protocol import PROFILES
from ..spec import RunSpec
from .base import Examination, augmentation, step
from .presets import lenet

COLLAPSED = 1e-3  # of the codes' own size: closer to each other than that, they say nothing of an image


class DeepSAD:
    """f maps images to codes. With v = f(x) - c and w = f(aug(x)) - c, the loss of an image is |v| + 1 / |w| or, of squared
    distances, |v|^2 + 1 / |w|^2, by the profile; of DeepSVDD, which has no aug, the first term alone.

    The centre c is the mean of the training normals' codes. By the profile it follows them after every epoch or stays where
    it was before the first; DeepSVDD's always stays: the best map to a centre that follows would be a constant.
    """

    copies = 1
    schedule = staticmethod(step)

    def __init__(self, spec: RunSpec, channels: int, size: int) -> None:
        sizes = lenet(spec.dataset, channels).scaled(spec.settings.features, spec.settings.hidden)
        self.aug = augmentation(spec)
        self.network = LeNet(channels, *sizes, size)
        profile = PROFILES[spec.profile]
        self.squared = profile.deepsad_squared
        self.contrast = not spec.is_baseline
        self.follows = self.contrast and profile.deepsad_follows
        self.settled = False

    def loss(self, x: Tensor, copy: Tensor, generator: torch.Generator) -> Tensor:
        # One forward pass: two would give each half its own BatchNorm statistics.
        codes = self.network(torch.cat([x, self.aug(x, generator)]) if self.contrast else x)
        distance = self._squared_distance(codes)
        if not self.squared:
            distance = (distance + 1e-12).sqrt()  # whose slope at 0 is finite
        loss = distance[: len(x)].mean()
        return loss + (1 / (distance[len(x) :] + 1e-6)).mean() if self.contrast else loss

    @torch.no_grad()
    def settle(self, images: Tensor) -> dict[str, float]:
        """Sets the centre. Watched are its norm, mean and standard deviation ("spread") of the normals' distances to it,
        and how far the codes are from being one and the same: "code spread", their root mean square distance from
        their mean as a share of their root mean square norm."""
        codes = torch.cat([self.network(part) for part in images.split(512)])
        mean = codes.mean(0)
        if self.follows or not self.settled:
            self.network.centre.copy_(mean if self.follows else away_from_zero(mean))
        self.settled = True
        distance = (codes - self.network.centre).norm(dim=1)
        size = codes.square().sum(1).mean().sqrt()
        return {
            "centre norm": self.network.centre.norm().item(),
            "mean distance": distance.mean().item(),
            "spread": distance.std(correction=0).item(),
            "code spread": ((codes - mean).square().sum(1).mean().sqrt() / size).item() if size else 0.0,
        }

    def warning(self, loss: Sequence[float], monitor: Mapping[str, Sequence[float]]) -> str | None:
        """Says a collapse: the network then gives every normal image the same code."""
        if monitor["code spread"][-1] > COLLAPSED:
            return None
        return "The training collapsed: all normal images have the same code, so scores say nothing; try another seed."

    @torch.no_grad()
    def examine(self, x: Tensor) -> Examination:
        """The score is the squared distance to the centre, the explanation the distance."""
        codes = self.network(x)
        return Examination(self._squared_distance(codes), codes, self.explain(codes))

    @torch.no_grad()
    def explain(self, codes: Tensor) -> Tensor:
        """The distances to the centre (N,)."""
        return self._squared_distance(codes).sqrt()

    def _squared_distance(self, codes: Tensor) -> Tensor:
        return (codes - self.network.centre).square().sum(1)


def away_from_zero(centre: Tensor) -> Tensor:
    """A fixed centre's components in (-.1, 0) become -.1 and those in (0, .1) become .1, since a weight of 0 would fit
    them; an exact 0 stays (METHOD: code)."""
    return torch.where(centre.abs() < 0.1, 0.1 * centre.sign(), centre)
