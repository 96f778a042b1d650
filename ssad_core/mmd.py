"""Maximum mean discrepancy between two sets of embeddings; paper App. G, Fig. 7 and Table 2."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .numbers import number

PERMUTATIONS = 1000
M, DRAWS = 256, 20  # points of each set (App. G), and how often they are drawn


def squared_mmd(X: ArrayLike, Y: ArrayLike) -> float:
    """mean k(x, x') + mean k(y, y') - 2 mean k(x, y) with k(a, b) = (<a, b> / h + 1)^3, at least 0.

    The means are over all pairs, a point with itself included, and no root is taken: Eq. 1 writes sums, but only this
    gives numbers of the published size (METHOD: "MMD"). With the diagonal, two samples of one distribution are some
    way above 0, the further the smaller they are: compare values at equal sizes only.

    Parameters
    ----------
    X, Y : embeddings (n, h) and (m, h), computed in float64 whatever they come in.

    ValueError if they are empty, not finite, or not of one dimension h.

    >>> squared_mmd([[1.0, 0.0]], [[0.0, 1.0]])
    4.75
    """
    X, Y = _pair(X, Y)
    return max(0.0, float(_kernel(X, X).mean() + _kernel(Y, Y).mean() - 2 * _kernel(X, Y).mean()))


def _kernel(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    base = X @ Y.T / X.shape[1] + 1
    return base * base * base  # numpy's ** 3 goes through pow


def _pair(X: ArrayLike, Y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    X, Y = embeddings(X), embeddings(Y)
    if X.shape[1] != Y.shape[1]:
        raise ValueError(f"embeddings of {X.shape[1]} and {Y.shape[1]} dimensions are not of one encoder")
    return X, Y


def embeddings(X: ArrayLike) -> np.ndarray:
    """Points (n, h) in float64. ValueError if they are empty or not finite."""
    X = np.asarray_chkfinite(X, dtype=np.float64)
    if X.ndim != 2 or not X.size:
        raise ValueError(f"embeddings are (points, dimensions), at least one of each, not {X.shape}")
    return X


def permutation_p(X: ArrayLike, Y: ArrayLike, permutations: int = PERMUTATIONS, seed: int = 0) -> float:
    """How often two sets of these sizes, drawn at random from all points together, have no smaller squared MMD:
    p = (1 + count) / (1 + permutations).

    Under the null, that all points are independent and of one distribution, P(p <= a) <= a. It is small when the sets
    differ; a large one says only that so many points do not show a difference.

    Parameters and errors are those of `squared_mmd`; ``permutations`` is at least 1.

    >>> permutation_p([[0.0], [0.1], [0.2], [0.3]], [[5.0], [5.1], [5.2], [5.3]], permutations=99) < 0.06
    True
    """
    X, Y = _pair(X, Y)
    pooled = np.concatenate([X, Y])
    return _permutation_p(_kernel(pooled, pooled), len(X), permutations, np.random.default_rng(seed))


def _permutation_p(kernel: np.ndarray, n: int, permutations: int, rng: np.random.Generator) -> float:
    """`permutation_p` by the kernel matrix of all points, the first ``n`` of which are X."""
    weights = np.repeat([1 / n, -1 / (len(kernel) - n)], [n, len(kernel) - n])
    permuted = rng.permuted(np.tile(weights, (permutations, 1)), axis=1)
    observed, *drawn = _weighted(kernel, np.vstack([weights, permuted]))
    # What is equal up to rounding counts as equal: else p would depend on the order of equal points.
    least = observed - 1e-9 * np.abs(kernel).mean()
    return float((1 + np.count_nonzero(np.array(drawn) >= least)) / (1 + permutations))


def _weighted(kernel: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """w K w of each row w (rows, points): squared MMD where w is 1/n at one set's points and -1/m at the other's."""
    return np.einsum("ij,ij->i", weights @ kernel, weights)


@dataclass(frozen=True)
class MmdEstimate:
    """Squared MMD of ``m`` points a set: mean and standard deviation over ``draws`` samples, and the `permutation_p` of the
    first of them, if it was asked for.

    The spread says how much the choice of points matters; it is no standard error, for draws share points.
    """

    value: float
    spread: float
    m: int
    draws: int
    p: float | None = None

    @property
    def sampled(self) -> bool:
        """Whether draws differ: else both sets have ``m`` points, and there is no choice."""
        return self.spread > 1e-9 * self.value

    @property
    def text(self) -> str:
        """The value as one reads it, with its spread where draws differ."""
        return number(self.value, self.spread if self.sampled else None)


def estimate(
    X: ArrayLike, Y: ArrayLike, m: int = M, draws: int = DRAWS, seed: int = 0, permutations: int = 0
) -> MmdEstimate:
    """`squared_mmd` of ``m`` points of each set, drawn without replacement ``draws`` times (App. G: M = 256).

    If a set has fewer than ``m`` points, its size is taken for both, and the result's ``m`` says so. All draws of
    that set are then the same points; if both have that size the spread is 0 up to rounding.

    Parameters and errors are those of `squared_mmd`; ``m`` and ``draws`` are at least 1. With ``permutations`` there is a
    p-value, which means something only if the points are independent. Memory is 8 (len(X) + len(Y))^2 bytes.
    """
    X, Y = _pair(X, Y)
    m = min(m, len(X), len(Y))
    rng = np.random.default_rng(seed)
    weights = np.zeros((draws, len(X) + len(Y)))
    for row in weights:
        row[rng.choice(len(X), m, replace=False)] = 1 / m
        row[len(X) + rng.choice(len(Y), m, replace=False)] = -1 / m
    pooled = np.concatenate([X, Y])
    kernel = _kernel(pooled, pooled)
    values = np.maximum(0, _weighted(kernel, weights))
    p = None
    if permutations:
        first = np.flatnonzero(weights[0])
        p = _permutation_p(kernel[np.ix_(first, first)], m, permutations, rng)
    return MmdEstimate(value=float(values.mean()), spread=float(values.std()), m=m, draws=draws, p=p)
