"""Stored runs of whatever data sets, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..cost import can_be_judged
from ..lineup import labels, scored_on
from ..question import anomaly_name
from ..spec import CONTROLLED, Anomaly
from ..statistics import FEW

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ..store import StoredRun


def task_aucs(run: StoredRun) -> dict[Anomaly, float]:
    """The AUC of each task that a run is scored on with its training."""
    auc = run.result["auc"]
    classes = [Anomaly("class", key.removeprefix("class:")) for key in auc if key.startswith("class:")]
    tasks = [*CONTROLLED, *classes, *([Anomaly("rest")] if len(classes) > 1 else [])]
    return {task: auc[task.key] for task in tasks if task.key in auc}


def draw_tasks(runs: Sequence[StoredRun]) -> go.Figure:
    """The AUC of stored runs, of whatever data sets, on each of their tasks. Only those that were scored on the same images
    compete for a task's star, none that cannot be judged (`cost.can_be_judged`), and for none of too `FEW` images."""
    from .. import figures

    found = [task_aucs(run) for run in runs]
    tasks = sorted(
        {task: None for each in found for task in each}, key=lambda task: ("gen", "class", "rest").index(task.kind)
    )
    auc = np.array([[each.get(task, np.nan) for each in found] for task in tasks])
    names = [f"{'gen: ' if task.paired else ''}{anomaly_name(task)}" for task in tasks]
    alike: dict[object, list[int]] = {}
    for column, run in enumerate(runs):
        if can_be_judged(run):
            alike.setdefault(scored_on(run.spec), []).append(column)
    known = list(zip(runs, found, strict=True))
    enough = np.array([[task in each and _enough(run, task) for run, each in known] for task in tasks])
    return figures.tasks_figure(
        auc,
        names,
        labels([run.spec for run in runs]),
        contests=list(alike.values()),
        enough=enough,
        title="AUC by task",
    )


def draw_rocs(runs: Sequence[StoredRun], anomaly: Anomaly) -> go.Figure:
    """The ROC curves of stored runs on one of the tasks that all of them have in `task_aucs`."""
    from .. import figures

    names = labels([run.spec for run in runs])
    curves = {name: (run.scores["normal"], _stored_scores(run, anomaly)) for name, run in zip(names, runs, strict=True)}
    beside = {"orientation": "v", "x": 1.02, "y": 1, "yanchor": "top"}
    return figures.roc_figure(curves, title=f"ROC curves on {anomaly_name(anomaly)}", legend=beside)


def _enough(run: StoredRun, task: Anomaly) -> bool:
    """Whether there are images enough of both groups that an AUC can be called the best."""
    return min(len(run.scores["normal"]), len(_stored_scores(run, task))) >= FEW


def _stored_scores(run: StoredRun, anomaly: Anomaly) -> np.ndarray:
    if anomaly.kind == "rest":
        return np.concatenate([scores for key, scores in run.scores.items() if key.startswith("class:")])
    return run.scores[anomaly.key]
