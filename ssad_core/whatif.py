"""What if a parameter of aug were another: a training for each value and repeat (Fig. 4a), each beside its baseline.

A gen changes the test images only, so every training also says what it finds of a gen of any strength: the surface.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from . import augment
from .data import Dataset
from .detectors import detector_info, with_baseline
from .errors import BadInput
from .numbers import leading
from .question import check_aug, check_augment
from .spec import Anomaly, RunSpec
from .statistics import Estimate, auc, task_metrics
from .store import StoredRun

VALUES = 9

Runs = Mapping[str, StoredRun]
Repeat = tuple[int, int]  # what a value is trained with again: a seed and a normal class


def varied(name: str, role: str = "aug") -> augment.Parameter:
    """The continuous parameter of an augmentation in a role. BadInput, naming those that have one, when it has none."""
    if found := _continuous(name, role):
        return found
    others = ", ".join(info.title for other, info in augment.AUGMENTATIONS.items() if _continuous(other, role))
    raise BadInput(f"{augment.augmentation_info(name).title} has nothing continuous to vary here; these have: {others}")


def _continuous(name: str, role: str) -> augment.Parameter | None:
    known = augment.augmentation_info(name).parameters
    return next((p for p in known if role == "aug" or not p.training_only), None)


def has_parameter(name: str, role: str = "aug") -> bool:
    """Whether an augmentation has a continuous parameter in a role."""
    return _continuous(name, role) is not None


def values_of(parameter: augment.Parameter) -> tuple[float, ...]:
    """Nine values of a parameter, from its lowest to its highest, that its slider can take.

    >>> values_of(varied("cutout"))
    (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    """
    spread = np.linspace(parameter.low, parameter.high, VALUES)
    return tuple(sorted({round(round(float(value) / parameter.step) * parameter.step, 6) for value in spread}))


def gens(name: str, profile: str = "paper") -> dict[float, Anomaly]:
    """A gen at each of the values of its parameter. BadInput when it has none."""
    parameter = varied(name, "gen")
    made = {value: check_augment(name, {parameter.name: value}, profile, "gen") for value in values_of(parameter)}
    return {value: Anomaly("gen", name, params) for value, params in made.items()}


def values_of_gen(anomaly: Anomaly, profile: str = "paper") -> tuple[float, float] | None:
    """Between what values a gen draws its parameter; twice the same where it has one value, None where there is nothing to
    draw."""
    parameter = _continuous(anomaly.name, "gen") if anomaly.paired else None
    if parameter is None:
        return None
    fixed = dict(anomaly.params).get(parameter.name)
    return augment.usual(anomaly.name, profile) if fixed is None else (fixed, fixed)


@dataclass(frozen=True)
class Point:
    """What a value of the parameter gives, ``each`` by repeat."""

    value: float
    each: dict[Repeat, Estimate]

    @property
    def mean(self) -> float:
        return float(np.mean([estimate.value for estimate in self.each.values()]))


def repeated(points: Sequence[Point]) -> bool:
    """Whether any value has more than one training."""
    return any(len(point.each) > 1 for point in points)


def band(points: Sequence[Point]) -> list[tuple[float, float] | None]:
    """Around each point the range of its trainings; where no value has more than one, its 95% interval over the test images,
    None of too few. Never some of both: they are different things."""
    each = [list(point.each.values()) for point in points]
    if repeated(points):
        return [(min(one.value for one in some), max(one.value for one in some)) for some in each]
    return [None if one.few else (one.low, one.high) for (one,) in each]


@dataclass(frozen=True)
class Sweep:
    """Trainings that differ in the value of one parameter of aug, the seed and the normal class; ``run`` is any of them.
    Without ``classes`` they are all of its own class."""

    run: RunSpec
    seeds: tuple[int, ...]
    classes: tuple[int, ...] = ()

    @property
    def repeats(self) -> list[Repeat]:
        """What each value is trained with."""
        return [(seed, label) for label in self.classes or (self.run.normal_class,) for seed in self.seeds]

    @property
    def parameter(self) -> augment.Parameter:
        """BadInput when aug has nothing to vary."""
        return varied(self.run.augment, detector_info(self.run.detector).role)

    @property
    def has_baseline(self) -> bool:
        return detector_info(self.run.detector).baseline is not None

    @property
    def values(self) -> tuple[float, ...]:
        return values_of(self.parameter)

    def spec(self, value: float, seed: int, normal_class: int | None = None) -> RunSpec:
        """The training of one value and repeat, of the run's own class for None."""
        name, params = self.parameter.name, dict(self.run.params)
        checked = check_aug(self.run.detector, self.run.augment, {**params, name: value}, self.run.profile)
        label = self.run.normal_class if normal_class is None else normal_class
        return replace(self.run, params=checked, seed=seed, normal_class=label)

    def specs(self) -> list[RunSpec]:
        """All trainings: of each repeat the baseline first, then values from coarse to fine, so that the curve has its shape
        early."""
        ordered = [*self.values[::4], *self.values[2::4], *self.values[1::2]]
        runs = [run for one in self.repeats for value in ordered for run in with_baseline(self.spec(value, *one))]
        return list(dict.fromkeys(runs))

    def points(self, runs: Runs, gain: Callable[[StoredRun, StoredRun | None], Estimate]) -> list[Point]:
        """The values that are stored among ``runs`` (by id), with those repeats whose baseline is stored too. ``gain`` is the
        measure of a run beside its baseline, `gain` of a task."""
        found = []
        for value in self.values:
            each = _measured(runs, {repeat: self.spec(value, *repeat) for repeat in self.repeats}, gain)
            if each:
                found.append(Point(value, each))
        return found

    def at_random(self) -> dict[Repeat, RunSpec]:
        """The training of each repeat whose aug draws the parameter anew for every image, where that is its default."""
        if self.parameter.default is not None:
            return {}
        return {(s, label): replace(self.run, params=(), seed=s, normal_class=label) for s, label in self.repeats}

    def drawn(self, runs: Runs, gain: Callable[[StoredRun, StoredRun | None], Estimate]) -> float | None:
        """The mean measure of `at_random`, as of a point; None where not all of it is stored."""
        asked = self.at_random()
        each = _measured(runs, asked, gain)
        return float(np.mean([one.value for one in each.values()])) if asked and len(each) == len(asked) else None

    def surface(self, runs: Runs, anomalies: Sequence[Anomaly], dataset: Dataset, compute: bool = True) -> np.ndarray:
        """AUC (values, anomalies), the mean over the repeats; NaN where not all of their runs are stored or, without
        ``compute``, scored."""
        found = np.full((len(self.values), len(anomalies)), np.nan)
        for i, value in enumerate(self.values):
            stored = [run for repeat in self.repeats if (run := runs.get(self.spec(value, *repeat).id))]
            for j, anomaly in enumerate(anomalies):
                if len(stored) == len(self.repeats) and (compute or all(_is_scored(run, anomaly) for run in stored)):
                    found[i, j] = np.mean([_auc(run, anomaly, dataset) for run in stored])
        return found


def _measured(
    runs: Runs, specs: Mapping[Repeat, RunSpec], gain: Callable[[StoredRun, StoredRun | None], Estimate]
) -> dict[Repeat, Estimate]:
    """Of those that are stored with their baseline."""
    each = {}
    for repeat, spec in specs.items():
        pair = [runs.get(one.id) for one in with_baseline(spec)]
        stored = [run for run in pair if run is not None]
        if len(stored) == len(pair):
            each[repeat] = gain(stored[-1], stored[0] if len(pair) > 1 else None)
    return each


def gain(run: StoredRun, baseline: StoredRun | None, anomaly: Anomaly, dataset: Dataset) -> Estimate:
    """The relative AUC of a run, or of one without baseline its AUC, with a 95% interval over the test images."""
    from .evaluate import anomaly_results  # torch, which a page's first paint does not wait for

    scores = [(one.scores["normal"], anomaly_results(one, anomaly, dataset)[0]) for one in (run, baseline) if one]
    metrics = task_metrics(*scores[0], scores[1] if baseline else None, paired=anomaly.paired)
    return metrics.relative_auc or metrics.auc


def _auc(run: StoredRun, anomaly: Anomaly, dataset: Dataset) -> float:
    from .evaluate import anomaly_results

    return auc(run.scores["normal"], anomaly_results(run, anomaly, dataset)[0])


def _is_scored(run: StoredRun, anomaly: Anomaly) -> bool:
    from .evaluate import has_results

    return has_results(run, anomaly)


def regret(surface: np.ndarray, matched: Sequence[int | None]) -> list[float | None]:
    """For each column of a surface (values, anomalies) how much AUC the matched row, its number, loses to the best one, in
    the three digits that are shown; None where all rows are alike in these, or it is not there.

    >>> regret(np.array([[0.9, 0.6, 0.5], [0.8, 0.7, 0.5]]), [0, 0, 0])
    [0.0, 0.1, None]
    """
    shown, differ = np.round(surface, 3), leading(surface, axis=0).any(axis=0)
    best = np.nanmax(np.where(np.isnan(shown), -np.inf, shown), axis=0)
    lost = [best[j] - shown[i, j] if differ[j] and i is not None else np.nan for j, i in enumerate(matched)]
    return [round(float(value), 3) if np.isfinite(value) else None for value in lost]
