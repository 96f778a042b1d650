"""Scores as histograms and ROC curves (Figs. 7, 15, 16)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from .. import histogram
from ..colours import GROUP_COLOURS
from ..statistics import auc
from .base import colours, finish, finish_multiples, multiples


def histogram_figure(
    groups: Mapping[str, np.ndarray],
    *,
    threshold: float,
    title: str,
    score: str,
    log: bool = False,
) -> go.Figure:
    """Histograms of each group's scores (n,) on common bins, in per cent of the group (Figs. 7, 15, 16).

    ``score`` names the score and its unit; ``log`` asks for a logarithmic axis and scores above zero (BadInput).
    """
    edges = histogram.common_edges(list(groups.values()), log=log)
    shares = {name: histogram.per_cent(scores, edges) for name, scores in groups.items()}
    fig = go.Figure()
    for (name, share), colour in zip(shares.items(), colours(groups), strict=True):
        fig.add_scatter(name=name, mode="lines", **_steps(edges, share, colour))
    # A trace, since labels of Plotly's shapes cover the legend.
    top, dashed = max(share.max() for share in shares.values()), {"dash": "dash", "color": "#767676"}
    name = f"threshold {threshold:.4g}"
    fig.add_scatter(x=[threshold] * 2, y=[0, top], name=name, mode="lines", line=dashed, hoverinfo="name")
    fig.update_xaxes(title=score, type="log" if log else "linear")
    fig.update_yaxes(title="per cent of group", rangemode="tozero")
    medians = ", ".join(f"{name} {np.median(scores):.3g}" for name, scores in groups.items())
    return finish(fig, title, f"Histograms of the {score}. Medians: {medians}. Threshold {threshold:.3g}.")


@dataclass(frozen=True)
class ScorePanel:
    """One detector's place among several: its ``scores`` by group, its ``threshold``, and a line under its name."""

    name: str
    scores: Mapping[str, np.ndarray]
    threshold: float
    note: str


def histograms_figure(panels: Sequence[ScorePanel], *, title: str, score: str, log: bool = False) -> go.Figure:
    """Histograms of several detectors on common bins and axes (Figs. 7, 15, 16), with a threshold in each.

    ``score`` names the score and its unit; ``log`` asks for a logarithmic axis and scores above zero (BadInput).
    """
    fig, places = multiples(panels, shared_xaxes="all", shared_yaxes="all")
    rows = places[-1]["row"]
    edges = histogram.common_edges([scores for panel in panels for scores in panel.scores.values()], log=log)
    shares = [{name: histogram.per_cent(x, edges) for name, x in panel.scores.items()} for panel in panels]
    highest = max(share.max() for panel in shares for share in panel.values())
    named: set[str] = set()  # each group is in the legend once

    def add(i: int, name: str, **trace: object) -> None:
        fig.add_scatter(name=name, mode="lines", legendgroup=name, showlegend=name not in named, **trace, **places[i])
        named.add(name)

    for i, panel in enumerate(panels):
        for name, share in shares[i].items():
            add(i, name, **_steps(edges, share, GROUP_COLOURS[name]))
        hover = f"threshold {panel.threshold:.4g}<extra></extra>"
        dashed = {"dash": "dash", "color": "#767676"}
        add(i, "threshold", x=[panel.threshold] * 2, y=[0, highest], line=dashed, hovertemplate=hover)
    fig.update_xaxes(type="log" if log else "linear", showticklabels=True)
    fig.update_yaxes(rangemode="tozero")
    fig.update_xaxes(title=score, row=rows, col=1)
    fig.update_yaxes(title="per cent of group", col=1)
    said = "; ".join(f"{panel.name}: {panel.note}" for panel in panels)
    return finish_multiples(fig, rows, title, f"Histograms of the {score}. {said}.")


def roc_figure(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]], fpr: float | None = None, *, title: str = "ROC curves"
) -> go.Figure:
    """ROC curves from (normal, anomalous) scores of each name, its AUC in the legend.

    With ``fpr``, in [0, 1], a dot marks what each detects at no more than that false positive rate.
    """
    fig = go.Figure()
    areas = {name: auc(*scores) for name, scores in curves.items()}
    for (name, (normal, anomalous)), colour in zip(curves.items(), colours(curves), strict=True):
        x, y, thresholds = histogram.roc(normal, anomalous)
        x, y, thresholds = (values[histogram.corners(x, y)] for values in (x, y, thresholds))
        fig.add_scatter(
            x=x,
            y=y,
            name=f"{name} (AUC {areas[name]:.3f})",
            mode="lines",
            line={"color": colour},
            customdata=thresholds,
            hovertemplate="%{y:.3f} at %{x:.3f}, threshold %{customdata:.4g}",
        )
        if fpr is not None:
            counts = histogram.confusion(normal, anomalous, histogram.threshold_at_fpr(normal, fpr))
            fig.add_scatter(
                x=[counts.fpr], y=[counts.tpr], mode="markers", marker={"color": colour, "size": 10}, showlegend=False
            )
    diagonal = {"dash": "dot", "color": "#767676"}
    fig.add_scatter(x=[0, 1], y=[0, 1], name="chance", mode="lines", line=diagonal, hoverinfo="skip")
    fig.update_xaxes(title="false positive rate (share of normal images)", range=[-0.02, 1.02])
    fig.update_yaxes(title="true positive rate (share of anomalies)", range=[-0.02, 1.02])
    return finish(fig, title, "ROC curves. AUC: " + ", ".join(f"{k} {v:.3f}" for k, v in areas.items()) + ".")


def _steps(edges: np.ndarray, share: np.ndarray, colour: str) -> dict[str, object]:
    """A group's histogram, as of a trace of lines."""
    return {
        "x": edges,
        "y": np.append(share, share[-1]),
        "line": {"shape": "hv", "color": colour},
        "fill": "tozeroy",
        "fillcolor": colour + "33",
        "hovertemplate": "%{y:.1f}% from %{x:.4g}",
    }
