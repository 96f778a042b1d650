"""What augs gain over a testbed, as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .. import augment
from ..numbers import decimal
from ..testbed import Summary

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ..figures import GainRow


def draw_gains(found: Sequence[Summary], title: str) -> go.Figure:
    """The summaries of one family, in their order."""
    from .. import figures

    most = max(one.models for one in found)
    return figures.gains_figure([_row(one, most) for one in found], title=title)


def _row(one: Summary, most: int) -> GainRow:
    """``most``: how many models others have."""
    from ..figures import GainRow

    name = augment.label(one.aug, {})
    spans = [
        f", {what} {' to '.join(decimal(end, sign='+') for end in ends)}"
        for what, ends in (("95%", one.interval), ("by normal class", one.clustered))
        if ends
    ]
    tested = f", {p_text(one.p)}: {one.verdict}" if one.interval else ""
    over = f"{one.tasks} tasks of {one.models} models{tested}"
    hover = f"{name}: {decimal(one.median, sign='+')}{''.join(spans)}<br>{over}"
    beside = f"{one.models} of {most} classes" if one.models < most else p_text(one.p) if one.interval else ""
    colour = augment.CATEGORY_COLOURS[augment.AUGMENTATIONS[one.aug].category]
    return GainRow(name, colour, one.median, one.interval, one.clustered, beside, hover)


def p_text(p: float | None) -> str:
    """As it stands beside a row.

    >>> p_text(0.0311), p_text(1e-9), p_text(0.99999), p_text(None)
    ('p = 0.031', 'p < 0.001', 'p > 0.999', 'p –')
    """
    if p is None:
        return "p –"
    return "p < 0.001" if p < 0.001 else "p > 0.999" if p > 0.999 else f"p = {decimal(p)}"
