"""The table of detectors (Sec. 2.4).

Reading the table does not import torch: the app's first paint and the CLI's tables do not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import unknown
from ..spec import RunSpec, Settings
from .base import Detector, Examination

__all__ = ["DETECTORS", "Detector", "DetectorInfo", "Examination", "build", "detector_info", "display_name"]


@dataclass(frozen=True)
class DetectorInfo:
    """A row of the table: the field's names, what the score and the explanation are, how it is built."""

    name: str
    title: str
    baseline: str | None  # the title of its unsupervised counterpart (with identity), None where there is none
    score: str
    explanation: str
    help: str
    build: Callable[[int, Settings], Detector]


def _dae(channels: int, settings: Settings) -> Detector:
    from .dae import DAE

    return DAE(channels, settings)


DETECTORS: dict[str, DetectorInfo] = {
    "dae": DetectorInfo(
        name="dae",
        title="DAE",
        baseline="AE",
        score="reconstruction error (mean squared error)",
        explanation="reconstruction",
        help="Denoising autoencoder: learns to undo the augmentation, and scores an image by how badly it is "
        "reconstructed. Without augmentation it is the plain autoencoder (AE), its baseline.",
        build=_dae,
    ),
}


def detector_info(name: str) -> DetectorInfo:
    """The row of a detector. BadInput, with the nearest name, when there is none."""
    if name not in DETECTORS:
        raise unknown("detector", name, DETECTORS)
    return DETECTORS[name]


def build(spec: RunSpec, channels: int) -> Detector:
    """A run's detector with fresh weights, drawn from torch's global generator."""
    return detector_info(spec.detector).build(channels, spec.settings)


def display_name(spec: RunSpec, label: str) -> str:
    """How the paper writes a run: "DAE-CutOut", and "AE" for its baseline."""
    info = detector_info(spec.detector)
    return f"{info.title}-{label}" if not spec.is_baseline else info.baseline or info.title
