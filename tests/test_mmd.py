"""Squared MMD against scikit-learn's kernel and its own properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics.pairwise import polynomial_kernel

from ssad_core.mmd import estimate, squared_mmd


def sets(n: int = 60, m: int = 45, h: int = 24) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, h)), rng.normal(0.3, 1.2, size=(m, h))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("h", [1, 24, 2048])
def test_equals_scikit_learns_kernel(h: int, dtype: type) -> None:
    X, Y = (part.astype(dtype) for part in sets(h=h))
    wide = X.astype(np.float64), Y.astype(np.float64)
    expected = sum(polynomial_kernel(part).mean() for part in wide) - 2 * polynomial_kernel(*wide).mean()
    assert squared_mmd(X, Y) == pytest.approx(expected, rel=1e-6)


def test_equals_the_definition() -> None:
    X, Y = sets(7, 5, 3)

    def mean_kernel(A: np.ndarray, B: np.ndarray) -> float:
        return sum((math.fsum(a * b) / 3 + 1) ** 3 for a in A for b in B) / (len(A) * len(B))

    assert squared_mmd(X, Y) == pytest.approx(mean_kernel(X, X) + mean_kernel(Y, Y) - 2 * mean_kernel(X, Y), rel=1e-9)


def test_is_zero_for_equal_sets_symmetric_and_blind_to_order() -> None:
    X, Y = sets()
    rng = np.random.default_rng(1)
    assert squared_mmd(X, X) == 0
    assert squared_mmd(X, rng.permutation(X)) == pytest.approx(0, abs=1e-12)
    assert squared_mmd(X, Y) == pytest.approx(squared_mmd(Y, X), rel=1e-9)
    assert squared_mmd(rng.permutation(X), rng.permutation(Y)) == pytest.approx(squared_mmd(X, Y), rel=1e-9)


def test_grows_with_a_shift_and_is_never_negative() -> None:
    X, _ = sets()
    values = [squared_mmd(X, X + shift) for shift in np.linspace(0, 2, 9)]
    assert values == sorted(values)
    assert len(set(values)) == 9
    rng = np.random.default_rng(2)
    for _ in range(30):  # the same points in another order: rounding alone would go below zero every other time
        assert squared_mmd(X, rng.permutation(X)) >= 0


def test_estimate_of_a_whole_set_is_its_value() -> None:
    X, Y = sets()
    found = estimate(X, Y, m=45, draws=10)
    assert (found.m, found.draws) == (45, 10)
    assert found.spread > 0  # 45 of 60 differ between draws
    whole = estimate(X[:45], Y, m=256)
    assert whole.m == 45
    assert whole.value == pytest.approx(squared_mmd(X[:45], Y))
    assert whole.spread == pytest.approx(0, abs=1e-12)


def test_estimate_is_the_mean_over_seeded_draws_of_m() -> None:
    X, Y = sets(400, 300)
    found = estimate(X, Y, m=50, draws=30, seed=1)
    assert found == estimate(X, Y, m=50, draws=30, seed=1)
    other = estimate(X, Y, m=50, draws=30, seed=2)
    assert found.value != other.value
    assert found.value == pytest.approx(other.value, abs=found.spread)
    # With the diagonal in the mean, small samples lie further apart than large ones (the reason to fix m).
    assert found.value > estimate(X, Y, m=300).value


@pytest.mark.parametrize("bad", [np.zeros((0, 3)), np.zeros(3), np.full((2, 3), np.nan), np.zeros((4, 2))])
def test_unusable_embeddings_are_refused(bad: np.ndarray) -> None:
    good = np.ones((5, 3))
    for pair in ((good, bad), (bad, good)):
        with pytest.raises(ValueError, match=r"embeddings|infs or NaNs"):
            squared_mmd(*pair)
