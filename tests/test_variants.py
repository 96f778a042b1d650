"""Settings that vary, and how far augs keep their order over them."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from ssad_core.detectors import settings_for
from ssad_core.errors import BadInput
from ssad_core.variants import VARIED, agreement, variants

QUICK = settings_for("quick")


def test_all_four_are_the_papers_sixteen() -> None:
    found = variants(QUICK)
    wanted = product((4, 8), (8, 16), (64, 128), (1e-5, 5e-5))
    assert [(s.epochs, s.features, s.hidden, s.weight_decay) for s in found] == list(wanted)
    assert {replace(s, **{name: getattr(QUICK, name) for name in VARIED}) for s in found} == {QUICK}


def test_what_is_not_named_stays() -> None:
    assert variants(QUICK, []) == [QUICK]
    assert variants(QUICK, ["hidden", "hidden"]) == [replace(QUICK, hidden=64), QUICK]
    assert {s.weight_decay for s in variants(settings_for("quick", "deepsad"), ["epochs"])} == {0.5e-6}


@pytest.mark.parametrize(
    ("settings", "names", "said"),
    [
        ({}, ["epoch"], "unknown setting to vary 'epoch'; did you mean 'epochs'"),
        ({}, ["batch_size"], "unknown setting to vary 'batch_size'"),
        ({"epochs": 1}, ["epochs"], "epochs of 1 cannot be halved: 1 is the least"),
        ({"hidden": 3}, ["hidden"], "code size of 3 cannot be halved: 2 is the least"),
    ],
)
def test_what_cannot_vary_is_said(settings: dict, names: list[str], said: str) -> None:
    with pytest.raises(BadInput) as caught:
        variants(settings_for("quick", **settings), names)
    assert said in str(caught.value)


def test_agreement_is_kendalls() -> None:
    """Of m orders the mean of Spearman's is (m W - 1) / (m - 1), with Kendall's coefficient of concordance W."""
    rng = np.random.default_rng(0)
    for m, n in ((2, 4), (5, 6), (16, 13)):
        gains = rng.normal(size=n) + rng.normal(size=(m, n))
        sums = np.sum([rankdata(row) for row in gains], axis=0)
        w = 12 * ((sums - sums.mean()) ** 2).sum() / (m**2 * (n**3 - n))
        named = [dict(zip(map(str, range(n)), row, strict=True)) for row in gains.tolist()]
        assert agreement(named) == pytest.approx((m * w - 1) / (m - 1))
        assert agreement(named[:2]) == pytest.approx(spearmanr(gains[0], gains[1]).statistic)


def test_agreement_is_of_what_all_have() -> None:
    one = {"flip": 0.3, "blur": 0.2, "mask": 0.1, "noise": 0.0}
    other = {"noise": 1.0, "mask": 2.0, "blur": 3.0, "flip": 4.0, "crop": 9.0}
    assert agreement([one, other]) == pytest.approx(1)
    assert agreement([one, {name: -gain for name, gain in one.items()}]) == pytest.approx(-1)
    few = {"flip": 0.3, "blur": 0.2, "mask": 0.1}
    assert [agreement(some) for some in ([], [one], [one, few], [one, dict.fromkeys(one, 0.1)])] == [None] * 4
