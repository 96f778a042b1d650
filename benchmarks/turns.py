"""Two sides in turn, A B A B, and how the ratio of what they reach is printed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence


def seconds(function: Callable[..., object], *arguments: object) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def ratio(above: Sequence[float], below: Sequence[float]) -> str:
    """The median of the ratios of each turn, and their range.

    >>> ratio([2, 6, 9], [1, 2, 3])
    '3.0 x (2.0 to 3.0)'
    """
    ratios = sorted(a / b for a, b in zip(above, below, strict=True))
    return f"{statistics.median(ratios):.1f} x ({ratios[0]:.1f} to {ratios[-1]:.1f})"


def spread(values: Sequence[float], digits: int = 3) -> str:
    """The mean and, of several, the standard deviation.

    >>> spread([1, 3])
    '2.000 +- 1.414'
    """
    text = f"{statistics.mean(values):.{digits}f}"
    return text + (f" +- {statistics.stdev(values):.{digits}f}" if len(values) > 1 else "")
