"""The lab's views as Plotly figures: data in, figure out, for pages that compare, for export and for notebooks.

Backgrounds are transparent and text is a grey that reads on white and on black. ``fig.layout.meta["alt"]`` holds each
figure's text alternative.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from PIL import Image
from plotly.subplots import make_subplots

from . import histogram
from .bias import Bias, ClassResult
from .statistics import auc

GROUP_COLOURS = {
    "train normal": "#8a8f98",
    "train augmented": "#E69F00",
    "test normal": "#0072B2",
    "test anomalous": "#D55E00",
}
OTHER_COLOURS = ["#009E73", "#CC79A7", "#56B4E9", "#0072B2", "#E69F00", "#D55E00"]  # Okabe and Ito's, for other names
SYMBOLS = dict(zip(GROUP_COLOURS, ["circle", "diamond", "square", "cross"], strict=True))
OTHER_SYMBOLS = ["x", "star", "triangle-up", "pentagon"]
ERROR_COLOUR = (213, 94, 0)
ERROR_MARK = "#D55E00"
BETTER, WORSE, UNCLEAR = "#009E73", "#D55E00", "#8a8f98"  # of a difference; each has a mark of its own too
_MAIN = "#0072B2"
_SCORES = {"colorscale": "Cividis", "colorbar": {"title": "score", "thickness": 12}}
RECONSTRUCTION_ERROR = "reconstruction error (mean squared error)"

_TEMPLATE = go.layout.Template(
    layout={
        "font": {"color": "#767676"},  # contrast 4.5 on white, 4.6 on black
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom"},
        "xaxis": {"gridcolor": "rgba(128,128,128,.25)", "zeroline": False, "automargin": True},
        "yaxis": {"gridcolor": "rgba(128,128,128,.25)", "zeroline": False, "automargin": True},
    }
)


def histogram_figure(
    groups: Mapping[str, np.ndarray],
    *,
    threshold: float | None = None,
    title: str,
    log: bool = False,
    score: str = RECONSTRUCTION_ERROR,
) -> go.Figure:
    """Histograms of each group's scores (n,) on common bins, in per cent of the group (Figs. 7, 15, 16).

    ``score`` names the score and its unit; ``log`` asks for a logarithmic axis and scores above zero (BadInput).
    """
    edges = histogram.common_edges(list(groups.values()), log=log)
    shares = {name: histogram.per_cent(scores, edges) for name, scores in groups.items()}
    fig = go.Figure()
    for (name, share), colour in zip(shares.items(), _colours(groups), strict=True):
        fig.add_scatter(name=name, mode="lines", **_steps(edges, share, colour))
    if threshold is not None:  # a trace, since labels of Plotly's shapes cover the legend
        top, dashed = max(share.max() for share in shares.values()), {"dash": "dash", "color": "#767676"}
        name = f"threshold {threshold:.4g}"
        fig.add_scatter(x=[threshold] * 2, y=[0, top], name=name, mode="lines", line=dashed, hoverinfo="name")
    fig.update_xaxes(title=score, type="log" if log else "linear")
    fig.update_yaxes(title="per cent of group", rangemode="tozero")
    medians = ", ".join(f"{name} {np.median(scores):.3g}" for name, scores in groups.items())
    above = "" if threshold is None else f" Threshold {threshold:.3g}."
    return _finish(fig, title, f"Histograms of the {score}. Medians: {medians}.{above}")


@dataclass(frozen=True)
class ScorePanel:
    """One detector's place among several: its ``scores`` by group, its ``threshold``, and a line under its name."""

    name: str
    scores: Mapping[str, np.ndarray]
    threshold: float
    note: str


def histograms_figure(
    panels: Sequence[ScorePanel], *, title: str, log: bool = False, score: str = RECONSTRUCTION_ERROR
) -> go.Figure:
    """Histograms of several detectors on common bins and axes (Figs. 7, 15, 16), with a threshold in each.

    ``score`` names the score and its unit; ``log`` asks for a logarithmic axis and scores above zero (BadInput).
    """
    fig, places = _multiples(panels, shared_xaxes="all", shared_yaxes="all")
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
    return _finish_multiples(fig, rows, title, f"Histograms of the {score}. {said}.")


def roc_figure(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]], fpr: float | None = None, *, title: str = "ROC curves"
) -> go.Figure:
    """ROC curves from (normal, anomalous) scores of each name, its AUC in the legend.

    With ``fpr``, in [0, 1], a dot marks what each detects at no more than that false positive rate.
    """
    fig = go.Figure()
    areas = {name: auc(*scores) for name, scores in curves.items()}
    for (name, (normal, anomalous)), colour in zip(curves.items(), _colours(curves), strict=True):
        x, y, thresholds = histogram.roc(normal, anomalous)
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
    return _finish(fig, title, "ROC curves. AUC: " + ", ".join(f"{k} {v:.3f}" for k, v in areas.items()) + ".")


def map_figure(
    xy: np.ndarray, group_names: Sequence[str], *, scores: np.ndarray | None = None, title: str
) -> go.Figure:
    """A t-SNE map of points ``xy`` (n, 2), coloured by their group (n,) or, if given, by their ``scores`` (n,).

    Groups keep their symbols either way (Figs. 8, 9 and 17).
    """
    fig = go.Figure(_points(xy, group_names, scores))
    if scores is not None:
        fig.update_layout(coloraxis=_SCORES)
    fig.update_xaxes(title="t-SNE 1 (no unit)", showticklabels=False)
    fig.update_yaxes(title="t-SNE 2 (no unit)", showticklabels=False, scaleanchor="x")
    counts = ", ".join(f"{list(group_names).count(trace.name)} {trace.name}" for trace in fig.data)
    shown = "group" if scores is None else "score"
    return _finish(fig, title, f"t-SNE map of {len(group_names)} images, coloured by {shown}: {counts}.")


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
    fig, places = _multiples(panels)
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
    return _finish_multiples(fig, places[-1]["row"], title, alt)


def _points(xy: np.ndarray, group_names: Sequence[str], scores: np.ndarray | None) -> list[go.Scatter]:
    """A map's points, a trace for each group."""
    names = np.asarray(group_names)
    groups = [name for name in GROUP_COLOURS if name in names]
    groups += [name for name in dict.fromkeys(group_names) if name not in groups]
    traces = []
    for i, (name, colour) in enumerate(zip(groups, _colours(groups), strict=True)):
        member = names == name
        symbol = SYMBOLS.get(name) or OTHER_SYMBOLS[i % len(OTHER_SYMBOLS)]
        marker = {"symbol": symbol, "size": 5, "opacity": 0.75}
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


def sweep_figure(
    values: Sequence[float],
    means: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    *,
    each: Mapping[str, Mapping[float, float]] | None = None,
    missing: Sequence[float] = (),
    chosen: float | None = None,
    parameter: str,
    measure: str,
    level: float,
    title: str,
) -> go.Figure:
    """A measure against the values of a parameter (Fig. 4a): its mean, a band for its intervals, and ``each`` seed's own.

    ``missing`` values, of which nothing is measured, are open marks at the bottom; ``chosen`` has a line. ``level`` is what
    the measure is where nothing is gained: 0 of a difference, .5 of an AUC.
    """
    fig = go.Figure()
    low, high = [one for one, _ in intervals], [one for _, one in intervals]
    hidden = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    fig.add_scatter(x=values, y=low, **hidden)
    fig.add_scatter(x=values, y=high, fill="tonexty", fillcolor=_MAIN + "33", **hidden)
    for name, own in (each or {}).items():
        places = sorted(own)
        marker = {"color": _MAIN, "size": 5, "opacity": 0.5}
        fig.add_scatter(
            x=places, y=[own[v] for v in places], name=name, mode="markers", marker=marker, showlegend=False
        )
    fig.add_scatter(
        x=values,
        y=means,
        name=measure,
        mode="lines+markers",
        line={"color": _MAIN, "width": 2},
        marker={"size": 9},
        customdata=intervals,
        hovertemplate="%{y:.3f} (%{customdata[0]:.3f} to %{customdata[1]:.3f}) at %{x:g}<extra></extra>",
        showlegend=False,
    )
    if missing:
        ring = {"symbol": "circle-open", "color": "#767676", "size": 9}
        fig.add_scatter(
            x=list(missing),
            y=[min([level, *low])] * len(missing),
            name="not trained yet",
            mode="markers",
            marker=ring,
            hovertemplate="%{x:g}: not trained yet<extra></extra>",
        )
    if chosen is not None:
        fig.add_vline(chosen, line={"color": "#767676", "dash": "dot"})
    fig.add_hline(level, line={"color": "#767676", "width": 1})
    fig.update_xaxes(title=parameter)
    fig.update_yaxes(title=measure)
    said = ", ".join(f"{value:g}: {mean:.3f}" for value, mean in zip(values, means, strict=True))
    return _finish(fig, title, f"{measure} against {parameter}: {said}.")


def bias_figure(bias: Bias, *, chosen: str | None = None, title: str) -> go.Figure:
    """The AUC of each class of anomalies, a row (Fig. 3): the baseline's, a ring, and the run's, an arrow away from it where
    the interval of their difference does not reach the ring; dashed lines are the means.

    A point's customdata begins with its class, and the ``chosen`` class is underlined.
    """
    fig = go.Figure()
    rows = bias.classes[::-1]  # Plotly draws upwards
    names = [row.name for row in rows]
    marks = {
        "better": (BETTER, "triangle-right", [row for row in rows if row.better]),
        "worse": (WORSE, "triangle-left", [row for row in rows if row.worse]),
        "no clear difference" if bias.baseline else bias.run: (
            UNCLEAR if bias.baseline else _MAIN,
            "circle",
            [row for row in rows if not row.better and not row.worse],
        ),
    }
    opaque = {"selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}}}  # a click dims nothing
    for kind, (colour, symbol, some) in marks.items():
        # The interval of the difference lies around the baseline; without one, that of the AUC around nothing.
        ends = [
            (r.baseline + r.gain.low, r.baseline + r.gain.high) if r.gain else (r.auc.low, r.auc.high) for r in some
        ]
        fig.add_scatter(
            x=[row.auc.value for row in some],
            y=[row.name for row in some],
            name=kind,
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 14},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [high - row.auc.value for row, (_, high) in zip(some, ends, strict=True)],
                "arrayminus": [row.auc.value - low for row, (low, _) in zip(some, ends, strict=True)],
                "color": colour,
                "thickness": 2,
                "width": 5,
            },
            customdata=[[row.name, _difference(row)] for row in some],
            hovertemplate=f"%{{y}}: {bias.run} %{{x:.3f}}<br>%{{customdata[1]}}<extra></extra>",
            showlegend=bool(some),
            **opaque,
        )
    means = {bias.run: (bias.auc, _MAIN)}
    if bias.baseline is not None:
        ways = {"x": [x for row in rows for x in (row.baseline, row.auc.value, None)]}
        ways["y"] = [y for row in rows for y in (row.name, row.name, None)]
        fig.add_scatter(**ways, mode="lines", line={"color": UNCLEAR, "width": 1}, hoverinfo="skip", showlegend=False)
        ring = {"color": "#767676", "symbol": "circle-open", "size": 12, "line": {"width": 2}}
        fig.add_scatter(
            x=[row.baseline for row in rows],
            y=names,
            name=bias.baseline,
            mode="markers",
            marker=ring,
            customdata=[[row.name] for row in rows],
            hovertemplate=f"%{{y}}: {bias.baseline} %{{x:.3f}}<extra></extra>",
            **opaque,
        )
        means[bias.baseline] = bias.baseline_auc, "#767676"
    for name, (value, colour) in means.items():
        dashed = {"dash": "dash" if name == bias.run else "dot", "color": colour, "width": 1.5}
        label = f"mean {name} {value:.3f}"
        fig.add_scatter(x=[value] * 2, y=[names[0], names[-1]], name=label, mode="lines", line=dashed, hoverinfo="skip")
    ticks = [_class_tick(row, row.name == chosen) for row in rows]
    fig.update_xaxes(title="AUC against the normal class")
    # Digits are names too: without a type they would be put in the order of numbers.
    fig.update_yaxes(type="category", categoryorder="array", categoryarray=names, tickvals=names, ticktext=ticks)
    fig.update_layout(height=210 + 34 * len(rows), margin={"t": 50, "b": 120, "l": 10, "r": 10})
    said = "; ".join(f"{row.name} {row.auc.value:.3f} ({_difference(row)})" for row in bias.classes)
    fig = _finish(fig, title, f"AUC of {bias.run} by class, mean {bias.auc:.3f}. {said}.")
    # Below the plot, where there is room for three lines of it on a narrow page.
    fig.update_layout(legend={"y": 0, "yref": "container", "yanchor": "bottom"})
    return fig


def _difference(row: ClassResult) -> str:
    if row.gain is None:
        return f"95%: {row.auc.low:.3f} to {row.auc.high:.3f}"
    word = "better" if row.better else "worse" if row.worse else "no clear difference"
    return f"{word}: {row.gain.value:+.3f}, 95% {row.gain.low:+.3f} to {row.gain.high:+.3f}"


def _class_tick(row: ClassResult, chosen: bool) -> str:
    name = f"<u>{html.escape(row.name)}</u>" if chosen else html.escape(row.name)
    colour = BETTER if row.better else WORSE if row.worse else None
    return f'<span style="color:{colour}"><b>{name}</b></span>' if colour else name


def surface_figure(
    auc: np.ndarray,
    rows: Sequence[float],
    columns: Sequence[float],
    *,
    row_title: str,
    column_title: str,
    diagonal: bool = False,
    title: str,
) -> go.Figure:
    """AUC (rows, columns) of each value of aug's parameter, a row, on each value of gen's, a column; NaN is not measured.

    A ring marks the best row of each column; a ``diagonal`` is where both values are the same.
    """
    fig = go.Figure(
        go.Heatmap(
            z=auc,
            x=list(columns),
            y=list(rows),
            colorscale="Cividis",
            colorbar={"title": "AUC", "thickness": 12},
            texttemplate="%{z:.2f}",
            hovertemplate="aug %{y:g}, gen %{x:g}: AUC %{z:.3f}<extra></extra>",
        )
    )
    measured = ~np.isnan(auc).all(axis=0)
    best = np.nanargmax(np.where(np.isnan(auc), -np.inf, auc), axis=0)
    ring = {"symbol": "circle-open", "size": 34, "color": ERROR_MARK, "line": {"width": 2.5}}
    marked = [j for j in range(len(columns)) if measured[j]]
    fig.add_scatter(
        x=[columns[j] for j in marked],
        y=[rows[best[j]] for j in marked],
        mode="markers",
        name="best aug of the column",
        marker=ring,
        hoverinfo="skip",
    )
    if diagonal:
        both = [max(rows[0], columns[0]), min(rows[-1], columns[-1])]
        dashed = {"dash": "dash", "color": "#8a8f98", "width": 1.5}
        fig.add_scatter(x=both, y=both, mode="lines", name="aug = gen", line=dashed, hoverinfo="skip")
    fig.update_xaxes(title=column_title, tickvals=list(columns), showgrid=False)
    fig.update_yaxes(title=row_title, tickvals=list(rows), showgrid=False)
    said = ", ".join(f"gen {columns[j]:g}: aug {rows[best[j]]:g} ({auc[best[j], j]:.3f})" for j in marked)
    return _finish(fig, title, f"AUC by aug's and gen's parameter. Best: {said or 'nothing measured'}.")


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
    texts = [[cells[r, c].text if (r, c) in cells else "" for c in columns] for r in rows]
    hovers = [[cells[r, c].hover if (r, c) in cells else "" for c in columns] for r in rows]
    positive = values[values > 0]
    least, most = (positive.min(), positive.max()) if positive.size else (0.1, 1.0)
    decades = range(int(np.floor(np.log10(least))), int(np.ceil(np.log10(most))) + 1)
    ticks = [step * 10.0**decade for decade in decades for step in (1, 3) if least <= step * 10.0**decade <= most]
    ticks = ticks if len(ticks) > 1 else [least, most]
    fig = go.Figure(
        go.Heatmap(
            z=np.log10(np.clip(values, least, None)),
            colorscale="Cividis_r",
            colorbar={
                "title": measure,
                "thickness": 12,
                "tickvals": np.log10(ticks),
                "ticktext": [f"{tick:.3g}" for tick in ticks],
            },
            text=texts,
            texttemplate="%{text}",
            customdata=hovers,
            hovertemplate="%{customdata}<extra></extra>",
            xgap=1,
            ygap=1,
        )
    )
    names, kinds = list(rows), list(columns)
    for column, row in best.items():
        x, y = kinds.index(column), names.index(row)
        frame = {"color": ERROR_MARK, "width": 3}
        fig.add_shape(type="rect", x0=x - 0.48, x1=x + 0.48, y0=y - 0.46, y1=y + 0.46, line=frame)

    def written(name: str, colour: str = "inherit") -> str:
        bold = f"<b>{name}</b>" if name in chosen else name
        return f'<span style="color:{colour}">{bold}</span>' if colour != "inherit" else bold

    fig.update_xaxes(tickvals=list(range(len(kinds))), ticktext=[written(name) for name in kinds], showgrid=False)
    fig.update_xaxes(title="anomaly", range=[-0.5, len(kinds) - 0.5], autotickangles=[0, 60, 90])
    fig.update_yaxes(tickvals=list(range(len(names))), ticktext=[written(*row) for row in rows.items()], showgrid=False)
    fig.update_yaxes(title="aug", range=[len(names) - 0.5, -0.5])
    fig.update_layout(height=150 + 27 * len(names), margin={"t": 60, "b": 10, "l": 10, "r": 10})
    said = "; ".join(f"{column}: {row} ({cells[row, column].value:.3g})" for column, row in best.items())
    ending = f" Smallest by column: {said}." if said else ""
    return _finish(fig, title, f"{measure} of {len(names)} augs, rows, and {len(kinds)} anomalies, columns.{ending}")


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
    fig = go.Figure()
    if others:
        fig.add_scatter(
            x=[point.x for point in others],
            y=[point.y for point in others],
            mode="markers",
            marker={"color": [point.colour for point in others], "size": 5, "opacity": 0.35},
            customdata=[point.name for point in others],
            hovertemplate="%{customdata}: %{y:.3f} at %{x:.3g}<extra></extra>",
            showlegend=False,
        )
    spans = [point.interval or (point.y, point.y) for point in shown]
    fig.add_scatter(
        x=[point.x for point in shown],
        y=[point.y for point in shown],
        mode="markers+text",
        text=[f"  {point.name}" for point in shown],  # clear of its mark and of its interval
        textposition="middle right",
        marker={"color": [point.colour for point in shown], "size": 11},
        error_y={
            "array": [high - point.y for (_, high), point in zip(spans, shown, strict=True)],
            "arrayminus": [point.y - low for (low, _), point in zip(spans, shown, strict=True)],
            "color": "rgba(128,128,128,.7)",
            "thickness": 1,
            "width": 3,
        },
        customdata=spans,
        hovertemplate="%{text}: %{y:.3f} (%{customdata[0]:.3f} to %{customdata[1]:.3f}) at %{x:.3g}<extra></extra>",
        showlegend=False,
    )
    fig.add_hline(level, line={"color": "#767676", "width": 1})
    places = [point.x for point in (*shown, *others)]
    log = bool(places) and 0 < 5 * min(places) < max(places)
    fig.update_xaxes(title=x_title, **({"type": "log", "dtick": "D2"} if log else {}))  # D2: at 1, 2 and 5
    fig.update_yaxes(title=y_title)
    said = ", ".join(f"{point.name} {point.y:.3f} at {point.x:.3g}" for point in sorted(shown, key=lambda p: p.x))
    return _finish(fig, title, f"{y_title} against {x_title}: {said or 'no points yet'}.")


def tasks_figure(auc: np.ndarray, tasks: Sequence[str], runs: Sequence[str], *, title: str) -> go.Figure:
    """AUC (tasks, runs) of each task, a row, by each run, a column; NaN where a run has no such task. A star marks the best
    run of each task."""
    best = np.nanmax(auc, axis=1, keepdims=True)
    top = (auc == best) & (np.count_nonzero(~np.isnan(auc), axis=1, keepdims=True) > 1)
    texts = np.array([["" if np.isnan(value) else f"{value:.3f}" for value in row] for row in auc], dtype=object)
    texts[top] = [f"<b>★ {text}</b>" for text in texts[top]]
    fig = go.Figure(
        go.Heatmap(
            z=auc,
            x=list(range(len(runs))),
            y=list(range(len(tasks))),
            text=texts,
            texttemplate="%{text}",
            textfont={"color": "#1a1a1a"},
            customdata=[[[task, run] for run in runs] for task in tasks],
            hovertemplate="%{customdata[1]} on %{customdata[0]}: AUC %{z:.4f}<extra></extra>",
            hoverongaps=False,
            colorscale=[[0, "#f7fbff"], [1, "#6baed6"]],  # so light that dark figures read on all of it
            zmin=min(0.5, float(np.nanmin(auc))),
            zmax=1,
            showscale=False,  # the values are there
            xgap=2,
            ygap=2,
        )
    )
    names = [html.escape(name).replace(", ", "<br>") for name in runs]
    fig.update_xaxes(tickvals=list(range(len(runs))), ticktext=names, side="top", tickangle=0, showgrid=False)
    labels = [html.escape(task) for task in tasks]
    fig.update_yaxes(tickvals=list(range(len(tasks))), ticktext=labels, autorange="reversed", showgrid=False)
    deepest = max(name.count("<br>") for name in names)
    fig.update_layout(height=130 + 16 * deepest + 30 * len(tasks), margin={"t": 90 + 16 * deepest, "b": 10, "l": 10})
    said = ", ".join(
        f"{task}: {runs[int(np.nanargmax(row))]} ({np.nanmax(row):.3f})" for task, row in zip(tasks, auc, strict=True)
    )
    return _finish(fig, title, f"AUC of {len(runs)} runs on {len(tasks)} tasks. Best: {said}.")


def reconstruction_figure(
    originals: np.ndarray,
    reconstructions: Mapping[str, np.ndarray],
    scores: Mapping[str, np.ndarray] | None = None,
    right: Mapping[str, np.ndarray] | None = None,
    *,
    n: int = 10,
    errors: bool = True,
    title: str = "Reconstructions",
) -> go.Figure:
    """The first ``n`` originals, and below them each detector's reconstruction and squared error (Figs. 6, 13, 14).

    Images are uint8 (N, C, H, W) with C of 1 or 3, and ``scores`` (N,) by the same names stand below them, with a mark for
    success or failure where ``right``, bool (N,), says which. The error maps, left out without ``errors``, share one scale,
    from transparent for none to full colour for the largest error shown.
    """
    original = _rgb(originals[:n])
    shown = {name: _rgb(images[:n]) for name, images in reconstructions.items()}
    maps = {name: np.mean((images - original) ** 2, axis=-1) for name, images in shown.items()} if errors else {}
    largest = max((error.max() for error in maps.values()), default=0.0)
    rows = [("original", _rgba(original), None)]
    for name, images in shown.items():
        rows.append((name, _rgba(images), None if scores is None else scores[name]))
        if errors:
            rows.append((f"{name}: error", _error_map(maps[name], largest), None))

    count, height, width = original.shape[:3]
    gap = max(1, height // 4)  # room for a score below each image
    mosaic = np.zeros((len(rows), height + gap, count, width + 2, 4), np.uint8)
    for r, (_, tiles, _) in enumerate(rows):
        mosaic[r, :height, :, :width] = tiles.transpose(1, 0, 2, 3)
    mosaic = mosaic.reshape(len(rows) * (height + gap), count * (width + 2), 4)
    fig = go.Figure(go.Image(source=_png(mosaic), hoverinfo="skip"))
    for r, (name, _, row_scores) in enumerate(rows):
        for i, value in enumerate([] if row_scores is None else row_scores[:n]):
            mark = "" if right is None else "✓ " if right[name][i] else "✗ "
            x, y = i * (width + 2) + width / 2, r * (height + gap) + height + gap / 2
            fig.add_annotation(x=x, y=y, text=f"{mark}{value:.3g}", showarrow=False, font={"size": 10})
    ticks = [r * (height + gap) + height / 2 for r in range(len(rows))]
    fig.update_yaxes(tickvals=ticks, ticktext=[name for name, _, _ in rows], showgrid=False)
    fig.update_xaxes(visible=False)
    fig.update_layout(height=120 + 80 * len(rows))
    alt = f"{count} images and their reconstructions by {', '.join(shown)}"
    alt += ", each with its squared error per pixel." if errors else "."
    if scores:
        means = ", ".join(f"{name} {np.mean(scores[name][:n]):.3g}" for name in shown)
        alt += f" Mean score: {means}."
    return _finish(fig, title, alt)


def to_html(*figs: go.Figure) -> str:
    """A page that shows the figures in any browser, offline too (5 MB: Plotly's script is in it), alt texts below."""
    parts = []
    for i, fig in enumerate(figs):
        plot = fig.to_html(full_html=False, include_plotlyjs=i == 0, div_id=f"figure{i}", config={"displaylogo": False})
        parts.append(f"<figure>{plot}<figcaption>{html.escape(fig.layout.meta['alt'])}</figcaption></figure>")
    title = html.escape(figs[0].layout.title.text or "")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>\n'
        f'<body style="font-family: sans-serif">\n{"".join(parts)}\n</body></html>\n'
    )


def _finish(fig: go.Figure, title: str, alt: str) -> go.Figure:
    clear = "rgba(0,0,0,0)"
    fig.update_layout(title=title, meta={"alt": alt}, template=_TEMPLATE, paper_bgcolor=clear, plot_bgcolor=clear)
    return fig


def _multiples(
    panels: Sequence[ScorePanel] | Sequence[MapPanel], **axes: object
) -> tuple[go.Figure, list[dict[str, int]]]:
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
    return fig, [{"row": i // columns + 1, "col": i % columns + 1} for i in range(len(panels))]


def _finish_multiples(fig: go.Figure, rows: int, title: str, alt: str) -> go.Figure:
    fig.update_annotations(font_size=13)
    lines = max(note.text.count("<br>") for note in fig.layout.annotations)
    fig.update_layout(height=180 + (232 + 18 * lines) * rows, margin={"t": 72 + 18 * lines, "b": 100, "l": 10, "r": 10})
    fig = _finish(fig, title, alt)
    # The title above the panels' names, and the legend where it may take two lines.
    fig.update_layout(
        title={"y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 12}},
        legend={"y": 0, "yref": "container", "yanchor": "bottom", "x": 0},
    )
    return fig


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


def _colours(names: Sequence[str] | Mapping[str, object]) -> list[str]:
    """A colour for each name: its own if it is one of the four groups, else the next of the others."""
    others = [name for name in names if name not in GROUP_COLOURS]
    return [GROUP_COLOURS.get(name) or OTHER_COLOURS[others.index(name) % len(OTHER_COLOURS)] for name in names]


def _rgb(images: np.ndarray) -> np.ndarray:
    """uint8 (N, 1 or 3, H, W) to float (N, H, W, 3) in [0, 1]."""
    pixels = np.asarray(images).transpose(0, 2, 3, 1) / 255
    return np.broadcast_to(pixels, (*pixels.shape[:3], 3))


def _rgba(pixels: np.ndarray) -> np.ndarray:
    opaque = np.ones((*pixels.shape[:3], 1))
    return np.round(255 * np.concatenate([pixels, opaque], axis=-1)).astype(np.uint8)


def _error_map(error: np.ndarray, largest: float) -> np.ndarray:
    """(N, H, W) errors to uint8 RGBA tiles whose opacity is the error."""
    tiles = np.empty((*error.shape, 4), np.uint8)
    tiles[..., :3] = ERROR_COLOUR
    tiles[..., 3] = np.round(255 * error / (largest or 1))
    return tiles


def _png(pixels: np.ndarray) -> str:
    """uint8 (H, W, 4) as a data URI."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
