"""A parameter's trainings on a page: the curve and the surface."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import streamlit as st

from pages.components.background import compute_missing
from pages.components.batch import Stored, stored_of
from pages.components.chart import chart
from pages.components.controls import use_as
from pages.components.markdown import plain
from pages.components.training import UNJUDGED
from ssad_core import report, whatif
from ssad_core.cost import can_be_judged
from ssad_core.data import Dataset
from ssad_core.detectors import with_baseline
from ssad_core.numbers import leading
from ssad_core.question import Question
from ssad_core.spec import Anomaly
from ssad_core.statistics import FEW, Estimate
from ssad_core.store import StoredRun
from ssad_core.whatif import Point, Sweep


def curve(sweep: Sweep, stored: Stored, question: Question, dataset: Dataset, slider: str) -> None:
    """The measure against the parameter. A click on a point sets the widget of the key ``slider``."""
    anomaly = question.anomaly

    def gain(run: StoredRun, baseline: StoredRun | None) -> Estimate:
        return gain_of(run, baseline, anomaly, dataset)

    free = [each for spec in sweep.at_random().values() for each in with_baseline(spec)]
    drawn = sweep.drawn(stored_of(free), gain)
    points = sweep.points(stored, gain)
    figure = report.curve(sweep, points, anomaly, dataset, st.session_state[slider], drawn)

    def clicked(point: dict[str, float]) -> None:
        st.session_state[slider] = _nearest(sweep.values, point["x"])

    chart(figure, height=290, key=f"curve-{slider}", on_click=clicked)
    zero = "Relative AUC is AUC minus the baseline's: above 0 the augmentation helps. " if sweep.has_baseline else ""
    paper = ""
    if sweep.run.augment == "cutout" and anomaly == Anomaly("gen", "cutout"):
        paper = "The paper's Fig. 4a is this curve over all normal classes of CIFAR-10 and SVHN. "
    st.caption(f"{zero}{_band(sweep, points)}{paper}A click on a point shows it below. Measured here.")


def _nearest(values: Iterable[float], to: float) -> float:
    return min(values, key=lambda value: abs(value - to))


def _band(sweep: Sweep, points: list[Point]) -> str:
    """What the band is the band of, and what an open point lacks."""
    if not points:
        return ""
    count, what = len(sweep.repeats), "normal classes" if sweep.classes else "seeds"
    complete = all(len(point.each) == count for point in points)
    if whatif.repeated(points):
        return f"The band is the range over {what}. {'' if complete else f'Open points have not all {count} yet. '}"
    if None in whatif.band(points):
        return f"There is no band: fewer than {FEW} test images of a group are too few for an interval. "
    start = "The" if complete else f"1 of {count} {what} is trained: the"
    return f"{start} band is the 95% interval over the test images, of one training. "


def gain_of(run: StoredRun, baseline: StoredRun | None, anomaly: Anomaly, dataset: Dataset) -> Estimate:
    """`whatif.gain`, remembered."""
    key = f"{run.id}-{baseline and baseline.id}-{anomaly.key}"
    # By name: what comes by its place Streamlit has to look up in the signature, each time, and there may be dozens.
    return _gain(key=key, _run=run, _baseline=baseline, _anomaly=anomaly, _dataset=dataset)


@st.cache_data(max_entries=2000, show_spinner=False)
def _gain(key: str, _run: StoredRun, _baseline: StoredRun | None, _anomaly: Anomaly, _dataset: Dataset) -> Estimate:
    return whatif.gain(_run, _baseline, _anomaly, _dataset)


def surface(sweep: Sweep, stored: Stored, question: Question, dataset: Dataset, slider: str) -> None:
    """AUC over aug's parameter and gen's, which needs no training beyond the sweep. A click on a cell asks its two values: it
    sets the widget of the key ``slider`` and the sidebar's gen."""
    if st.session_state.pop("gen of surface", False):
        st.rerun(scope="app")
    anomalies = whatif.gens(question.anomaly.name, question.profile)
    gens = list(anomalies.values())
    name = _name(sweep, stored, question.anomaly.name)
    # Scores of each run and gen are in the store; to read and rank them anew whenever the slider moves took 0.1 s.
    known = st.session_state.setdefault("surfaces", {})
    found = known[name] if name in known else sweep.surface(stored, gens, dataset, compute=False)
    trained = [i for i, v in enumerate(sweep.values) if all(sweep.spec(v, *one).id in stored for one in sweep.repeats)]
    with st.container():
        if not np.isnan(found[trained]).any():
            known[name] = found
        else:
            missing = {name: lambda: sweep.surface(stored, gens, dataset)}
            failed = compute_missing(missing, "surface", _say_at_work)
            if name in failed:
                st.warning(f"The surface could not be computed: {plain(failed[name])}", icon=":material/error:")
    if np.isnan(found).all():
        return
    same = question.anomaly.name == question.augment
    figure = report.surface(sweep, found, question.anomaly, st.session_state[slider])

    def clicked(point: dict[str, float]) -> None:
        st.session_state[slider] = _nearest(sweep.values, point["y"])
        gen = anomalies[_nearest(anomalies, point["x"])]
        use_as("gen", gen.name, gen.params, question)
        st.session_state["gen of surface"] = gen != question.anomaly  # it is outside this part of the page

    chart(figure, height=400, key="surface", on_click=clicked)
    judged = all(map(can_be_judged, stored.values()))
    st.caption(
        f"{_verdict(sweep, found, list(anomalies), same) if judged else UNJUDGED} A click on a cell asks its two values. "
        "Measured here, without any further training."
    )


def _verdict(sweep: Sweep, found: np.ndarray, columns: list[float], same: bool) -> str:
    text = "A red frame marks the best aug of each column, the grey one what is chosen."
    differ = leading(found, axis=0).any(axis=0)
    if alike := np.count_nonzero(~np.isnan(found).all(axis=0) & ~differ):
        text += f" In {alike} of {len(columns)} columns all augs are alike in three digits: there is none."
    if not same:
        return text
    matched = [sweep.values.index(value) if value in sweep.values else None for value in columns]
    lost = [value for value in whatif.regret(found, matched) if value is not None]
    if not lost:
        return text
    on = sum(value == 0 for value in lost)
    return (
        f"{text} The best lies on the dashed diagonal, where aug has gen's own value, in {on} of {len(lost)} columns"
        f"{' where they differ' if alike else ''}; "
        f"choosing gen's value loses {np.mean(lost):.3f} of AUC on average and {max(lost):.3f} at most."
    )


def _name(sweep: Sweep, stored: Stored, gen: str) -> str:
    """The same wherever the slider stands, another with every run that comes."""
    first = sweep.spec(sweep.values[0], *sweep.repeats[0]).id
    return f"surface-{gen}-{first}-{len(sweep.repeats)}-{hash(tuple(sorted(stored)))}"


def _say_at_work() -> None:
    st.caption("Scoring gens of every strength by the runs that are there…")
