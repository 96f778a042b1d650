"""The table of detectors (Sec. 2.4).

Reading the table does not import torch: the app's first paint and the CLI's tables do not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import unknown
from ..spec import RunSpec
from .base import Detector, Examination

__all__ = ["DETECTORS", "Detector", "DetectorInfo", "Examination", "build", "detector_info", "display_name"]


@dataclass(frozen=True)
class DetectorInfo:
    """A row of the table: the field's names, what the score and the explanation are, how it is built.

    ``pictures`` says whether the explanation is an image, to be drawn beside the original. ``schedule`` is what becomes
    of the learning rate, in words.
    """

    name: str
    title: str
    baseline: str | None  # the title of its unsupervised counterpart (with identity), None where there is none
    score: str
    explanation: str
    pictures: bool
    schedule: str
    help: str
    build: Callable[[RunSpec, int], Detector]  # of a run and the images' channels


def _dae(spec: RunSpec, channels: int) -> Detector:
    from .dae import DAE

    return DAE(spec, channels)


def _deepsad(spec: RunSpec, channels: int) -> Detector:
    from .deepsad import DeepSAD

    return DeepSAD(spec, channels)


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
            schedule="is a tenth of it after the first third of the epochs",
            help="Learns codes in which normal images lie near a centre and augmented ones away from it, and scores an "
            "image by its squared distance to that centre. Without augmentation it is DeepSVDD, its baseline.",
            build=_deepsad,
        ),
    )
}


def detector_info(name: str) -> DetectorInfo:
    """The row of a detector. BadInput, with the nearest name, when there is none."""
    if name not in DETECTORS:
        raise unknown("detector", name, DETECTORS)
    return DETECTORS[name]


def build(spec: RunSpec, channels: int) -> Detector:
    """A run's detector with fresh weights, drawn from torch's global generator."""
    return detector_info(spec.detector).build(spec, channels)


def display_name(spec: RunSpec, label: str) -> str:
    """How the paper writes a run: "DAE-CutOut", and "AE" for its baseline."""
    info = detector_info(spec.detector)
    return f"{info.title}-{label}" if not spec.is_baseline else info.baseline or info.title
