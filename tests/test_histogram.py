"""Histograms, ROC and thresholds: against numpy and scikit-learn, and against each other."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, roc_curve

from ssad_core.errors import BadInput
from ssad_core.histogram import common_edges, confusion, corners, per_cent, roc, scale_for, threshold_at_fpr
from ssad_core.statistics import auc


def groups(decimals: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return np.round(rng.lognormal(size=83), decimals), np.round(2 * rng.lognormal(size=41), decimals)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("low", [1e-9, 1e-3, 1.0])
def test_every_score_falls_into_a_bin(low: float, log: bool) -> None:
    parts = [low + scores for scores in groups(16)]
    edges = common_edges(parts, bins=30, log=log)
    assert edges.shape == (31,)
    steps = np.diff(np.log(edges) if log else edges)
    assert steps == pytest.approx(np.full(30, steps[0]))
    for part in parts:
        assert per_cent(part, edges) == pytest.approx(100 * np.histogram(part, edges)[0] / len(part))
        assert per_cent(part, edges).sum() == pytest.approx(100)


@pytest.mark.parametrize("value", [-2.0, 0.0, 3e-7])
def test_one_single_value_still_has_bins(value: float) -> None:
    edges = common_edges([[value], [value, value]], bins=5)
    assert np.all(np.diff(edges) > 0)
    assert per_cent([value], edges).tolist() == [0, 0, 100, 0, 0]


def test_logarithmic_bins_need_positive_scores() -> None:
    with pytest.raises(BadInput, match="above zero"):
        common_edges([[0.0, 1.0]], log=True)


@pytest.mark.parametrize("decimals", [0, 1, 16])
def test_roc_equals_scikit_learns(decimals: int) -> None:
    normal, anomalous = groups(decimals)
    labels = np.repeat([0, 1], [len(normal), len(anomalous)])
    expected = roc_curve(labels, np.concatenate([normal, anomalous]), drop_intermediate=False)
    for ours, theirs in zip(roc(normal, anomalous), expected, strict=True):
        assert np.array_equal(ours, theirs)
    fpr, tpr, _ = roc(normal, anomalous)
    assert np.trapezoid(tpr, fpr) == pytest.approx(auc(normal, anomalous))


@pytest.mark.parametrize("decimals", [0, 1, 16])
def test_a_curves_corners_are_all_that_a_line_through_it_needs(decimals: int) -> None:
    normal, anomalous = groups(decimals)
    fpr, tpr, thresholds = roc(normal, anomalous)
    kept = corners(fpr, tpr)
    assert np.trapezoid(tpr[kept], fpr[kept]) == pytest.approx(auc(normal, anomalous), abs=1e-12)
    labels = np.repeat([0, 1], [len(normal), len(anomalous)])
    _, _, expected = roc_curve(labels, np.concatenate([normal, anomalous]))
    assert set(thresholds[kept]) <= set(expected)  # scikit-learn keeps some on straight lines too
    assert kept.sum() < len(kept)


@pytest.mark.parametrize("decimals", [0, 16])
def test_confusion_agrees_with_every_point_of_the_curve(decimals: int) -> None:
    normal, anomalous = groups(decimals)
    labels, scores = np.repeat([0, 1], [len(normal), len(anomalous)]), np.concatenate([normal, anomalous])
    for fpr, tpr, threshold in zip(*roc(normal, anomalous), strict=True):
        counts = confusion(normal, anomalous, threshold)
        assert (counts.fpr, counts.tpr) == (fpr, tpr)
        tn, fp, fn, tp = confusion_matrix(labels, scores >= threshold).ravel()
        assert (counts.tn, counts.fp, counts.fn, counts.tp) == (tn, fp, fn, tp)


@pytest.mark.parametrize("decimals", [0, 1, 16])
def test_threshold_keeps_the_rate_and_flags_as_many_as_it_allows(decimals: int) -> None:
    for n in (1, 30, 83, 100):
        normal = groups(decimals, seed=n)[0][:n]
        for fpr in (0, 0.01, 0.05, 0.07, 0.29, 1 / 3, 0.5, 0.99, 1):
            threshold = threshold_at_fpr(normal, fpr)
            assert np.mean(normal >= threshold) <= fpr + 6e-5
            lower = normal[normal < threshold]  # any threshold that reaches one more normal image is too low
            assert lower.size == 0 or np.mean(normal >= lower.max()) > fpr


def test_threshold_without_ties_uses_the_whole_allowance() -> None:
    normal = np.random.default_rng(0).permutation(100).astype(float)
    for per_cent_allowed in range(101):  # .29 x 100 is 28.999999999999996
        counts = confusion(normal, [0.0], threshold_at_fpr(normal, per_cent_allowed / 100))
        assert counts.fp == per_cent_allowed


def test_a_rate_between_two_moves_the_threshold_evenly() -> None:
    normal = np.random.default_rng(0).gamma(2, size=40)
    rates = np.linspace(0.05, 0.1, 9)  # two to four of forty
    found = [threshold_at_fpr(normal, rate) for rate in rates]
    expected = np.interp(40 * rates, [2, 3, 4], np.sort(normal)[::-1][1:4])
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert threshold_at_fpr(normal, 0) > normal.max()
    assert threshold_at_fpr(normal, 1) == normal.min()


def test_unusable_input_is_refused() -> None:
    for bad in ([], [math.nan]):
        for use in (lambda x: common_edges([[1.0], x]), lambda x: roc(x, [1.0]), lambda x: confusion([1.0], x, 0.5)):
            with pytest.raises(BadInput, match="scores"):
                use(bad)
    with pytest.raises(BadInput, match="0 to 1"):
        threshold_at_fpr([1.0], 5)


def test_the_axis_is_log_where_a_linear_one_would_squeeze_the_normals() -> None:
    normal = np.linspace(1, 10, 100)
    assert scale_for([normal], [np.append(normal, 200)]) == "linear"
    assert scale_for([normal], [np.append(normal, 3000)]) == "log"
    assert scale_for([normal / 100, normal], [normal / 100, np.append(normal, 200)]) == "log"  # of two, one is enough
    low = np.repeat([1.0, 20.0], [80, 20])  # four fifths in the first bin of an axis that another detector stretches
    assert scale_for([low], [low, np.array([400.0])]) == "log"
    assert scale_for([normal], [np.append(normal, [0, 3000])]) == "linear"  # zero is on no log axis
    assert scale_for([normal], [np.append(normal, 200)], "log") == "log"
    assert scale_for([normal], [np.append(normal, [0, 200])], "log") == "linear"
