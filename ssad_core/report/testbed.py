"""What augs gain over a testbed, or with many settings, as a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .. import augment
from ..numbers import decimal, highest
from ..spec import TITLES, exact
from ..testbed import Spread, Summary
from ..variants import VARIED

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ..figures import GainRow, SpreadRow

MOST_NAMED = 3  # augs that a heading has room for


def draw_gains(found: Sequence[Summary], title: str) -> go.Figure:
    """The summaries of one family, in their order."""
    from .. import figures

    return figures.gains_figure([_row(one, found[0]) for one in found], title=title)


def _row(one: Summary, first: Summary) -> GainRow:
    """``first`` has as many classes and settings as any."""
    from ..figures import GainRow

    name, colour = _named(one.aug)
    spans = [
        f", {what} {' to '.join(decimal(end, sign='+') for end in ends)}"
        for what, ends in (("95%", one.interval), ("by normal class", one.clustered))
        if ends
    ]
    tested = f", {p_text(one.p)}: {one.verdict}" if one.interval else ""
    hover = f"{name}: {decimal(one.median, sign='+')}{''.join(spans)}<br>{trials(one)}{tested}"
    if one.classes < first.classes:
        beside = f"{one.classes} of {first.classes} classes"
    elif one.settings < first.settings:
        beside = f"{one.settings} of {first.settings} settings"
    else:
        beside = p_text(one.p) if one.interval else ""
    return GainRow(name, colour, one.median, one.interval, one.clustered, beside, hover)


def draw_settings(found: Sequence[Spread], title: str) -> go.Figure:
    """The gains of one task with many settings, in their order."""
    from .. import figures

    every = {settings for one in found for settings in one.gains}
    varied = [name for name in VARIED if len({getattr(settings, name) for settings in every}) > 1]
    return figures.spread_figure([_spread_row(one, len(every), varied) for one in found], title=title)


def _spread_row(one: Spread, most: int, varied: Sequence[str]) -> SpreadRow:
    """``most``: of how many settings there are gains; ``varied`` is what differs between them. A gain is known by the aug and
    by what may vary."""
    from ..figures import SpreadRow

    name, colour = _named(one.aug)
    count = len(one.gains)
    gains = []
    for settings, gain in one.gains.items():
        values = {each: getattr(settings, each) for each in VARIED}
        how = "".join(f"<br>{TITLES[each].lower()} {exact(values[each])}" for each in varied)
        gains.append((gain, f"{name}: {decimal(gain, sign='+')}{how}", [one.aug, values]))
    ends = f"{decimal(min(one.gains.values()), sign='+')} to {decimal(max(one.gains.values()), sign='+')}"
    first = "" if one.first is None else f", first with {one.first}"
    hover = f"{name}: {decimal(one.median, sign='+')}, the median of {count}<br>{ends}{first}"
    beside = f"{count} of {most}" if count < most else f"first with {one.first}" if one.first else ""
    return SpreadRow(name, colour, gains, one.median, beside, hover)


def _named(aug: str) -> tuple[str, str]:
    """An aug's name and the colour of its category."""
    return augment.label(aug, {}), augment.CATEGORY_COLOURS[augment.AUGMENTATIONS[aug].category]


def lead(medians: Mapping[str, float]) -> str:
    """Which of several augs does best, by their median gains in three digits: all that these do not tell apart; of many how
    many.

    >>> lead({"cutout": 0.2, "flip": 0.1}), lead({"geom": 0.46888, "cutout": 0.46891, "flip": 0.1})
    ('CutOut gains most, +0.200', 'GEOM and CutOut gain most, +0.469')
    >>> lead({"rotate": 0.0003, "cutout": 0.0, "flip": -0.1})
    'Rotate and CutOut lose nothing, 0.000'
    >>> lead(dict.fromkeys(["cutout", "flip", "geom", "blur"], 0.0))
    '4 of 4 augs lose nothing, 0.000'
    """
    most = round(max(medians.values()), 3)
    value = decimal(most, sign="+")
    names = [augment.label(aug, {}) for aug in highest(medians)]
    s = "s" if len(names) == 1 else ""
    does = f"gain{s} most" if most > 0 else f"lose{s} least" if most < 0 else f"lose{s} nothing"
    if len(names) > MOST_NAMED:
        return f"{len(names)} of {len(medians)} augs {does}, {value}"
    return f"{', '.join(names[:-1])}{' and ' if len(names) > 1 else ''}{names[-1]} {does}, {value}"


def trials(one: Summary) -> str:
    """What its gains are of."""
    tasks = f"{one.tasks} task{'s' if one.tasks > 1 else ''}"
    text = f"{tasks} of {one.classes} normal class{'es' if one.classes > 1 else ''}"
    return f"{text} with {one.settings} settings each, taken for tasks of their own" if one.settings > 1 else text


def p_text(p: float | None) -> str:
    """As it stands beside a row.

    >>> p_text(0.0311), p_text(1e-9), p_text(0.99999), p_text(None)
    ('p = 0.031', 'p < 0.001', 'p > 0.999', 'p –')
    """
    if p is None:
        return "p –"
    return "p < 0.001" if p < 0.001 else "p > 0.999" if p > 0.999 else f"p = {decimal(p)}"
