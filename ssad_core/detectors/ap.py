"""Augmentation prediction (Sec. 2.4): told which of aug's K functions an image was changed by, how sure is it of the right
one? On images like the training normals it is; on anomalies it should not be."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from ..augment import AUGMENTATIONS
from ..augment.base import Drawn
from ..networks import WideResNet
from ..spec import RunSpec
from .base import ByLoss, Examination, augmentation, constant

DRAWS = 512  # random functions that the test draws from
DRAWS_SEED = 20230423
LEARNED = 0.9  # of the cross-entropy of guessing; above it next to nothing was learned


class AP(ByLoss):
    """f tells which of K functions aug_k was applied, aug_1 being the identity: of rotate the 4 quarter turns, of geom its 72
    states, of every other augmentation the identity and one draw of it (ours), a new one for each image and epoch."""

    schedule = staticmethod(constant)

    def __init__(self, spec: RunSpec, channels: int, size: int) -> None:
        # Flip and Invert always change an image here: with p = .5 half of the "flipped" were not.
        self.aug = augmentation(spec, "analysis")
        self.copies = AUGMENTATIONS[spec.augment].classes
        self.network = WideResNet(channels, self.copies, spec.settings.features, spec.settings.hidden)

    def loss(self, x: Tensor, k: Tensor, generator: torch.Generator) -> Tensor:
        params = self.aug.sample_params(len(x), x.shape[1], x.shape[-1], generator)
        return F.cross_entropy(self.network(self.aug.function(x, k, params)), k)

    def warning(self, loss: Sequence[float], monitor: Mapping[str, Sequence[float]]) -> str | None:
        """Says when it does hardly better than guessing, whose cross-entropy is ln K."""
        guessing = math.log(self.copies)
        if not loss or loss[-1] < LEARNED * guessing:
            return None
        return (
            f"It has hardly learned to tell the {self.copies} functions apart: the last epoch's mean loss is {loss[-1]:.2f}, "
            f"and guessing has {guessing:.2f}. Scores say little; more epochs or training images may help."
        )

    @torch.no_grad()
    def examine(self, x: Tensor) -> Examination:
        """The score is -sum_k p_k(aug_k x), from -K to 0; the code is that of x as it is, the explanation the probabilities
        (N, K) that x as it is was changed by each function. What is random is drawn for an image by its content, so that
        an image has one score."""
        params = self._draws(x)
        codes = self.network.encode(x)
        explanation = self.explain(codes)
        scores = -explanation[:, 0]
        for k in range(1, self.copies):
            label = torch.full((len(x),), k, device=x.device)
            scores -= self.network(self.aug.function(x, label, params)).softmax(1)[:, k]
        return Examination(scores, codes, explanation)

    @torch.no_grad()
    def explain(self, codes: Tensor) -> Tensor:
        """The probabilities (N, K) that an image as it is was changed by each function, of which the first is none."""
        return self.network.classify(codes).softmax(1)

    def _draws(self, x: Tensor) -> Drawn:
        generator = torch.Generator().manual_seed(DRAWS_SEED)
        drawn = self.aug.sample_params(DRAWS, x.shape[1], x.shape[-1], generator)
        bytes_ = x.flatten(1).mul(255).round().long()
        weights = torch.randint(1 << 31, (bytes_.shape[1],), generator=generator).to(x.device)
        place = ((bytes_ * weights).sum(1) >> 8) % DRAWS
        return {name: value.to(x.device)[place] for name, value in drawn.items()}
