"""Runs side by side: which they are, in what order, and what cannot lie beside them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tiny import tiny

from ssad_core.data import load
from ssad_core.detectors import PRESETS, settings_for
from ssad_core.errors import BadInput
from ssad_core.lineup import MOST, line_up, parse_pin, pin_label
from ssad_core.question import Question
from ssad_core.spec import RunSpec

QUESTION = Question(dataset="digits", normal_class="1", augment="flip")


def nothing_stored(run_id: str) -> RunSpec:
    raise BadInput(f"no run {run_id!r} is stored")


def augs(*pins: str, question: Question = QUESTION) -> list[tuple[str, dict[str, float]]]:
    lineup = line_up(question, pins, load("digits"), nothing_stored)
    return [(spec.augment, dict(spec.params)) for spec in lineup.specs]


def test_the_baseline_comes_first_then_the_questions_own_then_the_pins_once_each() -> None:
    assert augs("cutout(c=0.4)", "flip", "cutout", "cutout") == [
        ("identity", {}),
        ("flip", {}),
        ("cutout", {"c": 0.4}),
        ("cutout", {}),
    ]
    assert augs("flip", question=replace(QUESTION, augment="identity")) == [("identity", {}), ("flip", {})]


def test_only_the_aug_differs() -> None:
    question = replace(QUESTION, settings=settings_for("quick", epochs=3), seed=4, profile="reference")
    specs = line_up(question, ["noise(sigma=0.2)"], load("digits"), nothing_stored).specs
    own = question.run(load("digits"))
    assert [replace(spec, augment="flip", params=()) for spec in specs] == [own] * 3


@pytest.mark.parametrize(("aug", "pin"), [("rotate", "geom"), ("geom", "cutout"), ("flip", "geom")])
@pytest.mark.parametrize("preset", PRESETS)
def test_at_a_preset_another_aug_is_trained_as_long_as_it_is_by_itself(aug: str, pin: str, preset: str) -> None:
    own = settings_for(preset, "ap", "digits", 1, aug)
    question = replace(QUESTION, detector="ap", augment=aug, settings=own)
    (_, other) = line_up(question, [pin], load("digits"), nothing_stored).specs
    assert other.augment == pin
    assert other.settings == settings_for(preset, "ap", "digits", 1, pin, test_limit=own.test_limit)
    edited = replace(question, settings=replace(own, epochs=7))
    assert [spec.settings.epochs for spec in line_up(edited, [pin], load("digits"), nothing_stored).specs] == [7, 7]


def test_stored_runs_lie_beside_it_if_they_were_scored_on_the_same_images() -> None:
    own, kept = tiny(), {}
    question = Question(dataset="digits", normal_class="1", augment="cutout", settings=own.settings)
    others = {
        "another seed": replace(own, seed=7),
        "another precision": replace(own, precision="bfloat16"),
        "another detector": replace(own, detector="deepsad", augment="flip"),
        "longer": replace(own, settings=replace(own.settings, epochs=9, limit=100)),
        "another class": replace(own, normal_class=2),
        "more test images": replace(own, settings=replace(own.settings, test_limit=30)),
        "another profile": replace(own, profile="reference"),
    }
    kept = {spec.id: spec for spec in others.values()}
    lineup = line_up(question, list(kept), load("digits"), kept.__getitem__)
    assert list(lineup.specs) == [own.baseline(), own, *list(others.values())[:4]]
    assert len(lineup.left_out) == 3
    for spec, line in zip(list(others.values())[4:], lineup.left_out, strict=True):
        assert spec.id in line
        assert "other images" in line


def test_what_is_unknown_or_too_much_is_left_out_with_a_line() -> None:
    gone = "0123456789abcdef"
    many = [f"cutout(c=0.{k})" for k in range(1, 7)]
    lineup = line_up(QUESTION, [gone, *many], load("digits"), nothing_stored)
    assert len(lineup.specs) == MOST
    assert len(lineup.left_out) == 3
    assert gone in lineup.left_out[0]
    assert all("one too many" in line for line in lineup.left_out[1:])
    predicting = replace(QUESTION, detector="ap", settings=settings_for("quick", "ap", "digits", 1, "flip"))
    lineup = line_up(predicting, ["identity", "cutout"], load("digits"), nothing_stored)
    assert [spec.augment for spec in lineup.specs] == ["flip", "cutout"]
    assert len(lineup.left_out) == 1


@pytest.mark.parametrize(
    ("text", "pin"),
    [(" cutout ( c = .4 ) ", "cutout(c=0.4)"), ("flip(p=0.5)", "flip"), ("0123456789abcdef", "0123456789abcdef")],
)
def test_a_pin_has_one_form(text: str, pin: str) -> None:
    assert parse_pin(text) == pin == parse_pin(pin)


@pytest.mark.parametrize("text", ["", "fog", "cutout(c=7)", "cutout(q=1)", "0123456789abcde"])
def test_a_bad_pin_is_one_message(text: str) -> None:
    with pytest.raises(BadInput):
        parse_pin(text)


def test_pins_are_named_as_the_app_writes_runs() -> None:
    assert pin_label("cutout(c=0.4)", nothing_stored) == "CutOut-0.4"
    spec = replace(tiny(), seed=3)
    assert pin_label(spec.id, {spec.id: spec}.__getitem__) == f"DAE-CutOut, seed 3 ({spec.id[:8]}…)"
