"""AUC, average precision and tests against scikit-learn, scipy, plain loops, published tables and known truths."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import sklearn
from scipy.stats import norm, rankdata, wilcoxon
from sklearn.metrics import average_precision_score, roc_auc_score

from ssad_core.errors import BadInput
from ssad_core.statistics import (
    FEW,
    auc,
    average_precision,
    clustered_interval,
    pseudo_median,
    task_metrics,
    wilcoxon_greater,
)

# Depression scale factors before and after tranquillisers: Hollander and Wolfe, table 3.1; also in R's ?wilcox.test.
BEFORE = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
AFTER = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])


def labelled(normal: np.ndarray, anomalous: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores as scikit-learn takes them."""
    return np.repeat([0, 1], [len(normal), len(anomalous)]), np.concatenate([normal, anomalous])


@pytest.mark.parametrize("decimals", [0, 1, 16])
@pytest.mark.parametrize("sizes", [(1, 1), (7, 50), (200, 30)])
def test_metrics_equal_scikit_learns_with_and_without_ties(sizes: tuple[int, int], decimals: int) -> None:
    rng = np.random.default_rng(sum(sizes) + decimals)
    for _ in range(10):
        normal, anomalous = (
            np.round(rng.normal(shift, size=n), decimals) for shift, n in zip((0, 0.5), sizes, strict=True)
        )
        assert auc(normal, anomalous) == pytest.approx(roc_auc_score(*labelled(normal, anomalous)), abs=1e-12)
        expected = average_precision_score(*labelled(normal, anomalous))
        assert average_precision(normal, anomalous) == pytest.approx(expected, abs=1e-12)


def test_auc_of_swapped_groups_adds_to_one_and_is_half_for_equal_scores() -> None:
    rng = np.random.default_rng(0)
    normal, anomalous = rng.integers(5, size=40), rng.integers(7, size=30)
    assert auc(normal, anomalous) + auc(anomalous, normal) == pytest.approx(1)
    assert auc(normal, anomalous) == auc(np.exp(normal), np.exp(anomalous))
    assert auc(np.ones(9), np.ones(4)) == 0.5
    assert average_precision(np.ones(9), np.ones(3)) == 0.25


def plain_bootstrap(
    normal: np.ndarray, anomalous: np.ndarray, base: tuple[np.ndarray, np.ndarray], paired: bool, draws: int
) -> np.ndarray:
    """AUC, average precision and relative AUC of each draw, one draw at a time: (draws, 3)."""
    rng = np.random.default_rng(1)
    rows = []
    for _ in range(draws):
        i = rng.integers(len(normal), size=len(normal))
        j = i if paired else rng.integers(len(anomalous), size=len(anomalous))
        wins = [
            (a[j][:, None] > n[i]).mean() + (a[j][:, None] == n[i]).mean() / 2 for n, a in ((normal, anomalous), base)
        ]
        rows.append((wins[0], average_precision_score(*labelled(normal[i], anomalous[j])), wins[0] - wins[1]))
    return np.array(rows)


@pytest.mark.parametrize("paired", [True, False])
def test_intervals_agree_with_a_plain_bootstrap(paired: bool) -> None:
    rng = np.random.default_rng(2)
    image = rng.normal(size=80)  # makes the pairs, and the two detectors, correlated
    normal, anomalous = (np.round(image + shift + rng.normal(size=80), 1) for shift in (0, 1))
    base = tuple(np.round(scores + rng.normal(size=80), 1) for scores in (normal, anomalous))

    found = task_metrics(normal, anomalous, base, paired=paired, draws=10_000)
    with sklearn.config_context(skip_parameter_validation=True, assume_finite=True):  # of 1,500 calls
        loop = plain_bootstrap(normal, anomalous, base, paired, draws=1500)

    for estimate, column in zip((found.auc, found.average_precision, found.relative_auc), loop.T, strict=True):
        assert (estimate.low, estimate.high) == pytest.approx(
            np.quantile(column, [0.025, 0.975]), abs=0.25 * column.std()
        )
    assert found.auc.value == auc(normal, anomalous)
    assert found.average_precision.value == average_precision(normal, anomalous)
    assert found.relative_auc.value == pytest.approx(auc(normal, anomalous) - auc(*base))


@pytest.mark.parametrize("paired", [True, False])
def test_intervals_cover_the_truth_about_95_times_in_100(paired: bool) -> None:
    # Scores N(0, 1) and N(d, 1), so that AUC = Phi(d / sqrt 2); half of the variance is the image's own, shared by both
    # detectors and, if paired, by both members.
    rng = np.random.default_rng(3)
    true_auc = norm.cdf(1.2 / math.sqrt(2))
    true_gain = true_auc - norm.cdf(0.8 / math.sqrt(2))
    trials, hits = 300, np.zeros(2)
    for seed in range(trials):
        image = np.sqrt(0.5) * rng.normal(size=(2, 100))
        if paired:
            image[1] = image[0]
        ours = [image[i] + shift + np.sqrt(0.5) * rng.normal(size=100) for i, shift in enumerate((0, 1.2))]
        base = [image[i] + shift + np.sqrt(0.5) * rng.normal(size=100) for i, shift in enumerate((0, 0.8))]
        found = task_metrics(*ours, tuple(base), paired=paired, draws=200, seed=seed)
        hits += (
            found.auc.low <= true_auc <= found.auc.high,
            found.relative_auc.low <= true_gain <= found.relative_auc.high,
        )
    assert np.all(hits / trials > 0.89)
    assert np.all(hits / trials < 0.99)


@pytest.mark.parametrize("shift", [-9, -1.5, 0, 9])
def test_an_interval_has_its_own_value_in_it(shift: float) -> None:
    # Where all anomalies rank low a drawn sample, in which images tie with themselves, has a higher average precision.
    rng = np.random.default_rng(0)
    for _ in range(10):
        normal, anomalous = rng.normal(size=12), rng.normal(shift, size=12)
        found = task_metrics(normal, anomalous, (anomalous, normal), paired=False, draws=300)
        for estimate in (found.auc, found.average_precision, found.relative_auc):
            assert estimate.low <= estimate.value <= estimate.high
        assert found.average_precision.value == average_precision(normal, anomalous)


def test_draws_serve_both_detectors_and_pairs_stay_together() -> None:
    rng = np.random.default_rng(4)
    normal = rng.normal(size=100)
    anomalous = normal + 0.3
    same = task_metrics(normal, anomalous, (normal, anomalous), paired=True)
    assert (same.relative_auc.value, same.relative_auc.low, same.relative_auc.high) == (0, 0, 0)
    apart = task_metrics(normal, anomalous, paired=False)
    assert same.auc.high - same.auc.low < 0.5 * (apart.auc.high - apart.auc.low)
    assert apart.relative_auc is None


def test_intervals_are_repeatable_and_do_not_depend_on_units() -> None:
    rng = np.random.default_rng(5)
    normal, anomalous = rng.normal(size=700), 1 + rng.normal(size=900)  # more than one chunk of draws
    found = task_metrics(normal, anomalous, paired=False, seed=1)
    assert found == task_metrics(1000 * normal, 1000 * anomalous, paired=False, seed=1)
    assert found != task_metrics(normal, anomalous, paired=False, seed=2)
    perfect = task_metrics(normal, normal + 100, paired=True)
    assert (perfect.auc.low, perfect.auc.high, perfect.average_precision.low) == (1, 1, 1)


@pytest.mark.parametrize(("sizes", "few"), [((FEW, FEW), False), ((FEW - 1, 50), True), ((50, FEW - 1), True)])
def test_of_a_few_images_of_a_group_there_is_a_value_and_no_interval(sizes: tuple[int, int], few: bool) -> None:
    normal, anomalous = (np.arange(size) + shift for size, shift in zip(sizes, (0, 3), strict=True))
    found = task_metrics(normal, anomalous, (normal, anomalous), paired=False)
    assert (found.auc.value, found.relative_auc.value) == (auc(normal, anomalous), 0)
    assert found.auc.few == found.average_precision.few == found.relative_auc.few == few


@pytest.mark.parametrize("bad", [[], [1.0, math.nan], [math.inf]])
def test_unusable_scores_are_refused(bad: list[float]) -> None:
    for normal, anomalous in ((bad, [1.0]), ([1.0], bad)):
        for measure in (auc, average_precision, lambda n, a: task_metrics(n, a, paired=False)):
            with pytest.raises(BadInput, match="scores"):
                measure(normal, anomalous)
    for test in (pseudo_median, wilcoxon_greater):
        with pytest.raises(BadInput, match="scores"):
            test(bad)


def test_sizes_that_do_not_agree_are_refused() -> None:
    with pytest.raises(ValueError, match="equally large"):
        task_metrics([1, 2], [1, 2, 3], paired=True)
    with pytest.raises(ValueError, match="other images"):
        task_metrics([1, 2], [1, 2, 3], ([1, 2], [1, 2]), paired=False)


def test_published_example() -> None:
    d = BEFORE - AFTER
    assert wilcoxon_greater(d) == pytest.approx(0.01953, abs=5e-6)  # R: V = 40
    estimate, low, high = pseudo_median(d)
    assert estimate == pytest.approx(0.46)  # Hollander and Wolfe, Sec. 3.2
    assert (low, high) == pytest.approx((0.010, 0.786))  # and Sec. 3.3, at 96.1%


@pytest.mark.parametrize(("n", "k"), [(1, 1), (5, 1), (6, 1), (10, 9), (20, 53), (25, 90), (90, 1560), (360, 28617)])
def test_pseudo_median_is_the_definition(n: int, k: int) -> None:
    # k from tables of the signed-rank distribution, beyond n = 49 from its normal approximation.
    d = np.random.default_rng(n).normal(0.1, size=n)
    walsh = np.sort([(d[i] + d[j]) / 2 for i in range(n) for j in range(i, n)])
    expected = np.median(walsh), walsh[k - 1], walsh[len(walsh) - k]
    assert pseudo_median(d) == pytest.approx(expected)


def test_pseudo_median_moves_with_its_data_and_does_not_touch_them() -> None:
    d = np.random.default_rng(0).normal(size=360)
    kept = d.copy()
    estimate, low, high = pseudo_median(d)
    assert np.array_equal(d, kept)
    assert pseudo_median(d[::-1] + 2) == pytest.approx((estimate + 2, low + 2, high + 2))
    assert pseudo_median(-d) == pytest.approx((-estimate, -high, -low))


def test_what_rounding_leaves_of_a_difference_is_none() -> None:
    d = [0.9 - 0.8, 0.3 - 0.4] * 8  # the mean of a pair is not 0 by 3e-17
    assert pseudo_median(d)[0] == 0
    assert clustered_interval(d, [i // 2 for i in range(16)]) == (0, 0)


@pytest.mark.parametrize("n", [7, 20, 49])
def test_interval_excludes_zero_just_when_the_exact_test_rejects(n: int) -> None:
    rng = np.random.default_rng(n)
    outcomes = set()
    for shift in np.linspace(0, 1.2, 30):
        d = rng.normal(shift, size=n)
        excludes = pseudo_median(d)[1] > 0
        outcomes.add(excludes)
        assert excludes == (wilcoxon_greater(d) < 0.025)
    assert outcomes == {True, False}


def test_wilcoxon_drops_zeros_and_is_exact_below_fifty() -> None:
    rng = np.random.default_rng(6)
    d = rng.normal(0.2, size=49)
    exact = wilcoxon(d, alternative="greater", method="exact").pvalue
    assert wilcoxon_greater(np.append(d, np.zeros(30))) == pytest.approx(exact, rel=1e-9)
    d = rng.normal(0.2, size=50)
    assert wilcoxon_greater(d) == wilcoxon(d, alternative="greater", method="asymptotic").pvalue
    assert math.isnan(wilcoxon_greater([0.0, 0.0, 0.0]))
    assert wilcoxon_greater([0.5] * 20) == pytest.approx(2**-20, rel=1e-6)


def test_wilcoxon_is_exact_where_sizes_are_tied() -> None:
    """Against every pattern of signs; as AUCs of few images are, differences are of few sizes, and tied but for rounding."""
    rng, signs = np.random.default_rng(9), np.array(list(itertools.product([-1, 1], repeat=9)))
    for _ in range(20):
        d = rng.integers(1, 5, size=9) * 0.1 * rng.choice([-1, 1], size=9)
        ranks = rankdata(np.abs(d).round(9))
        above = (signs > 0) @ ranks >= ranks[d > 0].sum() - 1e-9
        assert wilcoxon_greater(d) == pytest.approx(above.mean(), rel=1e-12)
    assert wilcoxon_greater([0.9 - 0.8, 0.8 - 0.7, 0.7 - 0.6, 0.6 - 0.5, 0.5 - 0.6, 0.6 - 0.7]) == 22 / 64
