"""What each augmentation gains over many tasks (Figs. 2, 5, 10 to 12), or with many settings (Obs. 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from .base import name_axes, plot, rule


@dataclass(frozen=True)
class GainRow:
    """An augmentation: the colour of its category, the pseudo-median of its relative AUC, its 95% interval and that by normal
    class, if there are any, what stands ``beside`` them, as p, and what is said of it all."""

    name: str
    colour: str
    median: float
    interval: tuple[float, float] | None
    clustered: tuple[float, float] | None
    beside: str
    hover: str


@dataclass(frozen=True)
class SpreadRow:
    """An augmentation: the colour of its category, its gains, each with what is said of it and what it is known by, their
    median, what stands ``beside`` them, and what is said of it all."""

    name: str
    colour: str
    gains: Sequence[tuple[float, str, list[object]]]
    median: float
    beside: str
    hover: str


def gains_figure(rows: Sequence[GainRow], *, title: str) -> go.Figure:
    """A row for each augmentation, the first on top: its gain, the 95% interval, thick, and that by normal class, thin."""
    names = [row.name for row in rows]

    def bars(ends: Sequence[tuple[float, float] | None], name: str, width: float) -> go.Scatter:
        xs = [x for span in ends for x in (*(span or (None, None)), None)]
        ys = [y for name in names for y in (name, name, None)]
        line = {"color": "#767676", "width": width}
        return go.Scatter(x=xs, y=ys, name=name, mode="lines", line=line, hoverinfo="skip")

    points = go.Scatter(
        x=[row.median for row in rows],
        y=names,
        name="relative AUC",
        mode="markers",
        marker={"color": [row.colour for row in rows], "size": 12},
        customdata=[row.hover for row in rows],
        hovertemplate="%{customdata}<extra></extra>",
        showlegend=False,
    )
    traces = [
        bars([row.clustered for row in rows], "95% by normal class", 1),
        bars([row.interval for row in rows], "95%, tasks independent", 4),
        points,
    ]
    legend = any(row.interval for row in rows)
    return _rows(rows, traces, title, "relative AUC (pseudo-median)", legend)


def spread_figure(rows: Sequence[SpreadRow], *, title: str) -> go.Figure:
    """A row for each augmentation, the first on top: a dot for each of its gains, a stroke for their median."""
    names = [row.name for row in rows]
    colours = [row.colour for row in rows]
    medians = go.Scatter(
        x=[row.median for row in rows],
        y=names,
        name="median",
        mode="markers",
        marker={"symbol": "line-ns", "size": 18, "line": {"width": 3, "color": colours}},
        customdata=[row.hover for row in rows],
        hovertemplate="%{customdata}<extra></extra>",
    )
    single = [(row, gain) for row in rows for gain in row.gains]
    dots = go.Scatter(
        x=[gain for _, (gain, _, _) in single],
        y=[row.name for row, _ in single],
        name="relative AUC",
        mode="markers",
        marker={"color": [row.colour for row, _ in single], "size": 9, "opacity": 0.7},
        text=[said for _, (_, said, _) in single],
        customdata=[known_by for _, (_, _, known_by) in single],
        hovertemplate="%{text}<extra></extra>",
    )
    return _rows(rows, [medians, dots], title, "relative AUC", legend=False)


def _rows(
    rows: Sequence[GainRow] | Sequence[SpreadRow], traces: Sequence[go.Scatter], title: str, measure: str, legend: bool
) -> go.Figure:
    """The traces beside the rows' names, in the colours of their categories, and what stands beside them."""
    beside = {"x": 1, "xref": "paper", "xanchor": "left", "xshift": 8, "showarrow": False}
    ticks = [f'<span style="color:{row.colour}">{row.name}</span>' for row in rows]
    said = "; ".join(row.hover.replace("<br>", ", ") for row in rows)
    above = 24 + 21 * (1 + title.count("<br>"))
    below = 95 if legend else 45  # pixels; two lines of it on a narrow page
    fig = plot(
        traces,
        title,
        f"Relative AUC of {len(rows)} augs: {said}.",
        x={"title": measure},
        y={
            "type": "category",
            "range": [len(rows) - 0.5, -0.5],
            "tickvals": [row.name for row in rows],
            "ticktext": ticks,
        },
        shapes=[rule(x=0, color="#767676", width=1)],
        annotations=[{"y": row.name, "text": row.beside, **beside} for row in rows],
        height=50 + above + below + 27 * len(rows),
        margin={"t": above, "b": below, "l": 10, "r": 90},
        showlegend=legend,
        legend={"x": 0, "y": 0, "yref": "container", "yanchor": "bottom"},
    )
    return name_axes(fig, y="aug")
