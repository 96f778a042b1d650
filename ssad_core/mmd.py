"""Maximum mean discrepancy between two sets of embeddings; paper App. G, Fig. 7 and Table 2."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

# In whose space a run's alignment is measured (METHOD: "MMD"); the paper's ResNet50 is not among them yet.
ENCODERS = {
    "baseline": "the baseline's code: one space for all augmentations",
    "run": "the run's own code: not comparable between augmentations",
    "pixels": "raw pixels",
}


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
    X, Y = _embeddings(X), _embeddings(Y)
    if X.shape[1] != Y.shape[1]:
        raise ValueError(f"embeddings of {X.shape[1]} and {Y.shape[1]} dimensions are not of one encoder")
    return max(0.0, _mean_kernel(X, X) + _mean_kernel(Y, Y) - 2 * _mean_kernel(X, Y))


def _mean_kernel(X: np.ndarray, Y: np.ndarray) -> float:
    base = X @ Y.T / X.shape[1] + 1
    return float(np.mean(base * base * base))  # numpy's ** 3 goes through pow


def _embeddings(X: ArrayLike) -> np.ndarray:
    X = np.asarray_chkfinite(X, dtype=np.float64)
    if X.ndim != 2 or not X.size:
        raise ValueError(f"embeddings are (points, dimensions), at least one of each, not {X.shape}")
    return X


@dataclass(frozen=True)
class MmdEstimate:
    """Squared MMD of ``m`` points a set: mean and standard deviation over ``draws`` samples.

    The spread says how much the choice of points matters; it is no standard error, for draws share points.
    """

    value: float
    spread: float
    m: int
    draws: int


def estimate(X: ArrayLike, Y: ArrayLike, m: int = 256, draws: int = 20, seed: int = 0) -> MmdEstimate:
    """`squared_mmd` of ``m`` points of each set, drawn without replacement ``draws`` times (App. G: M = 256).

    If a set has fewer than ``m`` points, its size is taken for both, and the result's ``m`` says so. All draws of
    that set are then the same points; if both have that size the spread is 0 up to rounding.

    Parameters and errors are those of `squared_mmd`; ``m`` and ``draws`` are at least 1.
    """
    X, Y = _embeddings(X), _embeddings(Y)
    m = min(m, len(X), len(Y))
    rng = np.random.default_rng(seed)
    values = [
        squared_mmd(X[rng.choice(len(X), m, replace=False)], Y[rng.choice(len(Y), m, replace=False)])
        for _ in range(draws)
    ]
    return MmdEstimate(value=float(np.mean(values)), spread=float(np.std(values)), m=m, draws=draws)
