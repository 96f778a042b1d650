"""Scores as histograms and ROC curves (Figs. 7, 15, 16)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from .. import histogram
from ..colours import GROUP_COLOURS
from ..numbers import number
from ..statistics import auc
from .base import Layout, colours, escaped, finish_multiples, multiples, plot


def histogram_figure(
    groups: Mapping[str, np.ndarray],
    *,
    threshold: float,
    title: str,
    score: str,
    log: bool = False,
    about: str = "",
) -> go.Figure:
    """Histograms of each group's scores (n,) on common bins, in per cent of the group (Figs. 7, 15, 16).

    ``score`` names the score and its unit; ``log`` asks for a logarithmic axis and scores above zero (BadInput); ``about``
    ends the text instead of the picture.
    """
    edges = histogram.common_edges(list(groups.values()), log=log)
    shares = {name: histogram.per_cent(scores, edges) for name, scores in groups.items()}
    traces = [
        go.Scatter(name=name, mode="lines", **_steps(edges, share, colour))
        for (name, share), colour in zip(shares.items(), colours(groups), strict=True)
    ]
    # A trace, since labels of Plotly's shapes cover the legend.
    top, dashed = max(share.max() for share in shares.values()), {"dash": "dash", "color": "#767676"}
    name = f"threshold {number(threshold, digits=4)}"
    traces.append(go.Scatter(x=[threshold] * 2, y=[0, top], name=name, mode="lines", line=dashed, hoverinfo="name"))
    medians = ", ".join(f"{name} {number(np.median(scores))}" for name, scores in groups.items())
    alt = f"Histograms of the {score}. Medians: {medians}. Threshold {number(threshold)}. {about}".strip()
    return plot(
        traces,
        title,
        alt,
        x={"title": score, **_scale(edges, log)},
        y={"title": "per cent of group", "rangemode": "tozero"},
    )


@dataclass(frozen=True)
class ScorePanel:
    """One detector's place among several: its ``scores`` by group, its ``threshold``, and a line under its name."""

    name: str
    scores: Mapping[str, np.ndarray]
    threshold: float
    note: str


def histograms_figure(
    panels: Sequence[ScorePanel], *, title: str, score: str, log: bool = False, about: str = ""
) -> go.Figure:
    """Histograms of several detectors on common bins and axes (Figs. 7, 15, 16), with a threshold in each.

    ``score`` names the score and its unit; ``log`` asks for a logarithmic axis and scores above zero (BadInput); ``about``
    is what the text instead of the picture says of the panels' notes.
    """
    fig, places = multiples(panels, shared_xaxes="all", shared_yaxes="all", x_title=score)
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
        hover = f"threshold {number(panel.threshold, digits=4)}<extra></extra>"
        dashed = {"dash": "dash", "color": "#767676"}
        add(i, "threshold", x=[panel.threshold] * 2, y=[0, highest], line=dashed, hovertemplate=hover)
    fig.update_xaxes(showticklabels=True, **_scale(edges, log))
    fig.update_yaxes(rangemode="tozero")
    fig.update_yaxes(title="per cent of group", col=1)
    said = "; ".join(f"{panel.name}: {panel.note}" for panel in panels).replace("<br>", ", ")
    return finish_multiples(fig, places[-1]["row"], title, f"Histograms of the {score}. {said}. {about}".strip())


def roc_figure(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]],
    fpr: float | None = None,
    *,
    title: str = "ROC curves",
    legend: Layout | None = None,
) -> go.Figure:
    """ROC curves from (normal, anomalous) scores of each name, its AUC in the legend.

    With ``fpr``, in [0, 1], a dot marks what each detects at no more than that false positive rate.
    """
    traces = []
    areas = {name: auc(*scores) for name, scores in curves.items()}
    for (name, (normal, anomalous)), colour in zip(curves.items(), colours(curves), strict=True):
        x, y, thresholds = histogram.roc(normal, anomalous)
        x, y, thresholds = (values[histogram.corners(x, y)] for values in (x, y, thresholds))
        curve = go.Scatter(
            x=x,
            y=y,
            name=f"{escaped(name)} (AUC {areas[name]:.3f})",
            mode="lines",
            line={"color": colour},
            customdata=thresholds,
            hovertemplate="%{y:.3f} at %{x:.3f}, threshold %{customdata:.4g}",
        )
        traces.append(curve)
        if fpr is not None:
            counts = histogram.confusion(normal, anomalous, histogram.threshold_at_fpr(normal, fpr))
            dot = {"mode": "markers", "marker": {"color": colour, "size": 10}, "showlegend": False}
            traces.append(go.Scatter(x=[counts.fpr], y=[counts.tpr], **dot))
    diagonal = {"dash": "dot", "color": "#767676"}
    traces.append(go.Scatter(x=[0, 1], y=[0, 1], name="chance", mode="lines", line=diagonal, hoverinfo="skip"))
    axes = {
        axis: {"title": rate, "range": [-0.02, 1.02]}
        for axis, rate in (
            ("x", "false positive rate (share of normal images)"),
            ("y", "true positive rate (share of anomalies)"),
        )
    }
    alt = "ROC curves. AUC: " + ", ".join(f"{name} {area:.3f}" for name, area in areas.items()) + "."
    return plot(traces, title, alt, **axes, legend=legend)


def _scale(edges: np.ndarray, log: bool) -> dict[str, str]:
    """The axis of scores; a linear one begins at 0 where that costs little of it, as in histograms.js."""
    near = 0 <= edges[0] < edges[-1] / 4
    return {"type": "log"} if log else {"type": "linear", "rangemode": "tozero" if near else "normal"}


def _steps(edges: np.ndarray, share: np.ndarray, colour: str) -> dict[str, object]:
    """A group's histogram, as of a trace of lines."""
    return {
        "x": edges,
        "y": np.append(share, 0),  # so that these are all the group, and no more
        "line": {"shape": "hv", "color": colour},
        "fill": "tozeroy",
        "fillcolor": colour + "33",
        "hovertemplate": "%{y:.1f}% from %{x:.4g}",
    }
