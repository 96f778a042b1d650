"""What trainings are said to cost: measured where there is a measurement, a guess around the work's share where not."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ssad_core.cost import ROUGH_EVALUATION, ROUGH_SPEED, SPREAD, Begun, can_be_judged, cost, images_of, steps_of
from ssad_core.detectors import settings_for
from ssad_core.lineup import warnings_of
from ssad_core.spec import RunSpec
from ssad_core.store import StoredRun
from ssad_core.train import batches

AVAILABLE = 3000  # training images of the class


def spec(preset: str = "quick", detector: str = "dae", aug: str = "cutout", **changes: float) -> RunSpec:
    settings = settings_for(preset, detector, aug=aug, **changes)
    return RunSpec("photos", "f" * 16, 0, detector, aug, params=(), settings=settings)


def measured(of: RunSpec, images_per_second: float, evaluation: float = 1.0) -> StoredRun:
    times = {"images_per_second": images_per_second, "train_seconds": 10.0, "seconds": 10.0 + evaluation}
    return StoredRun(Path("nowhere"), of, times)


def test_a_run_of_the_same_size_is_the_measure_whatever_its_aug_and_length() -> None:
    kept = [measured(spec(aug="flip", epochs=3, limit=200), 500), measured(spec(preset="standard"), 7)]
    seconds = 8 * 1000 / 500 + 1
    assert cost([spec()], AVAILABLE, kept) == (seconds, seconds, "by runs of this size measured here")
    assert cost([spec(), spec(aug="identity")], AVAILABLE, kept).low == 2 * seconds
    assert cost([spec(), spec(aug="identity")], AVAILABLE, kept, at_once=2).low == seconds


def test_what_is_trained_already_costs_nothing_more() -> None:
    kept, specs = [measured(spec(), 500)], [spec(), spec(aug="flip")]
    half = cost(specs, AVAILABLE, kept, begun={specs[0].id: Begun(0.5)})
    assert half.low == (0.5 + 1) * 8 * 1000 / 500 + 2
    over = cost(specs, AVAILABLE, kept, begun={each.id: Begun(1) for each in specs})
    assert over.low == 2  # each is still evaluated


@pytest.mark.parametrize("kept", [[], [measured(spec(), 500)], [measured(spec("standard"), 500)]])
def test_what_is_trained_now_sets_the_pace_of_all(kept: list[StoredRun]) -> None:
    """On a machine that is four times as slow as when the stored runs were measured, or as a rough guess has it."""
    specs = [spec(), spec(aug="flip"), spec("standard")]
    usual = math.sqrt(math.prod(cost(specs, AVAILABLE, kept)[:2]))
    speed = {0: ROUGH_SPEED, 1: 500}[len(kept)] * (2 if kept and kept[0].spec != specs[0] else 1)
    slow = cost(specs, AVAILABLE, kept, begun={specs[0].id: Begun(0, speed / 4)})
    assert slow[:2] == pytest.approx((4 * usual, 4 * usual))
    assert slow.basis == "at the speed of what is trained now"
    unknown = cost(specs, AVAILABLE, kept, begun={specs[0].id: Begun(0, None), specs[1].id: Begun(0, 0.0)})
    assert unknown == cost(specs, AVAILABLE, kept)


def test_of_two_runs_the_newer_counts() -> None:
    assert cost([spec()], AVAILABLE, [measured(spec(), 250), measured(spec(aug="flip"), 500)]).low == 8 * 1000 / 250 + 1


def test_another_size_is_scaled_from_the_nearest() -> None:
    standard = spec("standard")  # twice the features of quick: an image takes twice as long
    kept = [measured(spec("paper"), 10), measured(spec(), 2000, 0.5), measured(spec(detector="deepsad"), 9)]
    low, high, basis = cost([standard], AVAILABLE, kept[1:])
    assert basis == "a guess from runs of another size"
    assert (low, high) == pytest.approx([(32 * 2500 / 1000 + 0.5) * factor for factor in (1 / SPREAD, SPREAD)])
    other_batch = spec("standard", batch_size=64)
    assert cost([standard], AVAILABLE, [*kept, measured(other_batch, 300)]).low * SPREAD == 32 * 2500 / 300 + 1


@pytest.mark.parametrize("what", ["precision", "batch_size"])
def test_what_changes_the_speed_is_another_size(what: str) -> None:
    other = replace(spec(), precision="bfloat16") if what == "precision" else spec(batch_size=64)
    assert cost([spec()], AVAILABLE, [measured(other, 500)]).basis == "a guess from runs of another size"


def test_one_guess_makes_the_whole_a_guess() -> None:
    both = cost([spec(), spec("standard")], AVAILABLE, [measured(spec(), 500)])
    assert both.basis == "a guess from runs of another size"
    assert both.high == SPREAD**2 * both.low


def test_where_nothing_was_trained_it_is_a_rough_guess() -> None:
    low, high, basis = cost([spec(detector="ap")], AVAILABLE, [measured(spec(), 500)])
    k = 2  # AP sees an image under CutOut and as it is
    seconds = settings_for("quick", "ap").epochs * 300 * k / ROUGH_SPEED + ROUGH_EVALUATION
    assert math.isclose(math.sqrt(low * high), seconds)
    assert basis == "a rough guess: nothing like it was trained here yet"


def test_an_epoch_has_the_images_there_are_and_every_copy() -> None:
    assert images_of(spec(), 3000) == 1000
    assert images_of(spec(), 700) == 700
    assert images_of(spec(limit=0), 3000) == 3000
    assert images_of(spec(detector="ap", aug="geom", limit=100), 3000) == 7200


@pytest.mark.parametrize("images", [1, 2, 31, 32, 33, 64, 65, 66])
def test_steps_are_those_that_a_training_takes(images: int) -> None:
    asked = spec(batch_size=32, epochs=3, limit=1000)
    assert steps_of(asked, images) == 3 * len(list(batches(torch.arange(images), 32)))


def test_what_collapsed_or_took_too_few_steps_cannot_be_judged() -> None:
    def ended(epochs: int, warning: str | None = None) -> StoredRun:
        settings = spec(batch_size=32, epochs=epochs, limit=64)
        return StoredRun(Path("nowhere"), settings, {"training_images": 3000, "warning": warning})

    enough, short, collapsed = ended(50), ended(49), ended(50, "The training collapsed.")  # 100 steps, and 98
    assert can_be_judged(enough)
    assert can_be_judged(enough, enough)
    for other in (short, collapsed):
        assert not can_be_judged(other)
        assert not can_be_judged(enough, other)
        assert not can_be_judged(other, enough)
        assert warnings_of([enough, other])  # which say why
    assert not warnings_of([enough])
