"""The contract of a detector: loss, score, embed, explain, and a place for what gradients do not learn.

Training, evaluation and the pages know nothing else of a detector, so a new one is one file and one row in the table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from .. import augment
from ..spec import RunSpec

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ..networks import Network


class Examination(NamedTuple):
    """What a detector says of a batch of images, from one forward pass.

    ``scores`` (N,), higher is more abnormal; ``codes`` (N, hidden), the embedding; ``explanation``, what the app
    shows beside an image: DAE's reconstruction (N, C, H, W), DeepSAD's distance to the centre (N,), AP's probabilities of
    its K classes (N, K).
    """

    scores: Tensor
    codes: Tensor
    explanation: Tensor


class Detector(Protocol):
    """A trainable detector. ``network`` has all that is learned; in an epoch each image is seen ``copies`` times."""

    network: Network
    copies: int

    def schedule(self, epoch: int, epochs: int) -> float:
        """The factor on the learning rate in an epoch, counted from 0."""
        ...

    def loss(self, x: Tensor, copy: Tensor, generator: torch.Generator) -> Tensor:
        """The objective of one batch (a scalar): images x (N, C, H, W) in [0, 1] and which copies of them these are, (N,)
        from 0 to ``copies`` - 1. It draws aug's parameters from the generator, which is on the device of x."""
        ...

    def settle(self, images: Tensor) -> dict[str, float]:
        """Called before the first epoch and after each, in evaluation mode, with all training normals as they are: sets
        what is not learned by gradients, and returns what is to be watched, by name."""
        ...

    def warning(self, loss: Sequence[float], monitor: Mapping[str, Sequence[float]]) -> str | None:
        """A sentence when the mean loss of each epoch so far, or the values that `settle` has returned, say that the training
        went wrong."""
        ...

    def examine(self, x: Tensor) -> Examination:
        """Score, embed and explain, in evaluation mode and without gradients."""
        ...

    def explain(self, codes: Tensor) -> Tensor:
        """The explanation of images by their codes (N, hidden) alone, as `examine` gives it: codes are stored."""
        ...


class ByLoss:
    """What a detector does of which all is learned by gradients, and whose loss says how it goes."""

    def settle(self, images: Tensor) -> dict[str, float]:
        return {}

    def warning(self, loss: Sequence[float], monitor: Mapping[str, Sequence[float]]) -> str | None:
        return None


def augmentation(spec: RunSpec, role: str = "aug") -> augment.Augmentation:
    """A run's aug (`augment.get`)."""
    return augment.get(spec.augment, profile=spec.profile, role=role, **dict(spec.params))


def constant(epoch: int, epochs: int) -> float:
    """A schedule that is always 1."""
    return 1.0


def cosine(epoch: int, epochs: int) -> float:
    """A schedule that falls from 1 in the first epoch towards 0 after the last along a cosine."""
    return (1 + math.cos(math.pi * epoch / epochs)) / 2


def step(epoch: int, epochs: int) -> float:
    """A schedule that is 1 in the first third of the epochs and .1 after it: of 150, from the 50th on."""
    return 1.0 if 3 * epoch < epochs else 0.1
