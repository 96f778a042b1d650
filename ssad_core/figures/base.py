"""What the figures share: a look that suits both themes, small multiples, colours by name, the page to download."""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import plotly.graph_objects as go
from plotly.basedatatypes import BaseTraceType
from plotly.subplots import make_subplots

from ..colours import ERROR_MARK, GROUP_COLOURS, OTHER_COLOURS

Layout = dict[str, Any]  # of a figure, or of a part of it, as Plotly names its properties

MAIN = "#0072B2"
WIDEST = 90  # letters of a line of a title, where nothing on the page fits them

_TICKS = {"exponentformat": "e", "minexponent": 4}  # powers of ten where `number` has them, not 6µ
_AXIS = {
    **_TICKS,
    "gridcolor": "rgba(128,128,128,.25)",
    "zeroline": False,
    "ticks": "",
    "ticklabelstandoff": 5,
    "automargin": True,
}
_TEMPLATE = go.layout.Template(
    layout={
        "font": {"color": "#767676"},  # contrast 4.5 on white, 4.6 on black
        "title": {
            **{"x": 0, "xanchor": "left", "y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 12}},
            "font": {"size": 16, "weight": 600},
        },
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom"},
        "margin": {"t": 60, "b": 10, "l": 10, "r": 10},  # Plotly's own leave a third of a low figure empty
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "coloraxis": {"colorbar": _TICKS},
    }
)


class Panel(Protocol):
    """A detector's place among several: its name, and a line under it."""

    @property
    def name(self) -> str: ...

    @property
    def note(self) -> str: ...


def to_html(*figs: go.Figure, warnings: Sequence[str] = ()) -> str:
    """A page that shows the figures in any browser, offline too (5 MB: Plotly's script is in it), alt texts below and
    ``warnings`` of what they are about above."""
    parts = [f'<p role="alert">⚠ {html.escape(line)}</p>' for line in warnings]
    for i, fig in enumerate(figs):
        drawn = _wrapped(fig).to_html(
            full_html=False, include_plotlyjs=i == 0, div_id=f"figure{i}", config={"displaylogo": False}
        )
        parts.append(f"<figure>{drawn}<figcaption>{html.escape(fig.layout.meta['alt'])}</figcaption></figure>")
    title = (figs[0].layout.title.text or "").replace("<br>", " ")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>\n'
        f'<body style="font-family: sans-serif">\n{"".join(parts)}\n</body></html>\n'
    )


def _wrapped(fig: go.Figure) -> go.Figure:
    """The figure with a title of lines that a page has room for: Plotly cuts off what is longer."""
    given = [html.unescape(line) for line in fig.layout.title.text.split("<br>")]
    lines = [part for line in given for part in textwrap.wrap(line, WIDEST)]
    top = fig.layout.margin.t or _TEMPLATE.layout.margin.t
    return go.Figure(fig).update_layout(
        title_text=escaped("<br>".join(lines)), margin_t=top + 20 * (len(lines) - len(given))
    )


def escaped(text: str) -> str:
    """A text, lines of it parted by <br>, as Plotly is to be given it: it would take tags and entities for markup."""
    return "<br>".join(html.escape(line, quote=False) for line in text.split("<br>"))


def plot(traces: Sequence[BaseTraceType], title: str, alt: str, *, x: Layout, y: Layout, **layout: object) -> go.Figure:
    """A plot with its axes, made at once: each update of a figure that is there takes a millisecond."""
    return go.Figure(traces, {**_looks(title, alt), "xaxis": x, "yaxis": y, **layout})


def finish(fig: go.Figure, title: str, alt: str) -> go.Figure:
    fig.update_layout(_looks(title, alt))
    return fig


def name_axes(fig: go.Figure, **axes: str) -> go.Figure:
    """Names the axes x or y for the file of the figure's numbers; on the figure it goes without saying what they are."""
    fig.layout.meta |= axes
    return fig


def _looks(title: str, alt: str) -> Layout:
    clear = "rgba(0,0,0,0)"
    return {
        "title": escaped(title),
        "meta": {"alt": alt},
        "template": _TEMPLATE,
        "paper_bgcolor": clear,
        "plot_bgcolor": clear,
    }


def frame(x: Sequence[float], y: Sequence[float], **more: object) -> Layout:
    """The shape of a frame from the first to the second of ``x`` and of ``y``."""
    ends = {"x0": x[0], "x1": x[1], "y0": y[0], "y1": y[1]}
    return {"type": "rect", **ends, "line": {"color": ERROR_MARK, "width": 3}, **more}


def rule(*, x: float | None = None, y: float | None = None, **line: object) -> Layout:
    """The shape of a line across all of the plot at x or at y."""
    if x is not None:
        ends = {"x0": x, "x1": x, "y0": 0, "y1": 1, "xref": "x", "yref": "y domain"}
    else:
        ends = {"x0": 0, "x1": 1, "y0": y, "y1": y, "xref": "x domain", "yref": "y"}
    return {"type": "line", "line": line, **ends}


def error_bars(values: Sequence[float], ends: Sequence[tuple[float, float] | None], **look: object) -> Layout:
    """The 95% intervals of points, each from its low to its high end: of one that leaves out its own value only the end
    beyond, and nothing where it is None or NaN."""
    spans = [None if span is None or math.isnan(span[0]) else span for span in ends]
    return {
        "type": "data",
        "symmetric": False,
        "array": [span and max(0.0, span[1] - value) for value, span in zip(values, spans, strict=True)],
        "arrayminus": [span and max(0.0, value - span[0]) for value, span in zip(values, spans, strict=True)],
        **look,
    }


def multiples(panels: Sequence[Panel], **axes: object) -> tuple[go.Figure, list[dict[str, int]]]:
    """A figure with a place for each panel, headed by its name and note, and these places, row by row."""
    columns = min(len(panels), 2 if len(panels) == 4 else 3)
    rows = -(-len(panels) // columns)
    lines = 1 + max(panel.note.count("<br>") for panel in panels)
    fig = make_subplots(
        rows,
        columns,
        subplot_titles=[f"<b>{panel.name}</b><br>{panel.note}" for panel in panels],
        horizontal_spacing=0.03,
        vertical_spacing=(0.2 + 0.06 * lines) / rows,
        **axes,
    )
    # For the file of the figure's numbers.
    fig.update_layout(meta={"panels": [panel.name for panel in panels], "x": axes.get("x_title", "x")})
    return fig, [{"row": i // columns + 1, "col": i % columns + 1} for i in range(len(panels))]


def finish_multiples(fig: go.Figure, rows: int, title: str, alt: str) -> go.Figure:
    fig.update_annotations(font_size=13)
    lines = max(note.text.count("<br>") for note in fig.layout.annotations)
    fig.update_layout(height=220 + (232 + 18 * lines) * rows, margin={"t": 72 + 18 * lines, "b": 140, "l": 10, "r": 10})
    panels = fig.layout.meta
    fig = finish(fig, title, alt)
    fig.layout.meta |= panels
    # Where it may take three lines.
    fig.update_layout(legend={"y": 0, "yref": "container", "yanchor": "bottom", "x": 0})
    return fig


def colours(names: Sequence[str] | Mapping[str, object]) -> list[str]:
    """A colour for each name: its own if it is one of the four groups, else the next of the others."""
    others = [name for name in names if name not in GROUP_COLOURS]
    return [GROUP_COLOURS.get(name) or OTHER_COLOURS[others.index(name) % len(OTHER_COLOURS)] for name in names]
