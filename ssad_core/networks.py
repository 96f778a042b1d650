"""The networks of the detectors (App. A), for images of S x S pixels, S being 32 in the paper and a multiple of 16."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .strided import Double, Halve


class Network(nn.Module):
    """A network of a detector. With ``in_bfloat16`` its layers compute in that precision while it is trained; its weights,
    their updates and what it says to a loss are in float32 all the same, and so is everything after the training."""

    in_bfloat16 = False

    def forward(self, x: Tensor) -> Tensor:
        """What `infer` says of images (N, C, S, S), in their own precision."""
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.in_bfloat16 and self.training):
            return self.infer(x).to(x.dtype)

    def infer(self, x: Tensor) -> Tensor:
        raise NotImplementedError


class ConvAE(Network):
    """The autoencoder of AE and DAE: four strided convolutions to a tanh code, and their mirror image to a sigmoid.

    Parameters
    ----------
    channels : 1 or 3.
    features : channels of the first convolution; the next have 2, 4 and 8 times as many (App. A: 64 to 512).
    hidden : size of the code (App. A: 256).
    size : S. The layers stay as they are; what is flattened grows with the image.

    >>> sum(p.numel() for p in ConvAE(3).parameters())
    4159235
    """

    def __init__(self, channels: int, features: int = 64, hidden: int = 256, size: int = 32) -> None:
        super().__init__()
        widths = [features, 2 * features, 4 * features, 8 * features]
        side = size // 16
        flat = widths[3] * side * side
        self.encoder = nn.Sequential(
            OrderedDict(
                block1=_down(channels, widths[0]),  # (N, f, S/2, S/2)
                block2=_down(widths[0], widths[1]),  # (N, 2f, S/4, S/4)
                block3=_down(widths[1], widths[2]),  # (N, 4f, S/8, S/8)
                block4=_down(widths[2], widths[3]),  # (N, 8f, S/16, S/16)
                flatten=nn.Flatten(),
                linear=nn.Linear(flat, hidden),
                tanh=nn.Tanh(),  # (N, hidden); METHOD: code
            )
        )
        self.decoder = nn.Sequential(
            OrderedDict(
                linear=nn.Linear(hidden, flat),
                norm=nn.BatchNorm1d(flat),
                relu=nn.ReLU(inplace=True),
                unflatten=nn.Unflatten(1, (widths[3], side, side)),
                block1=_up(widths[3], widths[2]),
                block2=_up(widths[2], widths[1]),
                block3=_up(widths[1], widths[0]),
                last=Double(widths[0], channels, before_norm=False),
                sigmoid=nn.Sigmoid(),  # (N, C, S, S); METHOD: code, no BatchNorm before it
            )
        )

    def encode(self, x: Tensor) -> Tensor:
        """Images (N, C, S, S) to codes (N, hidden) in [-1, 1]."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """Codes (N, hidden) to images (N, C, S, S) in [0, 1]."""
        return self.decoder(z)

    def infer(self, x: Tensor) -> Tensor:
        """The reconstruction of x."""
        return self.decode(self.encode(x))


class LeNet(Network):
    """The network of DeepSVDD and DeepSAD: 5 x 5 convolutions, each halved by max-pooling, then linear layers to the code
    (METHOD: code). No layer has a bias, nor BatchNorm a scale: with either it could map all images to the centre.

    Parameters
    ----------
    channels : 1 or 3.
    convolutions : the channels of each convolution.
    linear : the outputs of each linear layer; the last is the size of the code.
    size : S. The layers stay as they are; what is flattened grows with the image.

    ``centre`` (hidden,) is the centre of the codes; it is a buffer, so that it is stored with the weights.

    >>> sum(p.numel() for p in LeNet(3, (32, 64, 128), (128,)).parameters())
    520544
    """

    centre: Tensor

    def __init__(self, channels: int, convolutions: Sequence[int], linear: Sequence[int], size: int = 32) -> None:
        super().__init__()
        blocks = [_halved(*widths) for widths in pairwise([channels, *convolutions])]
        side = size >> len(blocks)
        sizes = [convolutions[-1] * side * side, *linear]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(sizes):
            layers += [nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs, 1e-4, affine=False), _leaky()]
        # The code is the last linear layer's output as it is.
        self.encoder = nn.Sequential(*blocks, nn.Flatten(), *layers[:-2])
        self.register_buffer("centre", torch.zeros(linear[-1]))

    def infer(self, x: Tensor) -> Tensor:
        """Images (N, C, S, S) to codes (N, hidden)."""
        return self.encoder(x)


class WideResNet(Network):
    """The network of AP: a Wide ResNet of depth 10, one pre-activation block a stage (METHOD: code), which tells the
    ``classes`` functions of an augmentation apart.

    Parameters
    ----------
    channels : 1 or 3.
    classes : K.
    features : channels of the first stage; the second has twice as many (width 4: 64).
    hidden : channels of the third, and so the size of the code (width 4: 256).

    >>> sum(p.numel() for p in WideResNet(3, 4).parameters())
    1197268
    """

    def __init__(self, channels: int, classes: int, features: int = 64, hidden: int = 256) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, 16, 3, padding=1, bias=False)
        self.stages = nn.Sequential(
            PreActivation(16, features, 1),  # (N, f, S, S)
            PreActivation(features, 2 * features, 2),  # (N, 2f, S/2, S/2)
            PreActivation(2 * features, hidden, 2),  # (N, hidden, S/4, S/4)
        )
        self.norm = nn.BatchNorm2d(hidden)
        self.classify = nn.Linear(hidden, classes)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.zeros_(self.classify.bias)

    def encode(self, x: Tensor) -> Tensor:
        """Images (N, C, S, S) in [0, 1] to codes (N, hidden), means over the last stage's places."""
        return F.relu(self.norm(self.stages(self.stem(2 * x - 1)))).mean((2, 3))

    def infer(self, x: Tensor) -> Tensor:
        """Images (N, C, S, S) in [0, 1], which it takes to [-1, 1], to a logit for each class (N, K)."""
        return self.classify(self.encode(x))


class PreActivation(nn.Module):
    """A residual block of two 3 x 3 convolutions, each after BatchNorm and ReLU; a 1 x 1 convolution of the activated input
    is added to their output."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        active = F.relu(self.norm1(x))
        # What a strided 1 x 1 convolution would read. oneDNN's own (torch 2.14, CPU, channels_last) of fewer than 8 channels
        # writes where it may not.
        places = active[:, :, :: self.stride, :: self.stride]
        return self.shortcut(places) + self.conv2(F.relu(self.norm2(self.conv1(active))))


def _halved(inputs: int, outputs: int) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 5, padding=2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs, 1e-4, affine=False), _leaky(), nn.MaxPool2d(2))


def _leaky() -> nn.Module:
    return nn.LeakyReLU(0.01, inplace=True)


def _down(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(Halve(inputs, outputs), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def _up(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(Double(inputs, outputs), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))
