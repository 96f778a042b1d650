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

    return figures.gains_figure([_row(one) for one in found], title=title)


def _row(one: Summary) -> GainRow:
    from ..figures import GainRow

    name = augment.augmentation_info(one.aug).title
    median, low, high = (decimal(value, sign="+") for value in (one.median, *one.interval))
    wide = " to ".join(decimal(value, sign="+") for value in one.clustered)
    hover = (
        f"{name}: {median}, 95% {low} to {high}, by normal class {wide}<br>{one.tasks} tasks of {one.models} models, "
        f"{p_text(one.p)}: {one.verdict}"
    )
    colour = augment.CATEGORY_COLOURS[augment.AUGMENTATIONS[one.aug].category]
    return GainRow(name, colour, one.median, one.interval, one.clustered, p_text(one.p), hover)


def p_text(p: float | None) -> str:
    """As it stands beside a row.

    >>> p_text(0.0311), p_text(1e-9), p_text(0.99999), p_text(None)
    ('p = 0.031', 'p < 0.001', 'p > 0.999', 'p –')
    """
    if p is None:
        return "p –"
    return "p < 0.001" if p < 0.001 else "p > 0.999" if p > 0.999 else f"p = {decimal(p)}"
