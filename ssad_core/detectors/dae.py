"""The denoising autoencoder (Sec. 2.4, App. A); with the identity as aug it is the autoencoder."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..networks import ConvAE
from ..spec import RunSpec
from .base import ByLoss, Examination, augmentation, cosine


class DAE(ByLoss):
    """f is trained to undo aug: the loss is the mean squared error of f(aug(x)) against x."""

    copies = 1
    schedule = staticmethod(cosine)

    def __init__(self, spec: RunSpec, channels: int, size: int) -> None:
        self.aug = augmentation(spec)
        self.network = ConvAE(channels, spec.settings.features, spec.settings.hidden, size)

    def loss(self, x: Tensor, copy: Tensor, generator: torch.Generator) -> Tensor:
        return F.mse_loss(self.network(self.aug(x, generator)), x)

    @torch.no_grad()
    def examine(self, x: Tensor) -> Examination:
        """The score is the mean squared error of f(x) against x, whatever x is: an augmented or anomalous image is
        compared with itself, not with its original."""
        codes = self.network.encode(x)
        reconstruction = self.explain(codes)
        return Examination((reconstruction - x).square().flatten(1).mean(1), codes, reconstruction)

    @torch.no_grad()
    def explain(self, codes: Tensor) -> Tensor:
        """The reconstructions (N, C, H, W)."""
        return self.network.decode(codes)
