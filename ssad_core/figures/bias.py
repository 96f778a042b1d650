"""AUC by anomaly class, aug beside its baseline (Fig. 3)."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from ..bias import Bias, ClassResult
from ..numbers import decimal
from .base import MAIN, error_bars, escaped, finish, name_axes

BETTER, WORSE, UNCLEAR = "#009E73", "#D55E00", "#8a8f98"  # of a difference; each has a mark of its own too
TOO_FEW, UNJUDGED = "too few images to say", "cannot be judged"


def bias_figure(bias: Bias, *, chosen: str | None = None, title: str) -> go.Figure:
    """The AUC of each class of anomalies, a row (Fig. 3): the baseline's, a ring, and the run's, an arrow away from it where
    the interval of their difference does not reach the ring, a diamond where there are too few images for one, a square where
    the trainings cannot be judged; dashed lines are the means.

    A point's customdata begins with its class, and the ``chosen`` class is underlined.
    """
    fig = go.Figure()
    rows = bias.classes[::-1]  # Plotly draws upwards
    names = [escaped(row.name) for row in rows]
    marks = {"better": (BETTER, "triangle-right"), "worse": (WORSE, "triangle-left")}
    marks |= {"no clear difference": (UNCLEAR, "circle"), TOO_FEW: (UNCLEAR, "diamond"), UNJUDGED: (UNCLEAR, "square")}
    marks |= {bias.run: (MAIN, "circle")}
    opaque = {"selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}}}  # a click dims nothing
    for kind, (colour, symbol) in marks.items():
        some = [row for row in rows if (_word(row) or bias.run) == kind]
        # The interval of the difference lies around the baseline, as far as an AUC can reach; without one, that of the AUC
        # around nothing.
        ends = [
            tuple(np.clip([r.baseline + r.gain.low, r.baseline + r.gain.high], 0, 1))
            if r.gain
            else (r.auc.low, r.auc.high)
            for r in some
        ]
        fig.add_scatter(
            x=[row.auc.value for row in some],
            y=[escaped(row.name) for row in some],
            name=kind,
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 14},
            error_x=error_bars([row.auc.value for row in some], ends, color=colour, thickness=2, width=5),
            customdata=[[row.name, _difference(row)] for row in some],
            hovertemplate=f"%{{y}}: {bias.run} %{{x:.3f}}<br>%{{customdata[1]}}<extra></extra>",
            showlegend=bool(some),
            **opaque,
        )
    means = {bias.run: (bias.auc, MAIN)}
    if bias.baseline is not None:
        ways = {"x": [x for row in rows for x in (row.baseline, row.auc.value, None)]}
        ways["y"] = [y for name in names for y in (name, name, None)]
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
    if len(rows) == 1:
        means = {}  # its own AUCs, and no lines
    for name, (value, colour) in means.items():
        dashed = {"dash": "dash" if name == bias.run else "dot", "color": colour, "width": 1.5}
        label = f"mean {name} {value:.3f}"
        fig.add_scatter(x=[value] * 2, y=[names[0], names[-1]], name=label, mode="lines", line=dashed, hoverinfo="skip")
    ticks = [_class_tick(row, row.name == chosen) for row in rows]
    bars = "" if bias.baseline is None else f"; bars: 95% of the difference to {bias.baseline}"
    fig.update_xaxes(title=f"AUC against the normal class{bars}")
    # Digits are names too: without a type they would be put in the order of numbers.
    fig.update_yaxes(type="category", categoryorder="array", categoryarray=names, tickvals=names, ticktext=ticks)
    fig.update_layout(height=210 + 34 * len(rows), margin={"t": 50, "b": 120, "l": 10, "r": 10})
    said = "; ".join(f"{row.name} {row.auc.value:.3f} ({_difference(row)})" for row in bias.classes)
    fig = finish(fig, title, f"AUC of {bias.run} by class, mean {bias.auc:.3f}. {said}.")
    # Below the plot, where there is room for three lines of it on a narrow page.
    fig.update_layout(legend={"y": 0, "yref": "container", "yanchor": "bottom"})
    return name_axes(fig, y="class")


def _word(row: ClassResult) -> str | None:
    """How the run differs from its baseline; None where there is none."""
    if row.gain is None:
        return None
    if row.gain.few or not row.judged:
        return TOO_FEW if row.gain.few else UNJUDGED
    return "better" if row.better else "worse" if row.worse else "no clear difference"


def _difference(row: ClassResult) -> str:
    if row.gain is None:
        return TOO_FEW if row.auc.few else f"95%: {row.auc.low:.3f} to {row.auc.high:.3f}"
    value, low, high = (decimal(each, sign="+") for each in (row.gain.value, row.gain.low, row.gain.high))
    return f"{_word(row)}: {value}{'' if row.gain.few else f', 95% {low} to {high}'}"


def _class_tick(row: ClassResult, chosen: bool) -> str:
    name = f"<u>{escaped(row.name)}</u>" if chosen else escaped(row.name)
    colour = BETTER if row.better else WORSE if row.worse else None
    return f'<span style="color:{colour}"><b>{name}</b></span>' if colour else name
