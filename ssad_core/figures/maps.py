"""t-SNE maps (Figs. 8, 9, 17)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from ..colours import GROUP_COLOURS, SYMBOLS
from .base import finish_multiples, multiples, plot

_SCORES = {"colorscale": "Cividis", "colorbar": {"title": "score", "thickness": 12}}


def map_figure(
    xy: np.ndarray, group_names: Sequence[str], *, scores: np.ndarray | None = None, title: str
) -> go.Figure:
    """A t-SNE map of points ``xy`` (n, 2), coloured by their group (n,) or, if given, by their ``scores`` (n,).

    Groups keep their symbols either way (Figs. 8, 9 and 17).
    """
    traces = _points(xy, group_names, scores)
    counts = ", ".join(f"{list(group_names).count(trace.name)} {trace.name}" for trace in traces)
    shown = "group" if scores is None else "score"
    return plot(
        traces,
        title,
        f"t-SNE map of {len(group_names)} images, coloured by {shown}: {counts}.",
        x={"title": "t-SNE 1 (no unit)", "showticklabels": False},
        y={"title": "t-SNE 2 (no unit)", "showticklabels": False, "scaleanchor": "x"},
        coloraxis=None if scores is None else _SCORES,
    )


@dataclass(frozen=True)
class MapPanel:
    """One detector's map among several: ``xy`` (n, 2), the points' ``group_names`` (n,), their ``scores`` (n,) where these
    are to colour them, and lines under its name."""

    name: str
    xy: np.ndarray
    group_names: Sequence[str]
    scores: np.ndarray | None
    note: str


def maps_figure(panels: Sequence[MapPanel], *, title: str) -> go.Figure:
    """t-SNE maps of several detectors (Figs. 8, 9 and 17), coloured as in `map_figure`; scores share their colours, from the
    2nd to the 98th percentile of all."""
    fig, places = multiples(panels)
    named: set[str] = set()  # each group is in the legend once
    for i, (panel, place) in enumerate(zip(panels, places, strict=True)):
        for trace in _points(panel.xy, panel.group_names, panel.scores):
            rank = [*GROUP_COLOURS, trace.name].index(trace.name)
            trace.update(legendgroup=trace.name, legendrank=rank, showlegend=trace.name not in named)
            fig.add_trace(trace, **place)
            named.add(trace.name)
        fig.update_yaxes(scaleanchor=f"x{i + 1 if i else ''}", **place)
    fig.update_xaxes(showticklabels=False, showgrid=False)
    fig.update_yaxes(showticklabels=False, showgrid=False)
    scores = [panel.scores for panel in panels if panel.scores is not None]
    if scores:
        low, high = np.quantile(np.concatenate(scores), [0.02, 0.98])
        fig.update_layout(coloraxis={**_SCORES, "cmin": low, "cmax": high})
    said = "; ".join(f"{panel.name}, {len(panel.group_names)} images: {panel.note}" for panel in panels)
    alt = f"t-SNE maps, coloured by {'score' if scores else 'group'}. {said}.".replace("<br>", ", ")
    return finish_multiples(fig, places[-1]["row"], title, alt)


def _points(xy: np.ndarray, group_names: Sequence[str], scores: np.ndarray | None) -> list[go.Scatter]:
    """A map's points, a trace for each group."""
    names = np.asarray(group_names)
    traces = []
    for name, colour in GROUP_COLOURS.items():
        member = names == name
        if not member.any():
            continue
        marker = {"symbol": SYMBOLS[name], "size": 5, "opacity": 0.75}
        marker |= (
            {"color": colour} if scores is None else {"color": np.asarray(scores)[member], "coloraxis": "coloraxis"}
        )
        place = {"x": xy[member, 0], "y": xy[member, 1]}
        traces.append(
            go.Scatter(
                **place, name=name, mode="markers", marker=marker, hovertemplate="%{fullData.name}<extra></extra>"
            )
        )
    return traces
