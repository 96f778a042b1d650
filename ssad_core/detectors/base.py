"""The contract of a detector: loss, score, embed, explain.

Training, evaluation and the pages know nothing else of a detector, so a new one is one file and one row in the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from torch import Tensor, nn


class Examination(NamedTuple):
    """What a detector says of a batch of images, from one forward pass.

    ``scores`` (N,), higher is more abnormal; ``codes`` (N, hidden), the embedding; ``explanation``, what the app
    draws beside an image: for DAE its reconstruction (N, C, H, W).
    """

    scores: Tensor
    codes: Tensor
    explanation: Tensor


class Detector(Protocol):
    """A trainable detector. ``network`` has all its weights."""

    network: nn.Module

    def loss(self, x: Tensor, augmented: Tensor) -> Tensor:
        """The objective of one batch (a scalar): images x (N, C, H, W) in [0, 1] and what aug made of them."""
        ...

    def examine(self, x: Tensor) -> Examination:
        """Score, embed and explain, in evaluation mode and without gradients."""
        ...
