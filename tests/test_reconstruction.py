"""Which test images are shown first, and an anomaly made on the spot."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ssad_core import augment
from ssad_core.data import load
from ssad_core.errors import BadInput
from ssad_core.reconstruction import ORDERS, Made, make, order
from ssad_core.samples import Samples, to_float
from ssad_core.spec import Anomaly

# Of the first detector: normals 1 and 3 and anomaly 2 look wrong. The second sees normal 0 and anomaly 1 quite differently.
NORMAL = [np.array([0.1, 0.9, 0.2, 0.5]), np.array([0.9, 0.8, 0.3, 0.4])]
ANOMALOUS = [np.array([0.95, 0.7, 0.05, 0.6]), np.array([0.95, 0.1, 0.2, 0.6])]


def test_a_sample_is_as_it_comes() -> None:
    for side in order("sample", NORMAL, ANOMALOUS, paired=False):
        assert side.tolist() == [0, 1, 2, 3]


def test_mistakes_and_clear_cases_are_the_first_detectors() -> None:
    normal, anomalous = order("missed", NORMAL, ANOMALOUS, paired=False)
    assert normal.tolist() == [1, 3, 2, 0]  # the highest scores are false alarms
    assert anomalous.tolist()[0] == 2  # the lowest score is a miss
    clear_normal, clear_anomalous = order("found", NORMAL, ANOMALOUS, paired=False)
    assert clear_normal.tolist() == normal.tolist()[::-1]
    assert clear_anomalous.tolist()[-1] == 2
    assert clear_anomalous.tolist()[0] == 0


def test_anomalies_on_one_side_of_all_normals_are_in_order_too() -> None:
    normal, above, below = np.array([0.2, 0.3, 0.1]), np.array([0.5, 0.9, 0.7]), np.array([0.05, -0.4, 0.0])
    for anomalous, clearest in ((above, [1, 2, 0]), (below, [0, 2, 1])):
        for paired in (False, True):
            assert order("found", [normal], [anomalous], paired=paired)[1].tolist() == clearest
            assert order("missed", [normal], [anomalous], paired=paired)[1].tolist() == clearest[::-1]


def test_disagreement_is_in_the_unit_that_detectors_share() -> None:
    normal, anomalous = order("disagreement", NORMAL, ANOMALOUS, paired=False)
    assert normal[0] == 0
    assert anomalous[0] == 1
    # Other units of a score change nothing.
    scaled = [[group[0], 1e6 * group[1] ** 3] for group in (NORMAL, ANOMALOUS)]
    for side, same in zip(order("disagreement", *scaled, paired=False), (normal, anomalous), strict=True):
        assert side.tolist() == same.tolist()


@pytest.mark.parametrize("kind", ORDERS)
def test_pairs_stay_together(kind: str) -> None:
    normal, anomalous = order(kind, NORMAL, ANOMALOUS, paired=True)
    assert normal.tolist() == anomalous.tolist() == order(kind, NORMAL, ANOMALOUS, paired=False)[1].tolist()
    assert sorted(normal.tolist()) == [0, 1, 2, 3]


def test_an_unknown_order_is_one_message() -> None:
    with pytest.raises(BadInput, match="alphabetical"):
        order("alphabetical", NORMAL, ANOMALOUS, paired=False)


SAMPLES = Samples(load("photos"), 0)


def erased(made: Made) -> np.ndarray:
    """Rows and columns of the pixels that a CutOut has erased."""
    x, changed = make(made, SAMPLES, "paper")
    assert torch.equal(x, to_float(SAMPLES.test_normal()[made.image : made.image + 1])[0])
    return np.argwhere(((x - changed).abs().sum(0) > 0).numpy())


@pytest.mark.parametrize("c", [0.2, 0.5, 0.9])
@pytest.mark.parametrize(("down", "across"), [(0, 0), (1, 0), (0.5, 1), (1, 1)])
def test_a_patch_is_where_and_as_large_as_one_likes(c: float, down: float, across: float) -> None:
    places = erased(Made(0, Anomaly("gen", "cutout", (("c", c),)), down=down, across=across))
    side = round(32 * c)
    corner = [round(down * (32 - side)), round(across * (32 - side))]
    # The photograph has no black pixels here, so that all of the patch differs.
    assert places.min(0).tolist() == corner
    assert places.max(0).tolist() == [corner[0] + side - 1, corner[1] + side - 1]
    assert len(places) == side**2


def test_another_draw_is_another_patch_and_the_same_draw_the_same() -> None:
    gen = Anomaly("gen", "cutout")
    assert erased(Made(3, gen, draw=1)).tolist() == erased(Made(3, gen, draw=1)).tolist()
    assert erased(Made(3, gen, draw=1)).shape != erased(Made(3, gen, draw=2)).shape


@pytest.mark.parametrize("name", [name for name in augment.AUGMENTATIONS if name != "identity"])
def test_every_gen_makes_one_and_only_a_local_one_has_a_place(name: str) -> None:
    gen = Anomaly("gen", name)
    made = [make(Made(5, gen, draw=2, down=down), SAMPLES, "paper") for down in (0.0, 1.0)]
    assert made[0].shape == (2, 3, 32, 32)
    assert not torch.equal(*made[0])
    local = augment.AUGMENTATIONS[name].category == "local"
    assert torch.equal(*made) != local
