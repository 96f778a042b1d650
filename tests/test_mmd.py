"""Squared MMD against scikit-learn's kernel and its own properties."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import kstest
from sklearn.metrics.pairwise import polynomial_kernel

from ssad_core.mmd import PERMUTATIONS, estimate, permutation_p, squared_mmd


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
    assert (found.sampled, whole.sampled) == (True, False)


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


def test_the_permutation_test_is_calibrated() -> None:
    rng = np.random.default_rng(0)
    drawn = [permutation_p(*rng.normal(size=(2, 20, 3)), permutations=199, seed=seed) for seed in range(200)]
    assert kstest(drawn, "uniform").pvalue > 0.05
    assert 0.01 <= np.mean(np.array(drawn) <= 0.05) <= 0.09  # 200 trials of .05: 10 +- 3


def test_p_approaches_that_of_all_ways_to_part_the_points() -> None:
    rng = np.random.default_rng(1)
    points = np.concatenate([rng.normal(size=(4, 2)), rng.normal(1, 1, size=(3, 2))])
    observed = squared_mmd(points[:4], points[4:])
    parts = [np.isin(np.arange(7), chosen) for chosen in combinations(range(7), 4)]
    exact = np.mean([squared_mmd(points[part], points[~part]) >= observed - 1e-9 for part in parts])
    assert 0.02 < exact < 0.9
    n = 20_000
    assert permutation_p(points[:4], points[4:], n) == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / n))


def test_p_is_least_for_sets_apart_and_one_for_equal_sets() -> None:
    X, _ = sets(30, 30)
    assert permutation_p(X, X + 5) == 1 / (PERMUTATIONS + 1)
    assert permutation_p(X, X) == 1
    assert permutation_p(X, np.random.default_rng(0).permutation(X)) == 1  # rounding would make it smaller
    assert permutation_p(np.full((5, 2), 1e3), np.full((7, 2), 1e3)) == 1


def test_an_estimate_has_the_p_of_its_first_draw_if_it_is_asked_for() -> None:
    X, Y = sets(40, 40)
    assert estimate(X, Y).p is None
    apart = estimate(X, Y + 3, m=20, permutations=99)
    assert apart.p == 0.01
    assert apart.value == estimate(X, Y + 3, m=20).value
    same = [estimate(*np.random.default_rng(i).normal(size=(2, 60, 4)), m=30, permutations=99).p for i in range(40)]
    assert 0.3 < np.mean(same) < 0.7


@pytest.mark.parametrize("seed", range(5))
def test_its_first_draw_is_of_some_points_of_each_set(seed: int) -> None:
    X, Y = np.random.default_rng(0).normal(size=(2, 60, 3))
    Y += 0.3
    rng = np.random.default_rng(seed)
    first = X[rng.choice(60, 15, replace=False)], Y[rng.choice(60, 15, replace=False)]
    n = 4000
    expected = permutation_p(*first, n)
    found = estimate(X, Y, m=15, draws=3, seed=seed, permutations=n).p
    assert found == pytest.approx(expected, abs=4 * math.sqrt(2 * expected * (1 - expected) / n))
