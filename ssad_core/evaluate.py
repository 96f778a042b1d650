"""From a trained detector to scores, codes and the AUC of every task it serves (Sec. 3, "Evaluation")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from . import detectors
from .data import Dataset
from .detectors import Detector, Examination
from .samples import Samples, to_float
from .spec import CONTROLLED, LIVE, Anomaly, Params, RunSpec
from .statistics import auc
from .store import Damaged, StoredRun, short

LIVE_LIMIT = 256  # images a side while training: 256 normal and 256 anomalous ones
LIVE_LEAST = 32  # of a detector that looks at each image so often that 256 would take long
# Images of a forward pass: the activations of more do not fit a CPU's cache, which halved AP's speed; a GPU waits for less.
BATCH = {"cpu": 128, "cuda": 1024}
PICTURES = 5  # images a side whose explanations are shown while training
SNAPSHOTS = 8  # evaluations in the course of a training, at most

Arrays = dict[str, np.ndarray]


def examine(detector: Detector, images: Tensor) -> Examination:
    """`Detector.examine` of float images (N, C, H, W) in batches; the results are on the CPU."""
    device = next(detector.network.parameters()).device
    batches = images.split(BATCH[device.type])
    parts = [detector.examine(part.to(device).contiguous(memory_format=torch.channels_last)) for part in batches]
    return Examination(*(torch.cat([part[i] for part in parts]).float().cpu().contiguous() for i in range(3)))


@dataclass
class Live:
    """Evaluates a training as it goes on, on 256 fixed test normals and 256 anomalies of each of `spec.LIVE`, so 512 images
    an AUC; AP, which looks at K versions of each, on 256/K, or 32. Only shown: nothing is stopped or chosen by it.

    `arrays` has the snapshots so far: "epochs" (E,); for "normal" and each anomaly's key "scores/<kind>" (E, n) and
    "originals/<kind>" (p, C, H, W), the first p images; and where the detector's explanations are ``pictures``, those of
    these images, "images/<kind>" (E, p, C, H, W) uint8.
    """

    groups: dict[str, Tensor]
    pictures: bool
    epochs: list[int] = field(default_factory=list)
    rows: list[Arrays] = field(default_factory=list)

    @classmethod
    def of(cls, samples: Samples, spec: RunSpec) -> Live:
        info = detectors.detector_info(spec.detector)
        limit = max(LIVE_LEAST, LIVE_LIMIT // info.copies(spec.augment))
        groups = {kind.key: samples.anomalous(kind, spec.profile, limit) for kind in LIVE}
        return cls({"normal": to_float(samples.test_normal()[:limit]), **groups}, info.pictures)

    def due(self, epoch: int, epochs: int) -> bool:
        """Whether to evaluate after this epoch (counted from 1): the first, the last and evenly between, half of the epochs
        at most, since each evaluation takes some 0.3 s of a quick training."""
        count = min(SNAPSHOTS, max(2, epochs // 2))
        return epoch in {1 + round((epochs - 1) * k / (count - 1)) for k in range(count)}

    def evaluate(self, detector: Detector, epoch: int) -> None:
        row: Arrays = {}
        for kind, images in self.groups.items():
            scores, _, explanation = examine(detector, images)
            row[f"scores/{kind}"] = scores.numpy()
            if self.pictures:
                row[f"images/{kind}"] = to_bytes(explanation[:PICTURES])
        self.epochs.append(epoch)
        self.rows.append(row)

    def auc(self) -> dict[str, float]:
        """The latest AUC of each kind of anomaly."""
        row = self.rows[-1]
        return {kind: auc(row["scores/normal"], row[f"scores/{kind}"]) for kind in self.groups if kind != "normal"}

    def arrays(self) -> Arrays:
        stacked = {name: np.stack([row[name] for row in self.rows]) for name in self.rows[0]}
        originals = {f"originals/{kind}": to_bytes(images[:PICTURES]) for kind, images in self.groups.items()}
        return {"epochs": np.array(self.epochs), **stacked, **originals}


def to_bytes(images: Tensor) -> np.ndarray:
    """Images in [0, 1] (clipped to it) as uint8, for looking at."""
    return images.clamp(0, 1).mul(255).round().byte().numpy()


@dataclass(frozen=True)
class Evaluation:
    """Scores (n,) and codes (n, hidden) of each group (see `StoredRun`), and the AUC of each anomaly's key and "rest"."""

    scores: Arrays
    codes: Arrays
    auc: dict[str, float]


def view_training(samples: Samples, spec: RunSpec) -> dict[str, Tensor]:
    """The fixed sample of training normals and what aug makes of them, for the views."""
    images = samples.train_shown()
    augmented = samples.augmented(images, spec.augment, spec.profile, dict(spec.params))
    return {"train normal": to_float(images), "train augmented": augmented}


def evaluate(
    detector: Detector, samples: Samples, spec: RunSpec, report: Callable[[float], Any] = lambda done: None
) -> Evaluation:
    """Scores what a finished run is first asked for: all test images, the gens of the controlled testbed, the training
    sample. `anomaly_results` computes other gens when they are asked for. ``report`` gets the share that is done."""
    tasks = [*CONTROLLED, *samples.classes()]
    scores: Arrays = {}
    codes: Arrays = {}

    def add(group: str, images: Tensor) -> None:
        report(len(scores) / (len(tasks) + 3))  # two groups of training images and the test normals beside the tasks
        found = examine(detector, images)
        scores[group], codes[group] = found.scores.numpy(), found.codes.numpy()

    for group, images in view_training(samples, spec).items():
        add(group, images)
    add("normal", to_float(samples.test_normal()))
    for anomaly in tasks:
        add(anomaly.key, samples.anomalous(anomaly, spec.profile))
    report(1.0)
    values = {anomaly.key: auc(scores["normal"], scores[anomaly.key]) for anomaly in tasks}
    values["rest"] = auc(scores["normal"], np.concatenate([scores[a.key] for a in samples.classes()]))
    return Evaluation(scores, codes, values)


def examine_stored(run: StoredRun, images: Tensor) -> Examination:
    """`examine` by the stored run's weights, on the CPU."""
    return examine(_stored_detector(run, *images.shape[1:3]), images)


def explain_stored(run: StoredRun, codes: np.ndarray, channels: int, size: int) -> Tensor:
    """The explanations of images (N, channels, size, size) by their codes (N, hidden) and the stored run's weights, on the
    CPU."""
    detector = _stored_detector(run, channels, size)
    return torch.cat([detector.explain(part) for part in torch.from_numpy(codes).split(BATCH["cpu"])]).contiguous()


def _stored_detector(run: StoredRun, channels: int, size: int) -> Detector:
    detector = detectors.build(run.spec, channels, size)
    weights = {name: torch.from_numpy(value) for name, value in run.read_weights().items()}
    try:
        detector.network.load_state_dict(weights)
    except RuntimeError as error:
        raise Damaged(
            f"{run.id}/{run.weights.name} is of another network; delete the run and train it again"
        ) from error
    detector.network.to(memory_format=torch.channels_last).eval()
    return detector


def anomaly_results(run: StoredRun, anomaly: Anomaly, dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Scores and codes of a task's anomalies in the run's data set: stored, put together from stored ones, or, for a gen
    that no run is scored on by itself, computed once by the stored weights and kept with the run. Never trains."""
    samples = Samples.of(run.spec, dataset)
    if anomaly.kind == "rest":
        keys = [other.key for other in samples.classes()]
        return tuple(np.concatenate([kept[key] for key in keys]) for kept in (run.scores, run.codes))  # type: ignore[return-value]
    if anomaly.key in run.scores:
        return run.scores[anomaly.key], run.codes[anomaly.key]

    def compute() -> Arrays:
        found = examine_stored(run, samples.anomalous(anomaly, run.spec.profile))
        return {"scores": found.scores.numpy(), "codes": found.codes.numpy()}

    kept = run.remember(_derived_name(anomaly), compute)
    return kept["scores"], kept["codes"]


def augmented_results(run: StoredRun, name: str, params: Params, dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Scores and codes that ``run`` gives to the training sample under an augmentation, its own or another, as a baseline
    is asked about that of the run beside it. Computed once, kept with the run."""
    if (run.spec.augment, run.spec.params) == (name, params):
        return run.scores["train augmented"], run.codes["train augmented"]

    def compute() -> Arrays:
        samples = Samples.of(run.spec, dataset)
        found = examine_stored(run, samples.augmented(samples.train_shown(), name, run.spec.profile, dict(params)))
        return {"scores": found.scores.numpy(), "codes": found.codes.numpy()}

    kept = run.remember(f"augmented-{short(name, params, run.spec.profile)}", compute)
    return kept["scores"], kept["codes"]


def has_results(run: StoredRun, anomaly: Anomaly) -> bool:
    """Whether `anomaly_results` has nothing to compute."""
    return anomaly.kind == "rest" or anomaly.key in run.scores or run.derived(_derived_name(anomaly)) is not None


def _derived_name(anomaly: Anomaly) -> str:
    return f"anomaly-{short(anomaly.key)}"
