"""The denoising autoencoder (Sec. 2.4, App. A); with the identity as aug it is the autoencoder."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..networks import ConvAE
from ..spec import Settings
from .base import Examination


class DAE:
    """f is trained to undo aug: the loss is the mean squared error of f(aug(x)) against x."""

    def __init__(self, channels: int, settings: Settings) -> None:
        self.network = ConvAE(channels, settings.features, settings.hidden)

    def loss(self, x: Tensor, augmented: Tensor) -> Tensor:
        return F.mse_loss(self.network(augmented), x)

    @torch.no_grad()
    def examine(self, x: Tensor) -> Examination:
        """The score is the mean squared error of f(x) against x, whatever x is: an augmented or anomalous image is
        compared with itself, not with its original."""
        codes = self.network.encode(x)
        reconstruction = self.network.decode(codes)
        return Examination((reconstruction - x).square().flatten(1).mean(1), codes, reconstruction)
