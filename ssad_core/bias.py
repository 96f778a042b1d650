"""Error bias (Observation 3, Fig. 3): aug changes how well each class of anomalies is found, and not always for the better.

Plain arrays in, plain values out; `views.Comparison` asks for it of its runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from .statistics import Estimate, auc, task_metrics


@dataclass(frozen=True)
class ClassResult:
    """A class as the anomaly: the run's AUC, its baseline's and the relative AUC, with 95% intervals over test images; the
    last two are None where there is no baseline to compare with. Of too few images nothing is better or worse, nor of
    trainings that cannot be ``judged``."""

    name: str
    auc: Estimate
    baseline: float | None
    gain: Estimate | None
    judged: bool = True

    @property
    def better(self) -> bool:
        """Whether the whole interval of the relative AUC lies above zero."""
        return self.judged and self.gain is not None and self.gain.low > 0

    @property
    def worse(self) -> bool:
        """Whether it lies below zero."""
        return self.judged and self.gain is not None and self.gain.high < 0


@dataclass(frozen=True)
class Bias:
    """A run beside its baseline on every other class, the largest relative AUC first (without a baseline the largest AUC).
    ``run`` and ``baseline`` are their names, the latter None where there is none."""

    run: str
    baseline: str | None
    classes: tuple[ClassResult, ...]

    @property
    def telling(self) -> ClassResult:
        """The class that lost most; where none got worse, the one that changed most, and without a baseline the hardest."""
        if self.baseline is None or self.classes[-1].worse:
            return self.classes[-1]
        return max(self.classes, key=lambda row: abs(row.gain.value))

    @property
    def judged(self) -> bool:
        """Whether the trainings are such that a class can be called better or worse."""
        return all(row.judged for row in self.classes)

    @property
    def auc(self) -> float:
        """The mean of the run's AUCs; with equally many test images a class it is the AUC against the rest."""
        return float(np.mean([row.auc.value for row in self.classes]))

    @property
    def baseline_auc(self) -> float | None:
        """The mean of the baseline's AUCs."""
        return None if self.baseline is None else float(np.mean([row.baseline for row in self.classes]))


@dataclass(frozen=True)
class Scored:
    """A detector's name and its scores: of ``normal`` images (n,), and of each other class's (m,)."""

    name: str
    normal: ArrayLike
    classes: Mapping[str, ArrayLike]


def error_bias(run: Scored, baseline: Scored | None = None, *, judged: bool = True) -> Bias:
    """AUC and relative AUC of each class. Both detectors scored the same images in the same order: they are resampled
    together. ``judged``: whether their trainings are such that a class can be called better or worse
    (`cost.can_be_judged`). BadInput on empty or non-finite scores."""
    rows = []
    for name, scores in run.classes.items():
        other = None if baseline is None else (baseline.normal, baseline.classes[name])
        found = task_metrics(run.normal, scores, other, paired=False)
        of_baseline = None if other is None else auc(*other)
        rows.append(ClassResult(name, found.auc, of_baseline, found.relative_auc, judged))
    rows.sort(key=lambda row: (row.gain or row.auc).value, reverse=True)
    return Bias(run.name, baseline.name if baseline else None, tuple(rows))


@dataclass(frozen=True, eq=False)
class ClassScores:
    """The test images of a class, uint8 (n, C, H, W), with each detector's ``scores`` (n,) and ``thresholds`` by its name,
    the run's first."""

    images: np.ndarray
    scores: Mapping[str, np.ndarray]
    thresholds: Mapping[str, float]

    def found(self, detector: str) -> np.ndarray:
        """bool (n,): which of them it calls abnormal."""
        return self.scores[detector] >= self.thresholds[detector]

    @cached_property
    def order(self) -> np.ndarray:
        """The images by the run's score, the lowest first."""
        return np.argsort(next(iter(self.scores.values())), kind="stable")
