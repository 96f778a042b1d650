"""The paper's testbeds (Sec. 3): each class of a data set once as the normal one, its tasks in the wild (every other class)
and controlled ones (every gen); the fewest trainings that serve them all, and what each aug gains over them (Finding 1,
Obs. 4; Figs. 2, 5, 10 to 12).

One training serves all tasks of its normal class, so over the paper's four data sets 420 tasks are 40 trainings for each aug.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from .data import DATASETS, Dataset
from .detectors import augs, detector_info
from .errors import BadInput
from .question import Question, anomaly_name
from .spec import CONTROLLED, RunSpec
from .statistics import clustered_interval, pseudo_median, wilcoxon_greater
from .store import StoredRun

WILD = "in the wild"
FAMILIES = (*(anomaly.key for anomaly in CONTROLLED), WILD)  # of tasks, a figure each
PAPER_DATASETS = ("mnist", "fashion_mnist", "svhn", "cifar10")
PAPER_CONTROLLED = ("svhn", "cifar10")  # Sec. 3: SVHN-C and CIFAR-10C
HELPFUL, HARMFUL = 0.05, 0.95  # of p (Sec. 4.1)
FEWEST_CLASSES = 6  # of which there can be a 95% interval, and a p below .05 or above .95


def trainings(question: Question, dataset: Dataset, chosen: Sequence[str] = ()) -> list[RunSpec]:
    """Of each class of the data set the baseline and each of the ``chosen`` augs, all for none, with the question's detector
    and settings; class by class, so that what is there at any time is a smaller testbed and not one with holes. BadInput as
    of `check_baseline` and `Question.run`."""
    check_baseline(question.detector)
    names = ["identity", *(name for name in chosen or augs(question.detector) if name != "identity")]
    asked = [question.with_aug(name) for name in names]
    labels = dataset.info.normal_classes
    return [replace(each, normal_class=label).run(dataset) for label in labels for each in asked]


def check_baseline(detector: str) -> None:
    """BadInput for a detector without a baseline."""
    info = detector_info(detector)
    if info.baseline is None:
        raise BadInput(
            f"{info.title} has no baseline, so no relative AUC: the testbeds are for detectors that have one"
        )


class Gain(NamedTuple):
    """The relative AUC of one training on one task."""

    aug: str
    family: str
    dataset: str
    normal_class: int
    task: str
    value: float

    @property
    def in_paper(self) -> bool:
        """Whether it is one of the paper's 420 tasks."""
        return self.dataset in (PAPER_DATASETS if self.family == WILD else PAPER_CONTROLLED)

    @property
    def model(self) -> tuple[str, int]:
        """What the tasks of one training have in common."""
        return self.dataset, self.normal_class


def gains(runs: Iterable[StoredRun]) -> list[Gain]:
    """Of each run that has its baseline among the ``runs``, on each of its tasks. What comes of a training that went wrong
    says nothing, and is left out with all that would be set against it."""
    known = {run.id: run for run in runs if not run.warning}
    found = []
    for run in known.values():
        baseline = known.get(run.spec.baseline().id)
        if run.spec.is_baseline or baseline is None:
            continue
        spec = run.spec
        for task, auc in run.result["auc"].items():
            if family := _family(task):
                gain = auc - baseline.result["auc"][task]
                found.append(Gain(spec.augment, family, spec.dataset, spec.normal_class, task, gain))
    return found


def _family(task: str) -> str | None:
    return WILD if task.startswith("class:") else task if task in FAMILIES else None


@dataclass(frozen=True)
class Summary:
    """What an aug gains over the ``tasks`` of a family, by as many ``models``: the pseudo-median of relative AUC with its 95%
    interval, the interval by a bootstrap of whole normal classes, whose tasks share a model, and p of the one-sided Wilcoxon
    test. There is neither an interval nor p of fewer than `FEWEST_CLASSES` models, and no p where fewer tasks differ at all,
    or images overlap."""

    aug: str
    tasks: int
    models: int
    median: float
    interval: tuple[float, float] | None
    clustered: tuple[float, float] | None
    p: float | None

    @property
    def verdict(self) -> str:
        """Sec. 4.1: by p alone, which takes tasks for independent."""
        if self.models < FEWEST_CLASSES:
            return "too few classes"
        if self.p is None or HELPFUL <= self.p <= HARMFUL:
            return "neither"
        return "helpful" if self.p < HELPFUL else "harmful"


def summary(some: Sequence[Gain]) -> Summary:
    """Of the gains of one aug and family, at least one."""
    values, models = [gain.value for gain in some], [gain.model for gain in some]
    counts = len(some), len(set(models))
    median, *interval = pseudo_median(values)
    if counts[1] < FEWEST_CLASSES:
        return Summary(some[0].aug, *counts, median, None, None, None)
    clustered = clustered_interval(values, [sorted(set(models)).index(model) for model in models])
    overlap = any(gain.dataset in DATASETS and not DATASETS[gain.dataset].independent for gain in some)
    told = not overlap and np.count_nonzero(values) >= FEWEST_CLASSES
    return Summary(some[0].aug, *counts, median, tuple(interval), clustered, wilcoxon_greater(values) if told else None)


def summaries(
    found: Iterable[Gain], family: str, summarise: Callable[[Sequence[Gain]], Summary] = summary
) -> list[Summary]:
    """Of each aug, the one that gains most first. Those of fewer normal classes than others are not comparable with them, and
    come last."""
    groups: dict[str, list[Gain]] = {}
    for gain in found:
        if gain.family == family:
            groups.setdefault(gain.aug, []).append(gain)
    rows = [summarise(some) for some in groups.values()]
    return sorted(rows, key=lambda row: (-row.models, -row.median, row.aug))


def family_title(family: str) -> str:
    """ "gen CutOut", or "in the wild"."""
    return next((f"gen {anomaly_name(a)}" for a in CONTROLLED if a.key == family), family)
