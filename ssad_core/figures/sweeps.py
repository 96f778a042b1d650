"""A parameter's sweep (Fig. 4a) and the surface over aug's and gen's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np
import plotly.graph_objects as go

from ..colours import ERROR_MARK
from ..numbers import decimal, leading
from .base import MAIN, escaped, frame, plot, rule


def sweep_figure(
    values: Sequence[float],
    means: Sequence[float],
    intervals: Sequence[tuple[float, float] | None],
    *,
    each: Mapping[str, Mapping[float, float]] | None = None,
    incomplete: Mapping[float, str] | None = None,
    missing: Sequence[float] = (),
    chosen: float | None = None,
    drawn: float | None = None,
    gen: tuple[float, float] | None = None,
    parameter: str,
    measure: str,
    level: float,
    title: str,
) -> go.Figure:
    """A measure against the values of a parameter (Fig. 4a): its mean, a band for its intervals, as far as there are any,
    and ``each`` seed's own.

    ``missing`` values, of which nothing is measured, are ticks at the foot; there the band ends and the line is dotted.
    ``incomplete`` values, with a word on each, are open points. ``level``, the measure without any gain, 0 of a difference,
    .5 of an AUC, has a line, as have the ``chosen`` value and what ``drawn`` is the measure of, the parameter drawn for each
    image. ``gen`` is between what values, twice the same if one, gen draws the same parameter.
    """
    incomplete = incomplete or {}
    every = sorted({*values, *missing})
    mean_of = dict(zip(values, means, strict=True))
    interval_of = {value: ends for value, ends in zip(values, intervals, strict=True) if ends}
    notes_of = {v: " to ".join(map(decimal, interval_of[v])) if v in interval_of else "no interval" for v in values}
    for value, word in incomplete.items():
        notes_of[value] += f", {word}"
    quiet = {"mode": "lines", "hoverinfo": "skip", "showlegend": False}
    # Its outline is seen around a value between two missing ones, where there is nothing to fill.
    outline = {"color": MAIN + "66", "width": 1.5}
    xs, ys = _outline(every, interval_of)
    traces = [go.Scatter(x=xs, y=ys, fill="toself", fillcolor=MAIN + "33", line=outline, name="interval", **quiet)]
    if missing:
        traces.append(go.Scatter(x=values, y=means, line={"color": MAIN, "width": 1.5, "dash": "dot"}, **quiet))
    dots = {"mode": "markers", "marker": {"color": MAIN, "size": 5, "opacity": 0.5}, "showlegend": False}
    for name, own in (each or {}).items():
        places = sorted(own)
        hover = "%{fullData.name}: %{y:.3f} at %{x:~g}<extra></extra>"
        traces.append(go.Scatter(x=places, y=[own[v] for v in places], name=escaped(name), hovertemplate=hover, **dots))
    mean = go.Scatter(
        x=every,
        y=[mean_of.get(value) for value in every],
        name=measure,
        mode="lines+markers",
        line={"color": MAIN, "width": 2},
        marker={"color": MAIN, "size": 9, "symbol": ["circle-open" if v in incomplete else "circle" for v in every]},
        customdata=[notes_of.get(value) for value in every],
        hovertemplate="%{y:.3f} (%{customdata}) at %{x:~g}<extra></extra>",
        showlegend=False,
    )
    traces.append(mean)
    if missing:
        ticks = go.Scatter(
            x=list(missing),
            y=[0] * len(missing),
            yaxis="y2",
            name="not trained yet",
            mode="markers",
            marker={"symbol": "line-ns", "size": 14, "line": {"color": "#767676", "width": 2}},
            cliponaxis=False,
            hovertemplate="%{x:~g}: not trained yet<extra></extra>",
        )
        traces.append(ticks)
    lines = [] if chosen is None else [rule(x=chosen, color="#767676", dash="dot")]
    lines.append(rule(y=level, color="#767676", width=1))
    notes, own, right = [], "", False
    if gen is not None:
        low, high = gen
        own = f"gen: {low:.2g}" if low == high else f"gen: {low:.2g} to {high:.2g}"
        span = {"x0": low, "x1": high, "y0": 0, "y1": 1, "xref": "x", "yref": "y domain"}
        line = {"color": ERROR_MARK, "width": 1.5 if low == high else 0}
        lines.append({"type": "rect", "fillcolor": ERROR_MARK + "1a", "line": line, "layer": "below", **span})
        right = bool(every) and low + high > every[0] + every[-1]
        place = {"x": high if right else low, "xanchor": "right" if right else "left", "y": 1, "yref": "y domain"}
        notes.append({"text": own, "yanchor": "top", "showarrow": False, **place})
    if drawn is not None:
        lines.append(rule(y=drawn, color=MAIN, dash="dash", width=1))
        # At the other end, where it does not meet the words of gen.
        place = {"x": 0 if right else 1, "xref": "x domain", "xanchor": "left" if right else "right", "y": drawn}
        notes.append(
            {"text": f"drawn for each image: {decimal(drawn)}", "yanchor": "bottom", "showarrow": False, **place}
        )
    said = ", ".join(
        f"{value:g}: {decimal(mean)}" + (f" ({incomplete[value]})" if value in incomplete else "")
        for value, mean in zip(values, means, strict=True)
    )
    said += "" if drawn is None else f"; drawn for each image: {decimal(drawn)}"
    said += f"; {own}" if own else ""
    return plot(
        traces,
        title,
        f"{measure} against {parameter}: {said}.",
        x={"title": parameter},
        # Without a point the axis would go from -1 to 1.
        y={"title": measure, "range": None if len(values) else [level - 0.1, level + 0.1]},
        yaxis2={"overlaying": "y", "range": [0, 1], "visible": False, "tickvals": [0], "ticktext": ["not measured"]},
        shapes=lines,
        annotations=notes,
        showlegend=bool(missing),  # else Plotly leaves it out while nothing is trained
    )


def _outline(every: Sequence[float], interval_of: Mapping[float, tuple[float, float]]) -> tuple[list, list]:
    """The x and y of a way around the intervals, there and back again for each stretch of values that have one; None parts
    the stretches."""
    xs, ys = [], []
    for known, some in groupby(every, key=interval_of.__contains__):
        if known:
            stretch = list(some)
            xs += [*stretch, *stretch[::-1], None]
            ys += [*(interval_of[v][0] for v in stretch), *(interval_of[v][1] for v in stretch[::-1]), None]
    return xs, ys


def surface_figure(
    auc: np.ndarray,
    rows: Sequence[float],
    columns: Sequence[float],
    *,
    row_title: str,
    column_title: str,
    diagonal: bool = False,
    chosen: tuple[float, float | None] | None = None,
    title: str,
) -> go.Figure:
    """AUC (rows, columns) of each value of aug's parameter, a row, on each value of gen's, a column; NaN is not measured.

    Frames mark the `leading` rows of each column, another one the ``chosen`` cell, all of its row where no column is
    chosen; a ``diagonal`` is where both values are the same.
    """
    heat = go.Heatmap(
        z=auc,
        x=list(columns),
        y=list(rows),
        colorscale="Cividis",
        colorbar={"title": "AUC", "thickness": 12},
        texttemplate="%{z:.2f}",
        hovertemplate="aug %{y:~g}, gen %{x:~g}: AUC %{z:.3f}<extra></extra>",
    )
    best = leading(auc, axis=0)
    across, down = _cells(columns), _cells(rows)
    named = {"name": "best aug", "legendgroup": "best aug"}
    cells = [(i, j) for j in range(len(columns)) for i in np.flatnonzero(best[:, j])]
    # In the legend once.
    frames = [frame(across[j], down[i], showlegend=not k, **named) for k, (i, j) in enumerate(cells)]
    traces = [heat]
    if diagonal:
        both = [max(rows[0], columns[0]), min(rows[-1], columns[-1])]
        dashed = {"dash": "dash", "color": "#8a8f98", "width": 1.5}
        traces.append(go.Scatter(x=both, y=both, mode="lines", name="aug = gen", line=dashed, hoverinfo="skip"))
    highest = np.max(auc, axis=0, where=~np.isnan(auc), initial=-np.inf)
    said = [
        f"gen {gen:g}: "
        + (f"aug {' and '.join(f'{rows[i]:g}' for i in np.flatnonzero(own))}" if own.any() else "all alike")
        + f" ({value:.3f})"
        for gen, own, value in zip(columns, best.T, highest, strict=True)
        if np.isfinite(value)
    ]
    alt = f"AUC by aug's and gen's parameter. Best: {', '.join(said) or 'nothing measured'}."
    if chosen is not None and chosen[0] in rows:
        row, column = chosen
        places = across[[columns.index(column)]] if column in columns else across
        place = (places.min(), places.max()), down[rows.index(row)]
        for colour, width in (
            ("#767676", 2),
            ("white", 5),
        ):  # seen on whatever colour of the scale, below the best ones
            line = {"color": colour, "width": width}
            known = {"name": "chosen", "legendgroup": "chosen", "showlegend": colour != "white"}
            frames.insert(0, frame(*place, line=line, **known))
        alt += f" Chosen: aug {row:g}{f', gen {column:g}' if column in columns else ''}."
    # Numbers have room enough in these margins; to find out by itself Plotly draws all of it twice.
    x, y = (
        {"title": name, "tickvals": list(values), "showgrid": False, "automargin": False}
        for name, values in ((column_title, columns), (row_title, rows))
    )
    # The legend below, where it may take two lines.
    legend = {"x": 0, "y": 0, "yref": "container", "yanchor": "bottom"}
    margin = {"t": 45, "b": 95, "l": 60, "r": 10}
    return plot(traces, title, alt, x=x, y=y, shapes=frames, margin=margin, showlegend=True, legend=legend)


def _cells(values: Sequence[float]) -> np.ndarray:
    """Where the cell of each of the values (n,) begins and ends, (n, 2), as Plotly draws them: halfway to the next."""
    halves = np.diff(values) / 2 if len(values) > 1 else np.array([0.5])
    before, after = np.append(halves[0], halves), np.append(halves, halves[-1])
    return np.stack([values - before[: len(values)], values + after[: len(values)]], axis=1)
