"""Stored runs beside each other, of whatever data sets: what differs, AUC by task, ROC curves."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from pages.components.address import State
from pages.components.chart import chart
from pages.components.markdown import plain
from pages.components.training import say_warnings
from ssad_core.errors import BadInput
from ssad_core.lineup import differences, labels, scored_on
from ssad_core.question import anomaly_name, parse_anomaly
from ssad_core.report import draw_rocs, draw_tasks, task_aucs
from ssad_core.spec import Anomaly
from ssad_core.statistics import FEW
from ssad_core.store import StoredRun


def side_by_side(runs: Sequence[StoredRun], state: State) -> None:
    """Draws it all of runs that have a task in common."""
    specs = [run.spec for run in runs]
    if differ := differences(specs):
        rows = zip(map(plain, labels(specs)), *(map(plain, values) for values in differ.values()), strict=True)
        st.markdown("**What differs**")
        st.table(
            [dict(zip(["Run", *map(str.capitalize, differ)], row, strict=True)) for row in rows],
            border="horizontal",
            width="content",
            hide_index=True,
        )
    say_warnings(runs)
    chart(draw_tasks(runs), key="tasks")
    st.caption(
        "AUC on each task that the runs were scored on with their training; a star marks the best of those that were scored "
        f"on the same images, {FEW} or more of a group; a training that a warning names has none. "
        "The Lab and Error bias have the intervals."
    )
    if len({scored_on(spec) for spec in specs}) > 1:
        st.caption("These runs were scored on different images, so their AUCs are not paired.")
    anomaly = _ask_anomaly(runs, state)
    chart(draw_rocs(runs, anomaly), key="rocs")


def _ask_anomaly(runs: Sequence[StoredRun], state: State) -> Anomaly:
    """The task of the ROC curves: the question's anomaly where all the runs have it."""
    every = [task_aucs(run) for run in runs]
    shared = [task for task in every[0] if all(task in other for other in every)]
    question = state.question
    default = question.anomaly if question.anomaly in shared else shared[0]
    chosen = st.selectbox(
        "ROC curves on",
        shared,
        index=shared.index(default),
        format_func=lambda task: f"{'gen' if task.paired else 'class'}: {anomaly_name(task)}",
        help="Tasks that all these runs are scored on. What is chosen is the question's anomaly on the other pages too.",
        key=f"roc-on-{'-'.join(task.key for task in shared)}",
        width=360,
    )
    if chosen != default:
        with contextlib.suppress(BadInput):  # the runs are about other classes than the question
            parse_anomaly(chosen.key, question.dataset, question.normal_class, question.profile)
            state.turn_to(replace(question, anomaly=chosen))
    return chosen
