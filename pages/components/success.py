"""MMD against what the runs have reached: does alignment predict success here?"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.components.chart import chart
from pages.components.choices import show_choices
from pages.components.markdown import plain
from pages.components.matrix import Pairs
from pages.components.sweep import gain_of
from pages.components.training import UNJUDGED
from ssad_core.alignment import Alignment, Cells, Outcome, correlation, outcomes
from ssad_core.cost import can_be_judged
from ssad_core.data import Dataset
from ssad_core.detectors import detector_info
from ssad_core.numbers import decimal
from ssad_core.question import Question, anomaly_name
from ssad_core.report import alignment_scatter, task_title
from ssad_core.statistics import FEW, FEWEST_PAIRS


def show_success(alignment: Alignment, cells: Cells, pairs: Pairs, question: Question, dataset: Dataset) -> None:
    """Does alignment predict success here?"""
    from ssad_core.evaluate import has_results  # torch, which may still be loading

    relative = detector_info(question.detector).baseline is not None
    measure = "relative AUC" if relative else "AUC"
    st.markdown("#### Does alignment predict success here?")
    # Of runs that are scored on the anomaly: those that are not yet come to this as soon as they are.
    scored = tuple(run.id for pair in pairs for run in pair if run and has_results(run, question.anomaly))
    found = _outcomes(alignment.key, len(cells), scored, question.anomaly.key, cells, pairs, alignment)
    chosen = [one for one in found if one.anomaly == question.anomaly]
    if not chosen:
        st.info("No augmentation is trained yet whose success could be set against its MMD.", icon=":material/info:")
        return
    known = {one.run for one in chosen}
    spans = {run.id: gain_of(run, base, question.anomaly, dataset) for run, base in pairs if run.id in known}
    about = task_title(dataset, question.normal_class, question.anomaly)
    figure = alignment_scatter(found, question.anomaly, spans, about, relative)
    chart(figure, height=420, key="scatter")
    few = any(span.few for span in spans.values())
    doubt = ""
    if few:
        doubt = f"Nothing is concluded: fewer than {FEW} test images of a group are too few."
    elif not all(can_be_judged(*pair) for pair in pairs if pair[0].id in known):
        doubt = UNJUDGED
    lines = [_verdict(chosen, measure, anomaly_name(question.anomaly), doubt), *_over_all(found)]
    spread = (
        "without intervals, for which there are too few test images"
        if few
        else "with 95% intervals over the test images"
    )
    lines.append(
        f"Large: the chosen anomaly, {spread}; small: the same runs on the other columns. If alignment decided, points would "
        "fall from the left to the right. Measured here, one seed."
    )
    st.caption(" ".join(lines))
    show_choices(chosen, pairs, measure, dataset, doubt)


def _verdict(chosen: Sequence[Outcome], measure: str, anomaly: str, doubt: str) -> str:
    """The rank correlation and what it means, or why that cannot be said: the ``doubt``."""
    rho = correlation(chosen)
    if len(chosen) < FEWEST_PAIRS:
        there = f"there {'is' if len(chosen) == 1 else 'are'} {len(chosen)}"
        return f"Too few to say: a rank correlation wants at least {FEWEST_PAIRS} trained augs, and {there}."
    if rho is None:
        return f"No rank correlation: all {len(chosen)} augs have the same {measure}."
    about = f"Rank correlation of MMD and {measure} on {plain(anomaly)}: {decimal(rho, 2, '+')} over {len(chosen)} augs"
    if doubt:
        return f"{about}. {doubt}"
    if rho <= -0.5:
        meaning = "the better aligned gained more"
    elif rho < 0.5:
        meaning = "MMD says little about success"
    else:
        meaning = "the opposite of what alignment predicts"
    return f"{about}: {meaning} here."


def _over_all(found: Sequence[Outcome]) -> list[str]:
    rho = correlation(found)
    if rho is None:
        return []
    return [
        f"Over all {len(found)} pairs of aug and anomaly: {decimal(rho, 2, '+')}; an aug's pairs share one training."
    ]


@st.cache_data(max_entries=32, show_spinner=False)
def _outcomes(
    key: str, count: int, scored: tuple[str, ...], anomaly: str, _cells: Cells, _pairs: Pairs, _alignment: Alignment
) -> list[Outcome]:
    return outcomes(_cells, _pairs, _alignment.columns, _alignment.dataset, compute=False)
