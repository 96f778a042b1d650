"""What each detector is trained with, by preset. Reading it does not import torch.

quick shows the effect within seconds on two cores (AP within a minute), standard takes at most three minutes there (AP
fifteen), paper is App. A and METHOD.md's "(code)".
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import NamedTuple

from ..augment import AUGMENTATIONS
from ..spec import WEIGHT_DECAY, Settings

PRESETS = ("quick", "standard", "paper")
SMALL = ("digits",)  # some 120 training images a class: with the others' presets 10 to 70 steps, hardly a training

Presets = dict[str, Settings]


class LeNet(NamedTuple):
    """The sizes of a LeNet: the channels of its convolutions, and the outputs of the linear layers after them."""

    convolutions: tuple[int, ...]
    linear: tuple[int, ...]

    def scaled(self, features: int, hidden: int) -> LeNet:
        """The same with ``features`` channels in the first convolution and a code of size ``hidden``.

        >>> LENETS["cifar10"].scaled(8, 64)
        LeNet(convolutions=(8, 16, 32), linear=(64,))
        """
        return LeNet(
            tuple(max(1, width * features // self.convolutions[0]) for width in self.convolutions),
            tuple(size * hidden // self.linear[-1] for size in self.linear),
        )


# DeepSAD's networks (METHOD: code), by the data set that they were made for.
LENETS: dict[str, LeNet] = {
    "mnist": LeNet((8, 4), (32,)),
    "fashion_mnist": LeNet((16, 32), (128, 64)),
    "cifar10": LeNet((32, 64, 128), (128,)),
}


def lenet(dataset: str, channels: int) -> LeNet:
    """The LeNet of a data set: MNIST's for handwritten digits, else CIFAR's for colour and Fashion-MNIST's for grey."""
    if dataset in ("mnist", "digits"):
        return LENETS["mnist"]
    return LENETS["cifar10" if channels == 3 else "fashion_mnist"]


def dae(dataset: str, channels: int, aug: str) -> Presets:
    # quick's batch is 32, since at 256 the effect drowned in the spread of the seeds.
    presets = {
        "quick": Settings(epochs=8, features=16, hidden=128, batch_size=32, limit=1000, test_limit=400),
        "standard": Settings(epochs=32, features=32, hidden=256, batch_size=128, limit=2500, test_limit=0),
        "paper": Settings(epochs=256, features=64, hidden=256, batch_size=1024, limit=0, test_limit=0),
    }
    return _longer(presets) if dataset in SMALL else presets


def deepsad(dataset: str, channels: int, aug: str) -> Presets:
    network = lenet(dataset, channels)
    sizes = {"features": network.convolutions[0], "hidden": network.linear[-1]}
    quick = {**sizes, "features": min(8, sizes["features"]), "limit": 1000, "test_limit": 400}
    own = partial(Settings, weight_decay=WEIGHT_DECAY["deepsad"])
    presets = {
        "quick": own(epochs=8, batch_size=32, learning_rate=1e-3, **quick),
        "standard": own(epochs=10, batch_size=128, limit=2000, test_limit=0, learning_rate=1e-3, **sizes),
        "paper": own(epochs=150, batch_size=128, limit=0, test_limit=0, learning_rate=1e-4, **sizes),
    }
    return _longer(presets) if dataset in SMALL else presets


def _longer(presets: Presets) -> Presets:
    """Short ones with more steps of the optimiser for a data set of `SMALL`: four to eight to an epoch, and more epochs."""
    quick, standard = presets["quick"], presets["standard"]
    return {**presets, "quick": replace(quick, epochs=32), "standard": replace(standard, epochs=64, batch_size=32)}


def ap(dataset: str, channels: int, aug: str) -> Presets:
    """An epoch is over K times the images, so that the more functions there are the fewer epochs it takes. Up to standard
    the network has width 1 instead of 4."""
    k = AUGMENTATIONS[aug].classes
    few = {"limit": 300, "test_limit": 200 if k < 10 else 100}  # in the test, too, each image is looked at K times
    own = partial(Settings, batch_size=128, weight_decay=WEIGHT_DECAY["ap"])
    quick = own(epochs=-(-72 // k), features=16, hidden=64, **few)
    return {
        "quick": replace(quick, batch_size=64) if dataset in SMALL else quick,
        "standard": own(epochs=-(-100 // k), features=16, hidden=64, limit=2500, test_limit=0),
        "paper": own(epochs=-(-200 // k), features=64, hidden=256, limit=0, test_limit=0),
    }
