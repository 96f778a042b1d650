"""DSV and the criteria beside it against their formulas, written out point by point, and what they are for."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest

from ssad_core.selection import CRITERIA, choose, criteria, dsv

Sets = tuple[np.ndarray, np.ndarray, np.ndarray]


def sets(seed: int = 0) -> Sets:
    rng = np.random.default_rng(seed)
    return rng.normal(1, 1, (7, 5)), rng.normal(-0.5, 1, (6, 5)), rng.normal(0, 1, (9, 5))


def written_out(*given: np.ndarray) -> dict[str, float]:
    """METHOD, "Label-free selection", by loops over points."""
    trn, aug, test = ([[x / math.hypot(*point) for x in point] for point in points.tolist()] for points in given)
    known = trn + aug

    def mean(points: list[list[float]]) -> list[float]:
        return [statistics.fmean(axis) for axis in zip(*points, strict=True)]

    def distances(A: list[list[float]], B: list[list[float]]) -> list[float]:
        return [math.dist(a, b) / 2 for a in A for b in B]

    between = statistics.fmean(distances(trn, aug))
    discordance = statistics.fmean(distances(known, test)) / (between + 1e-8)
    mu = mean(trn)
    along = []
    for z in test:
        for other in aug:
            u = [x - m for x, m in zip(other, mu, strict=True)]
            along.append(sum((x - m) * y for x, m, y in zip(z, mu, u, strict=True)) / math.hypot(*u))
    separability = statistics.pstdev(along) / between
    return {
        "dsv": discordance - min(separability, 0.5) / discordance,
        "discordance": discordance,
        "separability": -separability,
        "distance": statistics.fmean(distances(known, test)),
        "spread": -statistics.pstdev(distances(known, test)),
        "mmd": math.dist(mean(known), mean(test)) ** 2,
    }


@pytest.mark.parametrize("seed", range(5))
def test_all_are_what_the_formulas_say(seed: int) -> None:
    found, expected = criteria(*sets(seed)), written_out(*sets(seed))
    assert list(found) == list(CRITERIA) == list(expected)
    assert found == pytest.approx(expected, rel=1e-9)
    assert dsv(*sets(seed)) == found["dsv"]


def test_more_separability_than_a_half_counts_as_a_half() -> None:
    trn, aug = np.tile([[1.0, 0.0]], (3, 1)), np.array([[1.0, 0.2]])
    far = np.array([[1.0, 0.0], [-1.0, 0.3]])
    found = criteria(trn, aug, far)
    assert found["separability"] < -0.5
    assert found["dsv"] == pytest.approx(found["discordance"] - 0.5 / found["discordance"])


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_neither_lengths_nor_order_nor_type_matter(dtype: type) -> None:
    rng = np.random.default_rng(1)
    given = [points.astype(dtype) for points in sets()]
    other = [rng.permutation(points.astype(np.float64)) for points in given]
    other = [points * rng.uniform(0.5, 20, (len(points), 1)) for points in other]
    assert criteria(*given) == pytest.approx(criteria(*other), rel=1e-9)


def test_dsv_prefers_the_aug_that_is_the_anomaly() -> None:
    """Clusters of directions: the aug that lies where the unlabelled anomalies do, one that goes elsewhere, and one that does
    nearly nothing."""
    rng = np.random.default_rng(0)

    def around(direction: list[float]) -> np.ndarray:
        return rng.normal(direction, 0.1, (60, 3))

    normal, anomalous = [4.0, 0, 0], [1.0, 4, 0]
    trn, test = around(normal), np.concatenate([around(normal), around(anomalous)])
    augs = {"matched": anomalous, "elsewhere": [1.0, 0, 4], "nothing": [4.0, 0.1, 0.1]}
    found = {name: criteria(trn, around(direction), test) for name, direction in augs.items()}
    assert choose({name: each["dsv"] for name, each in found.items()}) == "matched"
    assert found["elsewhere"]["discordance"] > found["matched"]["discordance"]
    assert found["elsewhere"]["separability"] > found["matched"]["separability"]


@pytest.mark.parametrize("noise", [0.0, 2e-7])
def test_what_is_divided_by_rounding_has_no_value(noise: float) -> None:
    """Random codes, as float32 and as it rounds them: 1, 1, 1, 1 would leave no rounding."""
    rng = np.random.default_rng(0)

    def same(n: int) -> np.ndarray:
        return (point * (1 + noise * rng.normal(size=(n, 128)))).astype(np.float32)

    for _ in range(20):
        point, other = rng.normal(size=(2, 128))
        for test in (same(20), rng.normal(other, size=(20, 128)).astype(np.float32)):
            found = criteria(same(30), same(25), test)
            without = [name for name, value in found.items() if math.isnan(value)]
            assert without == ["dsv", "discordance", "separability"]
        # An image that aug leaves at the centre of trn has no direction, whichever rounding would give it.
        trn, moved, test = same(30), rng.normal(size=(1, 128)), rng.normal(size=(20, 128))
        one, two = (criteria(trn, np.concatenate([moved, same(1)]), test) for _ in range(2))
        assert one == pytest.approx(two, rel=1e-4)


def test_what_has_no_value_is_not_chosen() -> None:
    point = np.ones((3, 4))
    assert math.isnan(dsv(point, point, point))
    assert choose({"collapsed": math.nan, "other": 2.0, "better": 1.0}) == "better"
    assert choose({"collapsed": math.nan}) is None
    assert criteria(np.zeros((2, 4)), point, point)["distance"] == pytest.approx(
        0.2
    )  # without a direction it stays at 0


def test_sets_that_are_none_are_refused() -> None:
    trn, aug, test = sets()
    for given in ((trn[:0], aug, test), (trn, aug * np.nan, test), (trn, aug[:, 0], test), (trn, aug, test[:, 1:])):
        with pytest.raises(ValueError, match=r"embeddings|infs or NaNs"):
            criteria(*given)


def test_the_linear_kernel_is_that_of_the_means() -> None:
    trn, aug, test = sets()
    unit = [points / np.linalg.norm(points, axis=1, keepdims=True) for points in (trn, aug, test)]
    known, other = np.concatenate(unit[:2]), unit[2]
    kernels = [(a @ b.T).mean() for a, b in ((known, known), (other, other), (known, other))]
    assert criteria(trn, aug, test)["mmd"] == pytest.approx(kernels[0] + kernels[1] - 2 * kernels[2])
