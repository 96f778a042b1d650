"""Score histograms, the ROC curve and what a threshold does; paper Figs. 7, 15 and 16.

An image is called abnormal if its score is at or above the threshold, as in scikit-learn's ``roc_curve``; the curve,
the confusion counts and the threshold for a false positive rate all agree on it. Scores are (n,), and BadInput is
raised where a group of them is empty or not finite.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from .errors import BadInput
from .statistics import finite_scores

Scale = Literal["linear", "log"]


def common_edges(groups: Sequence[ArrayLike], bins: int = 40, log: bool = False) -> np.ndarray:
    """Edges (bins + 1,) of bins that hold every score of every group, of equal width or, with ``log``, equal ratio.

    BadInput if ``log`` and a score is not positive.

    >>> common_edges([[0.0, 1.0], [4.0]], bins=4)
    array([0., 1., 2., 3., 4.])
    """
    groups = [finite_scores(group, "histogram") for group in groups]
    low, high = min(group.min() for group in groups), max(group.max() for group in groups)
    if log and low <= 0:
        raise BadInput("a logarithmic axis needs scores above zero")
    if low == high:  # one value only: centre a bin range on it
        half = abs(low) / 2 or 0.5
        low, high = low - half, high + half
    return np.geomspace(low, high, bins + 1) if log else np.linspace(low, high, bins + 1)


def per_cent(scores: ArrayLike, edges: np.ndarray) -> np.ndarray:
    """Per cent of the group in each bin, (bins,): they add to 100 if the edges hold all scores."""
    scores = finite_scores(scores, "histogram")
    return 100 * np.histogram(scores, edges)[0] / scores.size


def roc(normal: ArrayLike, anomalous: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The ROC curve: ``(fpr, tpr, thresholds)``, a point for every distinct score, from (0, 0) at infinity to (1, 1).

    Rates are in [0, 1] and ascend, thresholds descend. The area under it by the trapezoid rule is `statistics.auc`.

    >>> roc(normal=[0.1, 0.2], anomalous=[0.2, 0.3])
    (array([0. , 0. , 0.5, 1. ]), array([0. , 0.5, 1. , 1. ]), array([inf, 0.3, 0.2, 0.1]))
    """
    normal = np.sort(finite_scores(normal, "normal"))
    anomalous = np.sort(finite_scores(anomalous, "anomalous"))
    thresholds = np.append(np.inf, np.unique(np.concatenate([normal, anomalous]))[::-1])
    fpr, tpr = ((group.size - np.searchsorted(group, thresholds)) / group.size for group in (normal, anomalous))
    return fpr, tpr, thresholds


def corners(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """bool (N,): the points, N >= 2, that a line through all of them cannot do without: its ends and where it turns."""
    dx, dy = np.diff(x), np.diff(y)
    turns = np.abs(dx[:-1] * dy[1:] - dx[1:] * dy[:-1]) > 1e-12
    return np.concatenate([[True], turns, [True]])


def threshold_at_fpr(normal: ArrayLike, fpr: float) -> float:
    """A threshold at which as many of the normal scores are called abnormal as ``fpr``, in [0, 1] and meant to four digits,
    allows.

    At k of n it is the k-th highest of them, at 0 a little above all; of a rate between two such it lies as far between
    their thresholds. So a dragged threshold has a rate that gives it back. scores.js has the same rule.

    >>> scores = [0.1, 0.2, 0.3, 0.4]
    >>> [round(threshold_at_fpr(scores, fpr), 3) for fpr in (0, 0.25, 0.375, 0.5, 1)]
    [0.406, 0.4, 0.35, 0.3, 0.1]
    """
    if not 0 <= fpr <= 1:
        raise BadInput(f"a false positive rate lies in 0 to 1, not {fpr}")
    normal = np.sort(finite_scores(normal, "normal"))[::-1]
    n, place = normal.size, fpr * normal.size
    knots = np.append(normal[0] + max((normal[0] - normal[-1]) * 0.02, 1e-9), normal)
    if abs(place - round(place)) < 6e-5 * n:  # half of the last digit
        place = round(place)
    k = int(place)
    while 0 < k < n and knots[k] == knots[k + 1]:  # equal scores are called alike
        place = k = k - 1
    return float(knots[k] if place == k else knots[k] + (knots[k + 1] - knots[k]) * (place - k))


def false_positive_rates(normal: ArrayLike, scores: ArrayLike) -> np.ndarray:
    """For each of the scores (m,) the rate (m,), in [0, 1], at which its image would just be called abnormal: the share of
    normal scores at or above it. It says how abnormal an image is in a unit that all detectors share.

    >>> false_positive_rates(normal=[0.1, 0.2, 0.3, 0.4], scores=[0.05, 0.3, 0.9])
    array([1. , 0.5, 0. ])
    """
    normal = np.sort(finite_scores(normal, "normal"))
    return 1 - np.searchsorted(normal, np.asarray(scores, dtype=np.float64)) / normal.size


@dataclass(frozen=True)
class Confusion:
    """Counts of images at one threshold; a positive is an image called abnormal."""

    tp: int
    fp: int
    tn: int
    fn: int

    @property
    def tpr(self) -> float:
        """The share of anomalies that are found, in [0, 1]."""
        return self.tp / (self.tp + self.fn)

    @property
    def fpr(self) -> float:
        """The share of normals that are called abnormal, in [0, 1]."""
        return self.fp / (self.fp + self.tn)


def confusion(normal: ArrayLike, anomalous: ArrayLike, threshold: float) -> Confusion:
    """The four counts when scores at or above ``threshold`` are called abnormal.

    >>> confusion(normal=[0.1, 0.2], anomalous=[0.2, 0.3], threshold=0.2)
    Confusion(tp=2, fp=1, tn=1, fn=0)
    """
    normal, anomalous = finite_scores(normal, "normal"), finite_scores(anomalous, "anomalous")
    fp, tp = (int(np.count_nonzero(group >= threshold)) for group in (normal, anomalous))
    return Confusion(tp=tp, fp=fp, tn=normal.size - fp, fn=anomalous.size - tp)


def scale_for(normal: Sequence[np.ndarray], every: Sequence[np.ndarray], chosen: Scale | None = None) -> Scale:
    """The scale of an axis that detectors' scores share: the ``chosen`` one, or else log where, on a linear one, two thirds
    of some detector's normals would fall into one bin of its `common_edges`. A score that is not above zero makes it linear.

    ``normal`` and ``every`` have the scores (n,) of the test normals and of all points, detector by detector.
    """
    if min(float(np.min(scores)) for scores in every) <= 0:
        return "linear"
    if chosen:
        return chosen
    edges = common_edges(every)
    return "log" if any(per_cent(scores, edges).max() > 200 / 3 for scores in normal) else "linear"
