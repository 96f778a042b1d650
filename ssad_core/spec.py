"""What a run is: a frozen, validated description with one canonical text, whose hash names the run.

The same request has the same id, whoever asks and however. Here the order of parameters and the kind of a number (12.0
epochs, -0.0) make no difference. Presets are resolved to their settings, and parameters at their default left out, before
there is a spec: `settings_for` and, for all that pages and the command line ask, `question.check_augment`; a default in
``params`` of a spec made by hand stays and makes another run. So does all else that happens to compute the same: a limit of
0 and one of as many images as there are, a run without a switch (AE) in either profile.

One run serves every anomaly, so nothing of a task (METHOD: "Tasks") is part of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any, Literal

from .errors import BadInput, unknown
from .protocol import METHOD_VERSION, PROFILES

Params = tuple[tuple[str, float], ...]

GPU_PARTS = 10  # whole numbers, since tenths do not always add up again
PRECISIONS = ("float32", "bfloat16")  # that a network's layers compute in while it is trained


def exact(value: float) -> str:
    """The shortest text that reads back as the same number.

    >>> exact(0.4), exact(1000), exact(1e-5)
    ('0.4', '1000', '1e-05')
    """
    return repr(float(value)).removesuffix(".0")


@dataclass(frozen=True)
class Settings:
    """The training settings of a run. `RANGES` has what each may be.

    ``limit`` is the number of training images and ``test_limit`` that of test images a class, 0 for all.
    """

    epochs: int
    features: int  # channels of the first convolution (App. A), of AP's first stage; those of the next grow with them
    hidden: int  # size of the code
    batch_size: int
    limit: int
    test_limit: int
    learning_rate: float = 1e-3
    weight_decay: float = 0.0  # Adam's own, added to the gradient: not AdamW's

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            low, high = RANGES[name]
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not low <= value <= high:  # NaN lies nowhere
                raise BadInput(f"{name} must be a number between {low} and {high}, not {value!r:.60}")
            if isinstance(low, int) and value != int(value):
                raise BadInput(f"{name} must be a whole number, not {value!r}")
            object.__setattr__(self, name, type(low)(value) + 0)  # 12.0 epochs are 12, -0.0 is 0: one spec, one text

    def threads(self, cores: int) -> int:
        """CPU threads of a training. The layers of a quick run are too small to be shared out: one thread each, and two
        runs side by side on two cores are done sooner than one after the other on both."""
        return 1 if self.features * self.batch_size <= 1024 else cores

    @property
    def gpu_share(self) -> int:
        """Parts of a GPU, of `GPU_PARTS`. With 16 features a step is many kernels of some microseconds, and a GPU waits for
        the process that launches them: ten such trainings share it, as many as a data set has classes. At the paper's size
        DAE has it to itself."""
        return 1 if self.features * self.batch_size <= 16384 else GPU_PARTS


TITLES = {  # what a person calls them
    "epochs": "Epochs",
    "features": "Features",
    "hidden": "Code size",
    "batch_size": "Batch size",
    "limit": "Training images",
    "test_limit": "Test images a class",
    "learning_rate": "Learning rate",
    "weight_decay": "Weight decay",
}

RANGES: dict[str, tuple[float, float]] = {
    "epochs": (1, 10_000),
    "features": (1, 512),
    "hidden": (2, 4096),
    "batch_size": (2, 65_536),
    "limit": (0, 10_000_000),
    "test_limit": (0, 10_000_000),
    "learning_rate": (1e-7, 1.0),
    "weight_decay": (0.0, 1.0),
}

# Of each detector where nobody has set it (METHOD: code; of AP half of its square is added to the loss).
WEIGHT_DECAY = {"dae": 0.0, "deepsad": 0.5e-6, "ap": 5e-4}


@dataclass(frozen=True)
class RunSpec:
    """One training: data, detector, augmentation, settings, seed and protocol."""

    dataset: str
    fingerprint: str  # of the data set's content, not of the place it came from
    normal_class: int
    detector: str
    augment: str
    params: Params
    settings: Settings
    seed: int = 0
    profile: str = "paper"
    precision: str = "float32"
    method: int = METHOD_VERSION

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise unknown("profile", self.profile, PROFILES)
        if self.precision not in PRECISIONS:
            raise unknown("precision", self.precision, PRECISIONS)
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or not 0 <= self.seed < 2**31:
            raise BadInput(f"seed must be a whole number from 0 to {2**31 - 1}, not {self.seed!r}")
        # + 0.0 makes -0.0 the zero that it equals.
        object.__setattr__(self, "params", tuple(sorted((k, float(v) + 0.0) for k, v in self.params)))

    @cached_property  # a page asks for it a hundred times
    def id(self) -> str:
        """Sixteen hex digits of the SHA-256 of `canonical`."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()[:16]

    def canonical(self) -> str:
        """The one JSON text of this spec: sorted keys, no spaces, parameters as an object. What could not be set at first is
        left out where it is what it was then: float32, and the detector's own weight decay."""
        values = self.to_dict()
        if self.precision == "float32":
            del values["precision"]
        if self.settings.weight_decay == WEIGHT_DECAY.get(self.detector):
            del values["settings"]["weight_decay"]
        return json.dumps(values, sort_keys=True, separators=(",", ":"))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; `from_dict` is the inverse."""
        return {**asdict(self), "params": dict(self.params)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunSpec:
        """The spec that `to_dict` described. BadInput when it is not one."""
        try:
            own = {"weight_decay": WEIGHT_DECAY[values["detector"]]} if values["detector"] in WEIGHT_DECAY else {}
            settings = Settings(**{**own, **values["settings"]})
            return cls(**{**values, "params": tuple(values["params"].items()), "settings": settings})
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise BadInput(f"not a run's description: {error}") from error

    @property
    def is_baseline(self) -> bool:
        """Whether this is the unsupervised counterpart (Sec. 3): AE for DAE, DeepSVDD for DeepSAD."""
        return self.augment == "identity"

    def baseline(self) -> RunSpec:
        """The same run without augmentation; every relative AUC is measured against it."""
        return replace(self, augment="identity", params=())


@dataclass(frozen=True)
class Anomaly:
    """What is called anomalous in a task: a gen on the normal test images, another class, or the rest.

    ``key`` is its name in results and addresses: ``gen:cutout``, ``gen:cutout(c=0.4)``, ``class:Automobile``,
    ``rest``. One anomaly, one key.
    """

    kind: Literal["gen", "class", "rest"]
    name: str = ""
    params: Params = ()

    @property
    def key(self) -> str:
        if self.kind == "rest":
            return "rest"
        inner = ",".join(f"{k}={exact(v)}" for k, v in sorted(self.params))
        return f"{self.kind}:{self.name}" + (f"({inner})" if inner else "")

    @property
    def paired(self) -> bool:
        """Whether anomaly i is made of normal image i (the controlled testbed, Sec. 3)."""
        return self.kind == "gen"


# The gens of the controlled testbed (Sec. 3) are scored with every run, any other one when it is first asked for.
CONTROLLED = (Anomaly("gen", "cutout"), Anomaly("gen", "flip"), Anomaly("gen", "invert"))

# What is evaluated in the course of a training: those and all other classes together. More would slow it down.
LIVE = (*CONTROLLED, Anomaly("rest"))

OVERRIDABLE = tuple(field.name for field in fields(Settings))
