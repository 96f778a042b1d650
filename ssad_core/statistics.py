"""How well scores separate two groups, how sure that is, and whether an augmentation helped.

Plain arrays in, plain values out. Scores are higher for more abnormal images; the anomalous ones are the positives.
METHOD: "Evaluation"; paper Secs. 3 and 4.1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .errors import BadInput

CHUNK = 100_000  # bootstrap weights at a time: they fit the processor's cache, and memory does not grow
FEWEST_PAIRS = 4  # of which a rank correlation is worth saying
FEW = 10  # images of a group below which neither drawing them again nor a test says how sure a value is
STRIPS = 256  # of sorted averages, that a weighted median is looked for in
EXACT_BELOW = 50  # differences from which on signed-rank statistics use the normal approximation


@dataclass(frozen=True)
class Estimate:
    """A value and its 95% interval, ``low <= high``, both NaN where there are too `FEW` images for one."""

    value: float
    low: float
    high: float

    @property
    def few(self) -> bool:
        """Whether there are too few images for an interval."""
        return math.isnan(self.low)


@dataclass(frozen=True)
class TaskMetrics:
    """What a detector reaches on one task. ``relative_auc`` is AUC(f_aug) - AUC(f), in [-1, 1], or None without f."""

    auc: Estimate
    average_precision: Estimate
    relative_auc: Estimate | None


def finite_scores(scores: ArrayLike, group: str) -> np.ndarray:
    """The scores as float64 (n,). BadInput if there are none or if one is not a finite number."""
    scores = np.asarray(scores, dtype=np.float64).ravel()
    if not scores.size:
        raise BadInput(f"there are no {group} scores")
    if bad := int(np.count_nonzero(~np.isfinite(scores))):
        raise BadInput(f"{bad} of {scores.size} {group} scores are not finite numbers")
    return scores


class _Ranking:
    """Images by descending score, tied ones as one step, so that metrics of any image weights are cumulative sums."""

    def __init__(self, normal: ArrayLike, anomalous: ArrayLike):
        normal, anomalous = finite_scores(normal, "normal"), finite_scores(anomalous, "anomalous")
        scores = np.concatenate([normal, anomalous])
        self.sizes = len(normal), len(anomalous)
        self.order = np.argsort(-scores, kind="stable")
        self.positive = self.order >= len(normal)
        self.ends = np.flatnonzero(np.append(np.diff(scores[self.order]), -1.0))  # the last image of each tied step

    def metrics(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """AUC and average precision, each (draws,), of images weighted by ``weights`` (draws, normal + anomalous).

        AUC = sum of dFP (TP + TP before) / 2 and AP = sum of dTP TP / (TP + FP) over the steps, normalised.
        """
        weights = weights[:, self.order]
        flagged = np.cumsum(weights, axis=1)[:, self.ends]
        hits = np.cumsum(weights * self.positive, axis=1)[:, self.ends]  # TP; flagged - hits is FP
        new_flagged, new_hits = (np.diff(counts, axis=1, prepend=0.0) for counts in (flagged, hits))
        positives = hits[:, -1]
        negatives = flagged[:, -1] - positives
        area = np.einsum("ij,ij->i", new_flagged - new_hits, hits - new_hits / 2)
        precision = hits / np.maximum(flagged, 1)  # no flagged image weighs less than 1, unless all weigh 0
        return area / (positives * negatives), np.einsum("ij,ij->i", new_hits, precision) / positives

    def observed(self) -> tuple[float, float]:
        """AUC and average precision, every image counted once."""
        area, precision = self.metrics(np.ones((1, sum(self.sizes))))
        return float(area[0]), float(precision[0])


def auc(normal: ArrayLike, anomalous: ArrayLike) -> float:
    """Area under the ROC curve, in [0, 1]: P(anomalous > normal) + P(equal) / 2.

    Parameters are scores (n,) and (m,), in any order. BadInput on empty or non-finite scores.

    >>> auc(normal=[0.1, 0.2, 0.3], anomalous=[0.3, 0.4])
    0.9166666666666666
    """
    return _Ranking(normal, anomalous).observed()[0]


def average_precision(normal: ArrayLike, anomalous: ArrayLike) -> float:
    """Average precision, in (0, 1]: precision averaged over the steps in recall, without interpolation.

    Its value at chance is the share of anomalies, m / (n + m). Parameters and errors as for `auc`.

    >>> average_precision(normal=[0.1, 0.2, 0.3], anomalous=[0.3, 0.4])
    0.8333333333333333
    """
    return _Ranking(normal, anomalous).observed()[1]


def task_metrics(
    normal: ArrayLike,
    anomalous: ArrayLike,
    baseline: tuple[ArrayLike, ArrayLike] | None = None,
    *,
    paired: bool,
    draws: int = 1000,
    seed: int = 0,
) -> TaskMetrics:
    """AUC, average precision and relative AUC of a task, with 95% percentile bootstrap intervals over its images; without
    them where a group has fewer than `FEW`.

    The intervals are about the choice of test images; the spread between trainings comes on top. Where the groups do
    not overlap at all, every draw has AUC 1 and the interval has no width.

    Parameters
    ----------
    normal, anomalous : scores (n,) and (m,).
    baseline : (normal, anomalous) scores of the unsupervised baseline on the same images in the same order; the same
        draws serve both detectors.
    paired : ``anomalous[i]`` is gen(``normal[i]``), as in the controlled testbed (Sec. 3): a drawn image then brings
        both members. Otherwise the two groups are drawn independently.

    BadInput on empty or non-finite scores, ValueError where sizes do not agree.
    """
    rankings = [_Ranking(normal, anomalous)]
    if baseline is not None:
        rankings.append(_Ranking(*baseline))
    if any(ranking.sizes != rankings[0].sizes for ranking in rankings):
        raise ValueError(f"the baseline was scored on other images: {[ranking.sizes for ranking in rankings]}")
    if paired and len(set(rankings[0].sizes)) > 1:
        raise ValueError(f"paired groups must be equally large, not {rankings[0].sizes}")

    values = np.array([ranking.observed() for ranking in rankings])  # (detectors, 2)
    drawn = np.full((len(rankings), 2, 1), np.nan)  # (detectors, 2, draws)
    if min(rankings[0].sizes) >= FEW:
        chunks = [
            [ranking.metrics(weights) for ranking in rankings]
            for weights in _weights(rankings[0].sizes, paired, draws, seed)
        ]
        drawn = np.concatenate(chunks, axis=-1)
    return TaskMetrics(
        auc=_interval(values[0, 0], drawn[0, 0]),
        average_precision=_interval(values[0, 1], drawn[0, 1]),
        relative_auc=None if baseline is None else _interval(*(_exact(of[0, 0] - of[1, 0]) for of in (values, drawn))),
    )


def _weights(sizes: tuple[int, int], paired: bool, draws: int, seed: int) -> Iterator[np.ndarray]:
    """How often each image is drawn: (some draws, normal + anomalous), `draws` rows in all."""
    rng = np.random.default_rng(seed)
    rows = max(1, CHUNK // sum(sizes))
    for start in range(0, draws, rows):
        count = min(rows, draws - start)
        groups = [_multinomial(rng, count, size) for size in (sizes[:1] if paired else sizes)]
        yield np.concatenate(groups * 2 if paired else groups, axis=1)


def _multinomial(rng: np.random.Generator, draws: int, size: int) -> np.ndarray:
    """float64 (draws, size): the counts of `size` images drawn with replacement from as many, once a row."""
    # Counting drawn indices: several times faster than Generator.multinomial, which draws `size` binomials a row.
    drawn = rng.integers(size, size=(draws, size)) + size * np.arange(draws)[:, None]
    return np.bincount(drawn.ravel(), minlength=draws * size).reshape(draws, size).astype(np.float64)


def _interval(value: float, drawn: np.ndarray) -> Estimate:
    # An image that is drawn twice ties with itself, which lifts the average precision where all anomalies rank low: there the
    # value itself can lie below what is drawn.
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(float(value), float(min(low, value)), float(max(high, value)))


def _differences(d: ArrayLike) -> np.ndarray:
    """float64 (n,), without what rounding leaves of a difference: what differs by less than 1e-12 is alike, and 0 is 0.
    BadInput as `finite_scores`."""
    return _exact(finite_scores(d, "paired"))


def _exact(differences: np.ndarray) -> np.ndarray:
    return np.round(differences, 12) + 0.0  # which makes 0 of −0


def pseudo_median(d: ArrayLike) -> tuple[float, float, float]:
    """The Hodges-Lehmann pseudo-median of differences and its 95% interval: ``(estimate, low, high)``.

    The estimate is the median of the M = n (n + 1) / 2 Walsh averages (d_i + d_j) / 2, i <= j. With w sorted, the
    interval is [w_(k), w_(M + 1 - k)], k the smallest q with P(W+ <= q) >= .025 under the signed-rank null, and at
    least 1: exact for n < 50, by the normal approximation beyond (Hollander and Wolfe, Sec. 3.3). Fewer than six
    differences cannot give 95%: theirs is the whole range of averages.

    ``d`` is (n,), zeros included; memory is 4 n (n + 1) bytes. BadInput if it is empty or not finite.

    >>> pseudo_median([0.1, 0.3, -0.1, 0.2, 0.4, 0.2])
    (0.2, -0.1, 0.4)
    """
    d = np.sort(_differences(d))
    n = len(d)
    total = n * (n + 1) // 2
    walsh = np.empty(total)
    start = 0
    for i in range(n):
        np.add(d[i:], d[i], out=walsh[start : start + n - i])
        start += n - i
    k = _interval_rank(n)
    wanted = [k - 1, (total - 1) // 2, total // 2, total - k]
    walsh.partition(wanted)
    low, middle_low, middle_high, high = walsh[wanted] / 2
    return float((middle_low + middle_high) / 2), float(low), float(high)


def _interval_rank(n: int) -> int:
    """k of `pseudo_median`: which Walsh average, counted from either end, bounds the 95% interval.

    >>> _interval_rank(20)
    53
    """
    if n >= EXACT_BELOW:
        return round(n * (n + 1) / 4 - 1.96 * math.sqrt(n * (n + 1) * (2 * n + 1) / 24))
    return max(1, int(np.searchsorted(np.cumsum(_sign_patterns(range(1, n + 1))), 0.025 * 2.0**n)))


def _sign_patterns(ranks: Iterable[int]) -> np.ndarray:
    """How many of the sign patterns of differences of these ranks have W+, the sum of the positive ones', = 0, 1, ...; of
    fewer than 50, so below 2^50 and exact in float64."""
    counts = np.ones(1)
    for rank in ranks:
        counts = np.append(counts, np.zeros(rank)) + np.append(np.zeros(rank), counts)
    return counts


def clustered_interval(d: ArrayLike, clusters: ArrayLike, draws: int = 1000, seed: int = 0) -> tuple[float, float]:
    """The 95% percentile bootstrap interval of the pseudo-median of differences that come in clusters: whole clusters are
    drawn with replacement, as many as there are. Wider than that of `pseudo_median` where those of one cluster go together.

    ``d`` and ``clusters``, a number for each difference, are (n,); memory is some 50 n (n + 1) bytes. BadInput if ``d`` is
    empty or not finite. Of fewer than some ten clusters it is too narrow, of one it has no width.

    >>> clustered_interval([0.1, 0.1, 0.3, 0.3], [0, 0, 1, 1])
    (0.1, 0.3)
    """
    from scipy.sparse import csr_array  # as in `wilcoxon_greater`

    d = _differences(d)
    _, clusters = np.unique(clusters, return_inverse=True)
    i, j = np.triu_indices(len(d))
    walsh = (d[i] + d[j]) / 2
    order = np.argsort(walsh)
    walsh, i, j = walsh[order], i[order], j[order]
    # How often a pair comes depends on the clusters of its two alone: as the product of theirs says; one difference with
    # itself and its copies, i <= j, as a triangle of them.
    first, second = np.sort([clusters[i], clusters[j]], axis=0)
    of_two = 1 + clusters.max()
    kinds, kind = np.unique((first * of_two + second) * 2 + (i == j), return_inverse=True)
    # Middles are looked for among strips of the sorted averages, and then in their strip.
    strips = np.arange(len(walsh)) * STRIPS // len(walsh)
    starts = np.searchsorted(strips, np.arange(STRIPS + 1))
    counts = csr_array((np.ones(len(walsh)), (strips, kind)), shape=(STRIPS, len(kinds)))

    medians = []
    for drawn in _multinomial(np.random.default_rng(seed), draws, of_two):
        one, other = drawn[kinds // 2 // of_two], drawn[kinds // 2 % of_two]
        weights = np.where(kinds % 2 == 1, one * (one + 1) / 2, one * other)
        reached = np.cumsum(counts @ weights)
        middle = []
        for rank in (reached[-1] // 2 + 1, (reached[-1] + 1) // 2):  # one where their number is odd
            strip = np.searchsorted(reached, rank)
            inside = slice(starts[strip], starts[strip + 1])
            left = rank - (reached[strip - 1] if strip else 0)
            middle.append(walsh[inside][np.searchsorted(np.cumsum(weights[kind[inside]]), left)])
        medians.append(np.mean(middle))
    low, high = np.quantile(medians, [0.025, 0.975])
    return float(low), float(high)


def wilcoxon_greater(d: ArrayLike) -> float:
    """p of the one-sided Wilcoxon signed-rank test that differences lie above zero (Sec. 4.1).

    Zeros are dropped; if nothing is left, the answer is nan. Exact for fewer than 50, also where sizes are tied, which share
    their mean rank; by the normal approximation with tie correction beyond. Sizes are tied that differ by less than
    rounding, 1e-12. Small: helpful; near 1: harmful.

    ``d`` is (n,). BadInput if it is empty or not finite.

    >>> wilcoxon_greater([0.1, 0.3, 0.2, 0.4, 0.5])
    0.03125
    """
    from scipy.stats import rankdata, wilcoxon  # a second to import, and training needs none of it

    d = _differences(d)
    d = d[d != 0]
    if not d.size:
        return math.nan
    if d.size >= EXACT_BELOW:
        return float(wilcoxon(d, alternative="greater", method="asymptotic").pvalue)
    twice = np.round(2 * rankdata(np.abs(d))).astype(int)  # whole numbers, also of tied ones
    return float(_sign_patterns(twice)[twice[d > 0].sum() :].sum() / 2.0**d.size)


def rank_correlation(x: ArrayLike, y: ArrayLike) -> float | None:
    """Spearman's, of two measures (n,) of the same things, in [-1, 1]; None of fewer than `FEWEST_PAIRS`, and where
    one is no number or one measure is the same for all.

    >>> rank_correlation([1, 2, 3, 4], [0.9, 0.5, 0.4, -1.0])
    -1.0
    """
    from scipy.stats import spearmanr  # as in `wilcoxon_greater`

    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if len(x) < FEWEST_PAIRS or not np.ptp(x) or not np.ptp(y) or not np.isfinite([x, y]).all():
        return None
    return round(float(spearmanr(x, y).statistic), 12)
