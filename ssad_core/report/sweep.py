"""A parameter's sweep, and the surface (Fig. 4a)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..detectors import detector_info
from ..errors import BadInput, unknown
from ..question import anomaly_name, run_name
from ..spec import exact
from ..whatif import Point, Sweep, band, gain, gens, values_of_gen, varied

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ..data import Dataset
    from ..spec import Anomaly, RunSpec
    from ..statistics import Estimate
    from ..store import StoredRun

SWEEPS = ("sweep", "surface")  # Fig. 4a, and AUC over aug's and gen's parameter


def sweep_of(name: str, run: RunSpec, stored: Sequence[RunSpec], classes: Sequence[int] = ()) -> Sweep:
    """What one of `SWEEPS` is of: those of the ``stored`` runs that differ from ``run`` in the parameter, the seed and, among
    ``classes``, the normal class alone.

    BadInput on another name, or when aug has no continuous parameter.
    """
    if name not in SWEEPS:
        raise unknown("figure", name, SWEEPS)
    classes = tuple(classes) or (run.normal_class,)
    seeds = {spec.seed for spec in stored if alike(spec, run) and spec.normal_class in classes}
    if name == "sweep":
        return Sweep(run, tuple(sorted(seeds)), classes)
    # A surface's cells are means over the same trainings: of those seeds of which most is stored for all the classes.
    there = {spec.id for spec in stored}

    def complete(seed: int) -> int:
        one = Sweep(run, (seed,), classes)
        return sum(all(one.spec(value, *repeat).id in there for repeat in one.repeats) for value in one.values)

    count = {seed: complete(seed) for seed in seeds}
    return Sweep(run, tuple(sorted(seed for seed in seeds if count[seed] == max(count.values()))), classes)


def draw_sweep(name: str, sweep: Sweep, stored: Sequence[StoredRun], anomaly: Anomaly, dataset: Dataset) -> go.Figure:
    """One of `SWEEPS` of the ``stored`` runs, of a `sweep_of` its name.

    BadInput where gen, of a surface, has no continuous parameter, or without the stored baselines that a sweep is relative
    to.
    """
    runs = {run.id: run for run in stored}
    if name == "sweep":

        def measure(run: StoredRun, baseline: StoredRun | None) -> Estimate:
            return gain(run, baseline, anomaly, dataset)

        points = sweep.points(runs, measure)
        if not points and sweep.has_baseline and not any(spec.id in runs for spec in _baselines(sweep)):
            name = detector_info(sweep.run.detector).baseline
            raise BadInput(f"a sweep is of AUC relative to {name}, which is not stored for these runs; train it first")
        if not points:
            raise BadInput(_nothing_of(sweep))
        return curve(sweep, points, anomaly, dataset, drawn=sweep.drawn(runs, measure))
    if not anomaly.paired:
        raise BadInput("a surface is over a gen's parameter, so its anomaly is a gen, such as gen:cutout")
    anomalies = gens(anomaly.name, sweep.run.profile)
    found = sweep.surface(runs, list(anomalies.values()), dataset)
    if np.isnan(found).all():
        raise BadInput(_nothing_of(sweep))
    return surface(sweep, found, anomaly)


def _baselines(sweep: Sweep) -> list[RunSpec]:
    return [sweep.spec(sweep.values[0], *repeat).baseline() for repeat in sweep.repeats]


def _nothing_of(sweep: Sweep) -> str:
    values = ", ".join(map(exact, sweep.values))
    each = " for each class with the same seeds" if len(sweep.classes) > 1 else ""
    return (
        f"no run like this one is stored{each} at any of the sweep's values of aug's {sweep.parameter.title} ({values}); "
        f"train some, as with --param {sweep.parameter.name}={exact(sweep.values[0])}"
    )


def alike(spec: RunSpec, other: RunSpec) -> bool:
    """Whether two runs differ in aug's parameters, seed and normal class alone."""
    return replace(spec, params=other.params, seed=other.seed, normal_class=other.normal_class) == other


def curve(
    sweep: Sweep,
    points: Sequence[Point],
    anomaly: Anomaly,
    dataset: Dataset,
    chosen: float | None = None,
    drawn: float | None = None,
) -> go.Figure:
    """A sweep's points against aug's parameter; lines where it has the ``chosen`` value, and for `Sweep.drawn`. Where gen is
    the same augmentation its own value is marked."""
    from .. import figures

    there = [point.value for point in points]
    measure = "Relative AUC" if sweep.has_baseline else "AUC"
    names = dataset.info.classes
    each = {
        f"{names[label]}, seed {seed}": {p.value: p.each[seed, label].value for p in points if (seed, label) in p.each}
        for seed, label in sweep.repeats
    }
    return figures.sweep_figure(
        there,
        [point.mean for point in points],
        band(points),
        each=each if len(sweep.repeats) > 1 else None,
        incomplete={
            point.value: f"{len(point.each)} of {len(sweep.repeats)} trained"
            for point in points
            if len(point.each) < len(sweep.repeats)
        },
        missing=[value for value in sweep.values if value not in there],
        chosen=chosen,
        drawn=drawn,
        gen=values_of_gen(anomaly, sweep.run.profile) if anomaly.name == sweep.run.augment else None,
        parameter=f"aug's {sweep.parameter.title}",
        measure=measure,
        level=0.0 if sweep.has_baseline else 0.5,
        title=f"{measure} of {_varied_run(sweep)} on {anomaly_name(anomaly)}",
    )


def surface(sweep: Sweep, auc: np.ndarray, anomaly: Anomaly, chosen: float | None = None) -> go.Figure:
    """`Sweep.surface` over the values of ``anomaly``'s gen; framed where aug has the ``chosen`` value and gen its own one, if
    it has one."""
    from .. import figures

    own = set(values_of_gen(anomaly, sweep.run.profile) or ())
    return figures.surface_figure(
        auc,
        sweep.values,
        list(gens(anomaly.name, sweep.run.profile)),
        row_title=f"aug's {sweep.parameter.title}",
        column_title=f"gen's {varied(anomaly.name, 'gen').title}",
        diagonal=anomaly.name == sweep.run.augment,
        chosen=None if chosen is None else (chosen, own.pop() if len(own) == 1 else None),
        title=f"AUC of {_varied_run(sweep)} on {anomaly_name(replace(anomaly, params=()))}, by both parameters",
    )


def _varied_run(sweep: Sweep) -> str:
    """The detector and aug without the value: "DAE-CutOut"."""
    return run_name(replace(sweep.run, params=()))
