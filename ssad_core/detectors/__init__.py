"""The table of detectors (Sec. 2.4).

Reading the table does not import torch: the app's first paint and the CLI's tables do not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from .. import augment
from ..errors import unknown
from ..spec import RunSpec, Settings
from . import presets as by_preset
from .base import Detector, Examination
from .presets import PRESETS, Presets

__all__ = [
    "DETECTORS",
    "PRESETS",
    "Detector",
    "DetectorInfo",
    "Examination",
    "augs",
    "build",
    "detector_info",
    "display_name",
    "nearest_preset",
    "preset_of",
    "presets_for",
    "settings_for",
    "with_baseline",
]


@dataclass(frozen=True)
class DetectorInfo:
    """A row of the table: the field's names, what the score and the explanation are, how it is built.

    baseline : the title of its unsupervised counterpart, which has the identity for aug; None where there is none, and the
        identity is no aug for it.
    pictures : whether the explanation is an image, to be drawn beside the original.
    predicts : whether it tells aug's K functions apart, and so applies each to every image in an epoch, always.
    schedule : what becomes of the learning rate, in words.
    presets : the settings of each of `PRESETS`, by data set, its channels and aug.
    build : of a run and the images' channels and size.
    """

    name: str
    title: str
    baseline: str | None
    score: str
    explanation: str
    pictures: bool
    predicts: bool
    schedule: str
    help: str
    presets: Callable[[str, int, str], Presets]
    build: Callable[[RunSpec, int, int], Detector]

    @property
    def role(self) -> str:
        """The role (`augment.get`) that aug has in its training."""
        return "analysis" if self.predicts else "aug"

    def copies(self, aug: str) -> int:
        """How often it sees each image in an epoch: once, or each of aug's K functions of it."""
        return augment.AUGMENTATIONS[aug].classes if self.predicts else 1


def _dae(spec: RunSpec, channels: int, size: int) -> Detector:
    from .dae import DAE

    return DAE(spec, channels, size)


def _ap(spec: RunSpec, channels: int, size: int) -> Detector:
    from .ap import AP

    return AP(spec, channels, size)


def _deepsad(spec: RunSpec, channels: int, size: int) -> Detector:
    from .deepsad import DeepSAD

    return DeepSAD(spec, channels, size)


DETECTORS: dict[str, DetectorInfo] = {
    row.name: row
    for row in (
        DetectorInfo(
            name="dae",
            title="DAE",
            baseline="AE",
            score="reconstruction error (mean squared error)",
            explanation="reconstruction",
            pictures=True,
            predicts=False,
            presets=by_preset.dae,
            schedule="falls to 0 along a cosine",
            help="Denoising autoencoder: learns to undo the augmentation, and scores an image by how badly it is "
            "reconstructed. Without augmentation it is the plain autoencoder (AE), its baseline.",
            build=_dae,
        ),
        DetectorInfo(
            name="deepsad",
            title="DeepSAD",
            baseline="DeepSVDD",
            score="squared distance to the centre of the normal codes",
            explanation="distance to the centre",
            pictures=False,
            predicts=False,
            presets=by_preset.deepsad,
            schedule="is a tenth of it after the first third of the epochs",
            help="Learns codes in which normal images lie near a centre and augmented ones away from it, and scores an "
            "image by its squared distance to that centre. Without augmentation it is DeepSVDD, its baseline.",
            build=_deepsad,
        ),
        DetectorInfo(
            name="ap",
            title="AP",
            baseline=None,
            score="negative sum of the probabilities of the right functions (−K to 0)",
            explanation="probability of each function of aug",
            pictures=False,
            predicts=True,
            presets=by_preset.ap,
            schedule="stays as it is",
            help="Augmentation prediction: learns to tell which of aug's K functions an image was changed by (Rotate: four "
            "quarter turns; CutOut: erased or not), and scores an image by how unsure it is of that. It has no "
            "unsupervised counterpart, and is the slowest of the three.",
            build=_ap,
        ),
    )
}


def detector_info(name: str) -> DetectorInfo:
    """The row of a detector. BadInput, with the nearest name, when there is none."""
    if name not in DETECTORS:
        raise unknown("detector", name, DETECTORS)
    return DETECTORS[name]


def augs(detector: str) -> list[str]:
    """The augmentations that a detector can have for aug: all, without the identity where it has no baseline."""
    every = list(augment.AUGMENTATIONS)
    return every if detector_info(detector).baseline else [name for name in every if name != "identity"]


def with_baseline(spec: RunSpec) -> list[RunSpec]:
    """The run's unsupervised baseline, then the run: one where it is that baseline, or where there is none."""
    return [spec.baseline(), spec] if detector_info(spec.detector).baseline and not spec.is_baseline else [spec]


def presets_for(detector: str = "dae", dataset: str = "photos", channels: int = 3, aug: str = "cutout") -> Presets:
    """The settings of each of `PRESETS` for a detector and its aug on a data set, whose images have ``channels``."""
    return detector_info(detector).presets(dataset, channels, aug)


def settings_for(
    preset: str,
    detector: str = "dae",
    dataset: str = "photos",
    channels: int = 3,
    aug: str = "cutout",
    **overrides: float | None,
) -> Settings:
    """The preset's settings with each override that is not None. BadInput names what is wrong."""
    if preset not in PRESETS:
        raise unknown("preset", preset, PRESETS)
    chosen = presets_for(detector, dataset, channels, aug)[preset]
    return replace(chosen, **{k: v for k, v in overrides.items() if v is not None})


def preset_of(
    settings: Settings, detector: str = "dae", dataset: str = "photos", channels: int = 3, aug: str = "cutout"
) -> str | None:
    """The name of the preset whose settings these are, if any."""
    known = presets_for(detector, dataset, channels, aug)
    return next((name for name, preset in known.items() if preset == settings), None)


def nearest_preset(
    settings: Settings, detector: str = "dae", dataset: str = "photos", channels: int = 3, aug: str = "cutout"
) -> str:
    """The name of the preset from which the fewest of these settings differ."""
    known = presets_for(detector, dataset, channels, aug)
    own = asdict(settings).items()
    return min(known, key=lambda name: len(own - asdict(known[name]).items()))


def build(spec: RunSpec, channels: int, size: int = 32) -> Detector:
    """A run's detector for images (N, channels, size, size), with fresh weights from torch's global generator."""
    return detector_info(spec.detector).build(spec, channels, size)


def display_name(spec: RunSpec, label: str) -> str:
    """How the paper writes a run: "DAE-CutOut", and "AE" for its baseline."""
    info = detector_info(spec.detector)
    return f"{info.title}-{label}" if not spec.is_baseline else info.baseline or info.title
