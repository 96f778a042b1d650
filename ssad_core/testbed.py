"""The paper's testbeds (Sec. 3): each class of a data set once as the normal one, its tasks in the wild (every other class)
and controlled ones (every gen); the fewest trainings that serve them all, and what each aug gains over them (Finding 1,
Obs. 2 and 4; Figs. 2, 4b, 5, 10 to 12).

One training serves all tasks of its normal class, so over the paper's four data sets 420 tasks are 40 trainings for each aug.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from .cost import can_be_judged
from .data import DATASETS, Dataset
from .detectors import augs, detector_info
from .errors import BadInput
from .question import Question, anomaly_name
from .spec import CONTROLLED, RunSpec, Settings
from .statistics import clustered_interval, pseudo_median, wilcoxon_greater
from .store import StoredRun
from .variants import agreement, variants

WILD = "in the wild"
FAMILIES = (*(anomaly.key for anomaly in CONTROLLED), WILD)  # of tasks, a figure each
PAPER_DATASETS = ("mnist", "fashion_mnist", "svhn", "cifar10")
PAPER_CONTROLLED = ("svhn", "cifar10")  # Sec. 3: SVHN-C and CIFAR-10C
PAPER = {**dict.fromkeys(FAMILIES, PAPER_CONTROLLED), WILD: PAPER_DATASETS}  # a family's data sets
HELPFUL, HARMFUL = 0.05, 0.95  # of p (Sec. 4.1)
ROUNDING = 1e-9  # by which equal differences of AUCs may differ
FEWEST_CLASSES = 6  # of which there can be a 95% interval, and a p below .05 or above .95


def trainings(
    question: Question, dataset: Dataset, chosen: Sequence[str] = (), vary: Sequence[str] = ()
) -> list[RunSpec]:
    """`trainings_of` each class of the data set as the normal one; class by class, so that what is there at any time is a
    smaller testbed and not one with holes."""
    classes = dataset.info.normal_classes
    return [s for name in classes for s in trainings_of(replace(question, normal_class=name), dataset, chosen, vary)]


def trainings_of(
    question: Question, dataset: Dataset, chosen: Sequence[str] = (), vary: Sequence[str] = ()
) -> list[RunSpec]:
    """Of the question's normal class the baseline and each of the ``chosen`` augs, all for none, with the question's detector
    and settings, or with all `variants` of these in what is to ``vary``. BadInput as of these, `check_baseline` and
    `Question.run`."""
    check_baseline(question.detector)
    names = ["identity", *(name for name in chosen or augs(question.detector) if name != "identity")]
    asked = [replace(question, settings=settings) for settings in variants(question.settings, vary)]
    return [each.with_aug(name).run(dataset) for each in asked for name in names]


def check_baseline(detector: str) -> None:
    """BadInput for a detector without a baseline."""
    info = detector_info(detector)
    if info.baseline is None:
        raise BadInput(
            f"{info.title} has no baseline, so no relative AUC: the testbeds are for detectors that have one"
        )


class Gain(NamedTuple):
    """The relative AUC of one training on one task, which is of one of the `FAMILIES`, or is "rest"; ``judged``: whether it
    and its baseline are trained enough for verdicts (`cost.can_be_judged`)."""

    aug: str
    family: str
    dataset: str
    normal_class: int
    settings: Settings
    task: str
    value: float
    judged: bool

    @property
    def in_paper(self) -> bool:
        """Whether it is one of the paper's 420 tasks."""
        return self.dataset in PAPER.get(self.family, ())

    @property
    def normal(self) -> tuple[str, int]:
        """What the tasks of one training have in common, and with those of other settings."""
        return self.dataset, self.normal_class


def gains(runs: Iterable[StoredRun]) -> list[Gain]:
    """Of each run that has its baseline among the ``runs``, on each of its tasks. What comes of a training that went wrong
    says nothing, and is left out with all that would be set against it; what is hardly trained stays, but is not ``judged``.
    BadInput for two trainings of one aug with the same normal class and settings, which would count as two tasks."""
    known = {run.id: run for run in runs if not run.warning}
    found, trained = [], {}
    for run in known.values():
        baseline = known.get(run.spec.baseline().id)
        if run.spec.is_baseline or baseline is None:
            continue
        spec = run.spec
        of = spec.dataset, spec.normal_class, spec.settings
        if (other := trained.setdefault((spec.augment, *of), run.id)) != run.id:
            raise BadInput(
                f"runs {other} and {run.id} are both of {spec.augment} with the same normal class and settings: a testbed is "
                "of one detector, seed and protocol, and of one parameter for each aug"
            )
        judged = can_be_judged(run, baseline)
        for task, auc in run.result["auc"].items():
            if family := _family(task):
                gain = auc - baseline.result["auc"][task]
                found.append(Gain(spec.augment, family, *of, task, gain, judged))
    return found


def _family(task: str) -> str | None:
    return WILD if task.startswith("class:") else task if task in (*FAMILIES, "rest") else None


@dataclass(frozen=True)
class Summary:
    """What an aug gains over the ``tasks`` of a family, of so many normal ``classes``, with each of so many ``settings``:
    the pseudo-median of relative AUC with its 95% interval, the interval by a bootstrap of whole normal classes, whose tasks
    share models, and p of the one-sided Wilcoxon test. There is neither an interval nor p of fewer than `FEWEST_CLASSES`
    classes, and no p where fewer differ at all, or images overlap. It is ``judged`` only if each of its gains is."""

    aug: str
    tasks: int
    classes: int
    settings: int
    median: float
    interval: tuple[float, float] | None
    clustered: tuple[float, float] | None
    p: float | None
    judged: bool

    @property
    def verdict(self) -> str:
        """Sec. 4.1: by p alone, which takes tasks for independent. None is given of fewer than `FEWEST_CLASSES` classes, nor
        where any of the runs is hardly trained: how many of these would be too many, nobody knows."""
        if self.classes < FEWEST_CLASSES:
            return "too few classes"
        if not self.judged:
            return "hardly trained"
        if self.p is None or HELPFUL <= self.p <= HARMFUL:
            return "neither"
        return "helpful" if self.p < HELPFUL else "harmful"


def summary(some: Sequence[Gain]) -> Summary:
    """Of the gains of one aug and family, at least one."""
    values, classes = [gain.value for gain in some], sorted({gain.normal for gain in some})
    tasks = len({(gain.normal, gain.task) for gain in some})
    counts = tasks, len(classes), len({gain.settings for gain in some})
    judged = all(gain.judged for gain in some)
    median, *interval = pseudo_median(values)
    if len(classes) < FEWEST_CLASSES:
        return Summary(some[0].aug, *counts, median, None, None, None, judged)
    clustered = clustered_interval(values, [classes.index(gain.normal) for gain in some])
    overlap = any(gain.dataset in DATASETS and not DATASETS[gain.dataset].independent for gain in some)
    told = not overlap and np.count_nonzero(values) >= FEWEST_CLASSES
    p = wilcoxon_greater(values) if told else None
    return Summary(some[0].aug, *counts, median, tuple(interval), clustered, p, judged)


def summaries(
    found: Iterable[Gain], family: str, summarise: Callable[[Sequence[Gain]], Summary] = summary
) -> list[Summary]:
    """Of each aug, the one that gains most first. Those of fewer normal classes or settings than others are not comparable
    with them, and come last."""
    groups = _by_aug(gain for gain in found if gain.family == family)
    rows = [summarise(some) for some in groups.values()]
    return sorted(rows, key=lambda row: (-row.classes, -row.settings, -row.median, row.aug))


def agreement_of(found: Iterable[Gain], family: str) -> float | None:
    """`agreement` of the pseudo-medians over the tasks of a family, as of `summaries`, between settings."""
    groups: dict[Settings, list[Gain]] = {}
    for gain in found:
        if gain.family == family:
            groups.setdefault(gain.settings, []).append(gain)
    return agreement(
        [
            {aug: pseudo_median([gain.value for gain in some])[0] for aug, some in _by_aug(group).items()}
            for group in groups.values()
        ]
    )


class Spread(NamedTuple):
    """What an aug gains on one task with each of some settings, their median, and with how many no other gains more; None
    where any of the runs, its own or another's, is hardly trained."""

    aug: str
    gains: dict[Settings, float]
    median: float
    first: int | None


def spreads(found: Sequence[Gain]) -> list[Spread]:
    """Of the gains of one task each aug's, the one with the highest median first. Those of fewer settings than others are not
    comparable with them, and come last."""
    best: dict[Settings, float] = {}
    for gain in found:
        best[gain.settings] = max(gain.value, best.get(gain.settings, gain.value))
    judged = all(gain.judged for gain in found)
    rows = [
        Spread(
            aug,
            {gain.settings: gain.value for gain in some},
            statistics.median(gain.value for gain in some),
            sum(gain.value > best[gain.settings] - ROUNDING for gain in some) if judged else None,
        )
        for aug, some in _by_aug(found).items()
    ]
    return sorted(rows, key=lambda row: (-len(row.gains), -row.median, row.aug))


def _by_aug(found: Iterable[Gain]) -> dict[str, list[Gain]]:
    groups: dict[str, list[Gain]] = {}
    for gain in found:
        groups.setdefault(gain.aug, []).append(gain)
    return groups


def family_title(family: str) -> str:
    """ "gen CutOut", or "in the wild"."""
    return next((f"gen {anomaly_name(a)}" for a in CONTROLLED if a.key == family), family)
