"""The one training loop, for every detector (App. A): the images live on the device, nothing is loaded inside it.

The same spec on the same machine with the same torch and thread count gives bit-for-bit the same weights.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor
from torch.optim.adam import adam

from . import detectors
from .errors import BadInput
from .spec import RunSpec

CUDNN = {"allow_tf32": False, "deterministic": True, "benchmark": False}  # what a training wants of it


class TrainingFailed(RuntimeError):
    """The training cannot go on; the text is one sentence for a person."""


@dataclass
class Curve:
    """What the loop has done so far. ``loss`` has the mean of each finished epoch; ``monitor`` the values that the detector
    is watched by before the first and after each, and ``warning`` what both say when it goes wrong."""

    epochs: int
    images_per_epoch: int  # each copy counted
    loss: list[float] = field(default_factory=list)
    images: int = 0  # seen by the optimiser
    seconds: float = 0.0  # in the loop alone, evaluation apart
    began: float | None = None  # when the first step was done (`time.time`)
    monitor: dict[str, list[float]] = field(default_factory=dict)
    warning: str | None = None

    @property
    def epoch(self) -> int:
        return len(self.loss)

    @property
    def images_per_second(self) -> float:
        return self.images / self.seconds if self.seconds else 0.0

    @property
    def done(self) -> float:
        """The share of the training that is behind it, in [0, 1]."""
        return self.images / (self.epochs * self.images_per_epoch)

    @property
    def seconds_left(self) -> float | None:
        """Estimated from the images so far, None before the first."""
        return self.seconds * (1 / self.done - 1) if self.images else None

    def watch(self, detector: detectors.Detector, images: Tensor) -> None:
        """Has the detector settle on the training normals, and keeps what it says."""
        for name, value in detector.settle(images).items():
            self.monitor.setdefault(name, []).append(value)
        self.warning = detector.warning(self.loss, self.monitor)


def choose_device(name: str = "auto") -> torch.device:
    """ "auto" is CUDA where there is one. BadInput for CUDA where there is none."""
    if name not in ("auto", "cpu", "cuda"):
        raise BadInput(f"device must be auto, cpu or cuda, not {name!r}")
    cuda = torch.cuda.is_available()
    if name == "cuda" and not cuda:
        raise BadInput("no CUDA device is usable here; use --device cpu or auto")
    return torch.device("cuda" if cuda and name != "cpu" else "cpu")


def batches(order: Tensor, size: int) -> Iterator[Tensor]:
    """Slices of a shuffled order. The last one is kept, but a remainder of one joins the batch before it, since
    BatchNorm1d needs two."""
    ends = [*range(size, len(order), size), len(order)]
    if len(ends) > 1 and ends[-1] - ends[-2] == 1:
        del ends[-2]
    start = 0
    for end in ends:
        yield order[start:end]
        start = end


@contextmanager
def prepared(device: torch.device, threads: int) -> Iterator[None]:
    """Process-wide settings that make a training repeatable, and float32 what it says: torch has CUDA compute convolutions in
    TF32, whose scores would differ from those that a server computes on its CPU. In the end they are as they were before."""
    before = torch.get_num_threads(), [getattr(torch.backends.cudnn, name) for name in CUDNN]
    if device.type == "cpu":
        torch.set_num_threads(threads)
    for name, value in CUDNN.items():
        setattr(torch.backends.cudnn, name, value)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        for name, value in zip(CUDNN, before[1], strict=True):
            setattr(torch.backends.cudnn, name, value)


class Adam:
    """torch's fused Adam with its default betas and eps (METHOD: code), called as a function: `torch.optim.Adam` would
    first import the compiler that nothing here uses, most of the start of a training process. Weight decay is Adam's own
    (added to the gradient), not AdamW's."""

    def __init__(self, parameters: Iterator[torch.nn.Parameter], weight_decay: float = 0.0) -> None:
        self.parameters, self.weight_decay = list(parameters), weight_decay
        self.means, self.squares = ([torch.zeros_like(p) for p in self.parameters] for _ in range(2))
        self.steps = [torch.zeros((), device=p.device) for p in self.parameters]

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """One update by the gradients that are there, which are dropped."""
        gradients = [cast("Tensor", p.grad) for p in self.parameters]
        hyper = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "amsgrad": False, "maximize": False}
        states = self.means, self.squares, [], self.steps
        rates = {"lr": learning_rate, "weight_decay": self.weight_decay}
        adam(self.parameters, gradients, *states, fused=True, **rates, **hyper)
        for p in self.parameters:
            p.grad = None


def train(
    spec: RunSpec,
    images: Tensor,
    device: torch.device,
    on_epoch: Callable[[detectors.Detector, Curve], Any] = lambda detector, curve: None,
    on_step: Callable[[Curve], Any] = lambda curve: None,
) -> tuple[detectors.Detector, Curve]:
    """Trains a run's detector.

    Parameters
    ----------
    images : float32 (N, C, H, W) in [0, 1], the training normals, N >= 2.
    on_epoch : called after each epoch with the detector in evaluation mode.
    on_step : called after each step of the optimiser; an epoch may take minutes.

    Returns
    -------
    The trained detector in evaluation mode, on ``device``, and the curve.

    Raises
    ------
    TrainingFailed
        When the loss is no finite number.
    BadInput
        With fewer than two images.
    """
    if len(images) < 2:
        raise BadInput(f"training needs at least two images of the normal class; there are {len(images)}")
    settings = spec.settings
    torch.manual_seed(spec.seed)
    detector = detectors.build(spec, *images.shape[1:3])
    network = detector.network.to(device, memory_format=torch.channels_last)
    network.in_bfloat16 = spec.precision == "bfloat16"
    # Not channels_last as the network: most augmentations are faster on whole channels.
    images = images.to(device).contiguous()
    optimiser = Adam(network.parameters(), settings.weight_decay)
    # Apart from torch's global generator: what shuffles and augments must not depend on how many weights were drawn.
    generator = torch.Generator(device).manual_seed(spec.seed)
    curve = Curve(settings.epochs, len(images) * detector.copies)
    network.eval()
    curve.watch(detector, images)
    for epoch in range(settings.epochs):
        start = time.perf_counter() - curve.seconds
        network.train()
        learning_rate = settings.learning_rate * detector.schedule(epoch, settings.epochs)
        total = torch.zeros((), device=device)
        order = torch.randperm(curve.images_per_epoch, generator=generator, device=device)
        for index in batches(order, settings.batch_size):
            loss = detector.loss(images[index % len(images)], index // len(images), generator)
            loss.backward()
            optimiser.step(learning_rate)
            curve.began = curve.began or time.time()
            total += loss.detach() * len(index)
            curve.images += len(index)
            curve.seconds = time.perf_counter() - start
            on_step(curve)
        mean = total.item() / len(order)
        if not math.isfinite(mean):
            raise TrainingFailed(
                f"The loss became {mean} in epoch {epoch + 1}; a learning rate below {settings.learning_rate:g} may help."
            )
        curve.loss.append(mean)
        network.eval()
        curve.watch(detector, images)
        curve.seconds = time.perf_counter() - start
        on_epoch(detector, curve)
    return detector, curve
