"""Over all classes: what each aug gains with every class of the data set as the normal one (Figs. 2, 5, 10 to 12)."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.components.batch import progress, stored_of
from pages.components.chart import chart
from pages.components.markdown import plain
from pages.components.question import asked_for, has_gains
from pages.components.router import show
from pages.components.service import prepare_in_background
from pages.components.training import say_warnings
from ssad_core.data import Dataset
from ssad_core.detectors import detector_info
from ssad_core.report import draw_gains, lead
from ssad_core.store import short
from ssad_core.testbed import (
    FEWEST_CLASSES,
    WILD,
    Gain,
    Summary,
    family_title,
    gains,
    summaries,
    summary,
    trainings,
)


def _remembered(some: Sequence[Gain]) -> Summary:
    """`testbed.summary`: as runs come in, those of other augs stay as they are."""
    return _summary(key=short(*some), _some=some)


@st.cache_data(max_entries=500, show_spinner="Computing intervals …")
def _summary(key: str, _some: Sequence[Gain]) -> Summary:
    return summary(_some)


def say(rows: Sequence[Summary], family: str, dataset: Dataset) -> None:
    """Which augs help and which harm, of those whose trainings can be judged."""
    first, about = rows[0], f"{plain(dataset.info.title)}, {family_title(family)}"
    alike = [row for row in rows if (row.classes, row.settings) == (first.classes, first.settings)]
    ranked = all(row.judged for row in alike)
    st.markdown(f"#### {about}: {lead({row.aug: row.median for row in alike}) if ranked else 'cannot be judged'}")
    judged = [row for row in rows if row.judged]
    if len(judged) < len(rows):
        st.caption(f"{len(rows) - len(judged)} of {len(rows)} augs cannot be judged; a warning on this page says why.")
    if first.classes < FEWEST_CLASSES:
        there = f"{first.classes} {'is' if first.classes == 1 else 'are'} trained"
        if (possible := len(dataset.info.normal_classes)) < FEWEST_CLASSES:
            there = f"this set has {possible}"
        st.caption(
            f"There are no intervals and nothing is tested: that takes {FEWEST_CLASSES} normal classes, and {there}. "
            f"{plain(dataset.info.note)}"
        )
        return
    if not judged:
        return
    help, harm = (sum(row.verdict == verdict for row in judged) for verdict in ("helpful", "harmful"))
    clear = sum(row.clustered is not None and (row.clustered[0] > 0 or row.clustered[1] < 0) for row in judged)
    st.markdown(
        f"Of {len(judged)} augs **{help} help** and **{harm} harm** by the paper's test; of {clear} the interval by "
        "normal class leaves out 0."
    )


def page() -> None:
    _, question, dataset = asked_for()
    prepare_in_background()
    st.title("Does it hold for every normal class?")
    if not has_gains(question):
        return
    family = question.anomaly.key if question.anomaly.kind == "gen" else WILD
    specs = trainings(question, dataset)
    stored = stored_of(specs)
    progress(specs, stored, dataset)
    say_warnings(stored.values())
    rows = summaries(gains(stored.values()), family, _remembered)
    if not rows:
        classes = len(dataset.info.normal_classes)
        st.info(
            f"{'The normal class' if classes == 1 else f'Each of the {classes} normal classes'} is trained with every "
            "aug, at its default, and without any; a training serves all anomalies of its class. An aug is drawn here "
            "as soon as it and its baseline are there.",
            icon=":material/select_all:",
        )
        return
    say(rows, family, dataset)
    detector = detector_info(question.detector)
    title = f"{dataset.info.title}, {family_title(family)}: {detector.title} against {detector.baseline}"
    chart(draw_gains(rows, title), key="gains")
    st.caption(
        "A row is an aug at its default, trained with each class of the data set as the normal one, whichever the "
        "sidebar names; a dot is the pseudo-median of its relative AUC, AUC minus the baseline's, over all tasks. "
        f"{_intervals(family) if rows[0].interval else ''}Measured here, one seed."
    )


def _intervals(family: str) -> str:
    said = "With 95% intervals and p of the one-sided Wilcoxon test (helps below .05, harms above .95), as in Figs. 2 and 5. "
    if family != WILD:
        return (
            f"{said}Each class is one task; the thin interval, of classes drawn again and again, says nearly the same. "
        )
    return (
        f"{said}Tasks are pairs of a normal and another class. Those of one normal class share a model, so they are not "
        "independent, and p is too sure; the thin interval is of whole normal classes drawn again and again, too "
        "narrow of fewer than ten. "
    )


show(page)
