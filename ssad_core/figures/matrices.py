"""Numbers in cells, and two measures against each other (Table 2 and what it means)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from ..numbers import decimal, leading, number
from .base import Layout, error_bars, escaped, frame, name_axes, plot, rule
from .labels import beside

# From here on in Cividis_r white figures read better than black ones; either has a contrast of 4.6 at least.
DARK = 0.52
# With fewer the bar of a matrix's colours is so low that its labels lie on each other; the cells say it all.
FEW_ROWS = 4
# With more columns no page has room for the figures in its cells.
MOST_COLUMNS = 24
# Letters of a column's name: so many at most, else it would take the rows' room; from so many on the figure is higher.
MOST_LETTERS, FEW_LETTERS = 24, 10
# The colours of cells from the paper's own to a strong one, and of the figures in them: each reads on all of its scale.
DAY: Layout = {"colorscale": [[0, "#f7fbff"], [1, "#6baed6"]], "textfont": {"color": "#1a1a1a", "size": 12}}
NIGHT: Layout = {"colorscale": [[0, "#16212b"], [1, "#2f78ab"]], "textfont": {"color": "#ffffff", "size": 12}}


@dataclass(frozen=True)
class MatrixCell:
    """A cell of `matrix_figure`: its value, what is written in it, and what hovering adds."""

    value: float
    text: str
    hover: str


def matrix_figure(
    cells: Mapping[tuple[str, str], MatrixCell],
    rows: Mapping[str, str],
    columns: Sequence[str],
    *,
    best: Mapping[str, str],
    chosen: tuple[str, str],
    measure: str,
    title: str,
) -> go.Figure:
    """A measure, on a logarithmic scale of colours, of each row, with the colour of its name, and each column (Table 2).

    ``cells`` by (row, column) may be incomplete. ``best`` is the row to be framed in a column; ``chosen`` are a row and a
    column whose names are bold.
    """
    values = np.array([[cells[r, c].value if (r, c) in cells else np.nan for c in columns] for r in rows])
    texts = np.array([[cells[r, c].text if (r, c) in cells else "" for c in columns] for r in rows], dtype=object)
    hovers = [[escaped(cells[r, c].hover) if (r, c) in cells else "" for c in columns] for r in rows]
    positive = values[values > 0]
    least, most = (positive.min(), positive.max()) if positive.size else (0.1, 1.0)
    ticks = _ticks(least, most, (1, 3))
    ticks = ticks if len(ticks) > 1 else [least, most]
    z = np.log10(np.clip(values, least, None))
    dark = z > (1 - DARK) * np.log10(least) + DARK * np.log10(most)
    texts[dark] = [f'<span style="color:white">{text}</span>' for text in texts[dark]]
    heat = go.Heatmap(
        z=z,
        # For the file of numbers.
        meta=[[None if np.isnan(value) else value for value in row] for row in values.tolist()],
        colorscale="Cividis_r",
        colorbar={
            "title": measure,
            "thickness": 12,
            "tickvals": np.log10(ticks),
            "ticktext": [number(tick, digits=2) for tick in ticks],
        },
        text=texts,
        texttemplate="%{text}" if len(columns) <= MOST_COLUMNS else None,
        textfont={"color": "black", "size": 12},
        customdata=hovers,
        hovertemplate="%{customdata}<extra></extra>",
        showscale=len(rows) >= FEW_ROWS,
        xgap=1,
        ygap=1,
    )
    names, kinds = list(rows), list(columns)

    def framed(x: int, y: int) -> Layout:
        return frame((x - 0.48, x + 0.48), (y - 0.46, y + 0.46))

    def written(name: str, text: str) -> str:
        return f"<b>{escaped(text)}</b>" if name in chosen else escaped(text)

    across = [written(kind, _shortened(kind)) for kind in kinds]
    down = [f'<span style="color:{colour}">{written(name, name)}</span>' for name, colour in rows.items()]
    letters = max((len(_shortened(kind)) for kind in kinds), default=0)
    x_ticks = {"tickvals": list(range(len(kinds))), "ticktext": across, "showgrid": False}
    y_ticks = {"tickvals": list(range(len(names))), "ticktext": down}
    said = "; ".join(f"{column}: {row} ({number(cells[row, column].value)})" for column, row in best.items())
    ending = f" Smallest by column: {said}." if said else ""
    fig = plot(
        [heat],
        title,
        f"{measure} of {len(names)} augs, rows, and {len(kinds)} anomalies, columns.{ending}",
        x={"title": "anomaly", "range": [-0.5, len(kinds) - 0.5], "autotickangles": [0, 60, 90], **x_ticks},
        y={"title": "aug", "range": [len(names) - 0.5, -0.5], "showgrid": False, **y_ticks},
        shapes=[framed(kinds.index(column), names.index(row)) for column, row in best.items()],
        height=150 + 27 * len(names) + 6 * max(0, letters - FEW_LETTERS),
        margin={"t": 60, "b": 10, "l": 10, "r": 10},
    )
    # For the file of numbers.
    fig.layout.meta |= {"names": {"xaxis": list(map(escaped, kinds))}}
    return fig


def _shortened(name: str) -> str:
    """Both ends of a long name: long names often begin alike."""
    half = MOST_LETTERS // 2
    return name if len(name) <= MOST_LETTERS else f"{name[:half]}…{name[1 - half :]}"


@dataclass(frozen=True)
class ScatterPoint:
    """A point of `scatter_figure`: what it is, the colour of its category, where it lies, and its 95% interval."""

    name: str
    colour: str
    x: float
    y: float
    interval: tuple[float, float] | None = None


def scatter_figure(
    shown: Sequence[ScatterPoint],
    others: Sequence[ScatterPoint] = (),
    *,
    x_title: str,
    y_title: str,
    level: float,
    title: str,
) -> go.Figure:
    """Two measures against each other: points with their names, and small ones for the ``others``; x is logarithmic where
    its values are of different orders. ``level`` is what y is where nothing is gained."""
    every = [point.x for point in (*shown, *others)]
    log = bool(every) and 0 < 5 * min(every) < max(every)
    named = go.Scatter(
        x=[point.x for point in shown],
        y=[point.y for point in shown],
        mode="markers",
        text=[point.name for point in shown],
        marker={"color": [point.colour for point in shown], "size": 11},
        error_y=error_bars(
            [point.y for point in shown],
            [point.interval for point in shown],
            color="rgba(128,128,128,.7)",
            thickness=1,
            width=3,
        ),
        customdata=[f"({' to '.join(map(decimal, point.interval))}) " if point.interval else "" for point in shown],
        hovertemplate="%{text}: %{y:.3f} %{customdata}at %{x:.3g}<extra></extra>",
        showlegend=False,
    )
    small = go.Scatter(
        x=[point.x for point in others],
        y=[point.y for point in others],
        mode="markers",
        marker={"color": [point.colour for point in others], "size": 5, "opacity": 0.35},
        text=[escaped(point.name) for point in others],
        hovertemplate="%{text}: %{y:.3f} at %{x:.3g}<extra></extra>",
        showlegend=False,
    )
    # Between powers of ten Plotly writes a mere 2 or 5.
    ticks = _ticks(min(every), max(every), (1, 2, 5)) if log else []
    numbers = {"type": "log", "tickvals": ticks, "ticktext": [number(tick, digits=1) for tick in ticks]} if log else {}
    said = ", ".join(
        f"{point.name} {decimal(point.y)} at {number(point.x)}" for point in sorted(shown, key=lambda p: p.x)
    )
    return plot(
        [small, named] if others else [named],
        title,
        f"{y_title} against {x_title}: {said or 'no points yet'}.",
        x={"title": f"{x_title}, logarithmic" if log else x_title, **numbers},
        y={"title": y_title},
        shapes=[rule(y=level, color="#767676", width=1)],
        annotations=_names(shown, others, log),
    )


def _names(shown: Sequence[ScatterPoint], others: Sequence[ScatterPoint], log: bool) -> list[dict[str, object]]:
    """Each point's name, beside it or, where it is crowded, at the end of a line."""
    if not shown:
        return []
    places = np.array([(math.log10(point.x) if log else point.x, point.y) for point in (*shown, *others)])
    points, rest = np.split(places, [len(shown)])
    spans = np.array([point.interval or (point.y, point.y) for point in shown])
    found = beside(points, spans, [point.name for point in shown], rest)
    line = {"arrowhead": 0, "arrowwidth": 0.8, "standoff": 6, "borderpad": 0, "font": {"size": 12}}
    return [
        {
            "text": point.name,
            "x": x,
            "y": y,
            "ax": place.right,
            "ay": -place.up,
            "arrowcolor": "#8a8f98" if place.line else "rgba(0,0,0,0)",
            **line,
        }
        for point, (x, y), place in zip(shown, points.tolist(), found, strict=True)
    ]


def tasks_figure(
    auc: np.ndarray,
    tasks: Sequence[str],
    runs: Sequence[str],
    *,
    contests: Sequence[Sequence[int]],
    enough: np.ndarray,
    title: str,
) -> go.Figure:
    """AUC (tasks, runs) of each task, a row, by each run, a column; NaN where a run has no such task. A star marks the best
    run of each task among those of each of the ``contests``, columns that can be compared: `leading`, where an AUC is of
    images ``enough``, bool (tasks, runs)."""
    top = np.zeros(auc.shape, bool)
    for columns in contests:
        top[:, columns] = leading(np.where(enough, auc, np.nan)[:, columns], axis=1)
    texts = np.array([["" if np.isnan(value) else f"{value:.3f}" for value in row] for row in auc], dtype=object)
    texts[top] = [f"<b>★ {text}</b>" for text in texts[top]]
    heat = go.Heatmap(
        z=auc,
        x=list(range(len(runs))),
        y=list(range(len(tasks))),
        text=texts,
        texttemplate="%{text}",
        **DAY,
        customdata=[[[escaped(task), escaped(run)] for run in runs] for task in tasks],
        hovertemplate="%{customdata[1]} on %{customdata[0]}: AUC %{z:.4f}<extra></extra>",
        hoverongaps=False,
        zmin=min(0.5, float(np.nanmin(auc))),
        zmax=1,
        showscale=False,  # the values are there
        colorbar={"title": "AUC"},  # for the file of numbers
        xgap=2,
        ygap=2,
    )
    names = [escaped(name).replace(", ", "<br>") for name in runs]
    labels = [escaped(task) for task in tasks]
    deepest = max(name.count("<br>") for name in names)
    said = ", ".join(f"{tasks[i]}: {runs[j]} ({auc[i, j]:.3f})" for i, j in zip(*np.nonzero(top), strict=True))
    fig = plot(
        [heat],
        title,
        f"AUC of {len(runs)} runs on {len(tasks)} tasks." + (f" Best: {said}." if said else ""),
        x={"tickvals": heat.x, "ticktext": names, "side": "top", "autotickangles": [0, -45], "showgrid": False},
        y={"tickvals": heat.y, "ticktext": labels, "autorange": "reversed", "showgrid": False},
        height=130 + 16 * deepest + 30 * len(tasks),
        margin={"t": 90 + 16 * deepest, "b": 10, "l": 10},
    )
    fig.layout.meta |= {"dark": NIGHT}
    return name_axes(fig, x="run", y="task")


def _ticks(least: float, most: float, steps: Sequence[int]) -> list[float]:
    """The ``steps`` of each power of ten that lie between two positive numbers."""
    decades = range(int(np.floor(np.log10(least))), int(np.ceil(np.log10(most))) + 1)
    return [step * 10.0**decade for decade in decades for step in steps if least <= step * 10.0**decade <= most]
