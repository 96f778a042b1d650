"""Numbers as they are written on pages and in figures."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np


def counted(count: int, noun: str) -> str:
    """So many of what the ``noun``, in the singular, stands for.

    >>> counted(1, "test image"), counted(1200, "run")
    ('1 test image', '1,200 runs')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def decimal(value: float, places: int = 3, sign: str = "") -> str:
    """An AUC, a difference of two, or a correlation; with the ``sign`` "+" a plus is written too. What rounds to 0 keeps its
    sign, and only 0 itself has none: an interval that ends below 0 does not reach it.

    >>> decimal(0.9034), decimal(-0.18, sign="+"), decimal(0.07, 2, "+"), decimal(-0.0003), decimal(0.0, sign="+")
    ('0.903', '−0.180', '+0.07', '−0.000', '0.000')
    """
    return f"{value:{sign if value else ''}.{places}f}".replace("-", "−" if value else "")


def highest(values: Mapping[str, float]) -> list[str]:
    """Whose value is the highest in the three digits that are shown: all that tie in these.

    >>> highest({"cutout": 0.90001, "flip": 0.9, "noise": 0.1})
    ['cutout', 'flip']
    """
    shown = {key: round(value, 3) for key, value in values.items()}
    most = max(shown.values())
    return [key for key, value in shown.items() if value == most]


def leading(values: np.ndarray, axis: int) -> np.ndarray:
    """Which AUCs along an axis are the highest in the three digits that are shown, bool of their shape: all that tie in
    these, but none where there is no lower one. NaN is left out.

    >>> leading(np.array([[0.9, 0.90001, 0.1], [1.0, 1.0, np.nan]]), axis=1).tolist()
    [[True, True, False], [False, False, False]]
    """
    shown = np.round(values, 3)
    known = ~np.isnan(shown)
    highest = np.max(shown, axis, where=known, initial=-np.inf, keepdims=True)
    lowest = np.min(shown, axis, where=known, initial=np.inf, keepdims=True)
    return known & (shown == highest) & (lowest < highest)


def number(value: float, spread: float | None = None, digits: int = 3) -> str:
    """A number of any size to so many ``digits``, or with its ``spread``, both to the decimals at which that has two digits;
    with a power of ten where it is below 1e-4 or from 1e5 on. draw.js writes its digits alike.

    >>> number(0.2361), number(2796.4), number(2.5512e-5)
    ('0.236', '2,796', '2.55e−5')
    >>> number(2796.4, 459.1), number(0.2361, 0.02312), number(2.5512e-5, 5.2e-6)
    ('2,796 ± 459', '0.236 ± 0.023', '2.55e−5 ± 0.52e−5')
    """
    size = abs(value)
    power = math.floor(math.log10(size)) if size and not 1e-4 <= size < 1e5 else 0
    fine = digits - 1 if spread is None else 1
    leading = (size if spread is None else spread) / 10.0**power
    places = max(0, fine - math.floor(math.log10(leading))) if leading else fine
    tail = f"e{power}" if power else ""
    texts = [f"{each / 10.0**power:,.{places}f}{tail}" for each in (value, spread) if each is not None]
    return " ± ".join(texts).replace("-", "−")
