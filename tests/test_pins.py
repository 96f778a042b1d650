"""Stored runs beside each other: what pinning makes of the question, what differs, how they are told apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ssad_core.data import load
from ssad_core.errors import BadInput
from ssad_core.lineup import PINS, differences, labels, line_up, pin, pinned_labels
from ssad_core.question import Question, changed, question_of
from ssad_core.spec import Anomaly, RunSpec

DIGITS = Question(dataset="digits", normal_class="3")


def spec(question: Question = DIGITS, **changes: object) -> RunSpec:
    return replace(question, **changes).run(load(question.dataset))


def test_a_question_is_read_back_from_its_run() -> None:
    question = replace(DIGITS, anomaly=Anomaly("class", "5"), augment="cutout", params=(("c", 0.4),), seed=7)
    assert question_of(spec(question), question.anomaly) == question
    # An anomaly that the run's images do not have gives way.
    assert question_of(spec(normal_class="5"), Anomaly("class", "5")).anomaly == Question().anomaly


@pytest.mark.parametrize(
    "beside",
    [{"augment": "flip"}, {"augment": "cutout", "params": (("c", 0.4),)}, {"seed": 3}, {"detector": "deepsad"}],
)
def test_what_is_pinned_is_lined_up(beside: dict[str, object]) -> None:
    own, other = spec(), spec(**beside)
    pinned = pin(DIGITS, own, PINS, [other, own, own.baseline()])
    assert pinned.question == DIGITS
    assert not pinned.left_out
    lineup = line_up(pinned.question, pinned.pins, load("digits"), {other.id: other}.__getitem__)
    assert lineup.specs == (own.baseline(), own, other)
    # An aug alone is pinned by its name, so that it goes with the question's other changes.
    (text,) = pinned.pins
    assert (text == other.id) == ("augment" not in beside)


def test_pins_add_up_and_the_default_ones_give_way() -> None:
    own = spec()
    first = pin(DIGITS, own, PINS, [spec(augment="blur")])
    second = pin(first.question, own, first.pins, [spec(augment="noise"), spec(augment="blur")])
    assert first.pins == ("blur",)
    assert second.pins == ("blur", "noise")


def test_runs_on_other_images_become_the_question_or_stay_out() -> None:
    seven = [spec(normal_class="7", augment=aug) for aug in ("flip", "invert")]
    pinned = pin(DIGITS, spec(), ("blur",), seven)
    assert pinned.question == replace(DIGITS, normal_class="7", augment="flip")
    assert pinned.pins == ("invert",)
    assert pinned.left_out == ()
    mixed = pin(DIGITS, spec(), ("blur",), [*seven, spec(augment="noise")])
    assert (mixed.question, mixed.pins) == (DIGITS, ("blur", "noise"))
    for run, line in zip(seven, mixed.left_out, strict=True):
        assert run.id in line
        assert "other images" in line
    # So it is where the question's own images cannot be read.
    assert pin(DIGITS, None, ("blur",), seven).question == pinned.question


def test_what_differs_is_named_with_the_values_of_each() -> None:
    settings = replace(DIGITS.settings, epochs=3, hidden=17)
    runs = [spec(), spec(augment="flip"), spec(settings=settings, seed=2)]
    default = DIGITS.settings
    assert differences(runs) == {
        "aug": ["CutOut", "Flip", "CutOut"],
        "epochs": [str(default.epochs), str(default.epochs), "3"],
        "code size": [str(default.hidden), str(default.hidden), "17"],
        "seed": ["0", "0", "2"],
    }
    assert differences(runs[:1]) == {}


def test_labels_tell_runs_of_the_same_name_apart() -> None:
    runs = [spec(), spec(seed=2), spec(augment="flip", seed=2), spec(normal_class="7")]
    assert labels(runs[:3]) == ["DAE-CutOut, seed 0", "DAE-CutOut, seed 2", "DAE-Flip"]
    assert len(set(labels(runs))) == 4  # by their ids, where no one thing tells all of them apart


def test_what_is_pinned_is_named_by_what_differs_from_the_rest_and_from_the_question() -> None:
    def epochs(count: int) -> dict[str, object]:
        return {"settings": replace(DIGITS.settings, epochs=count)}

    named = {
        "AE, epochs 16": spec(augment="identity", **epochs(16)),
        "AE, epochs 12": spec(augment="identity", **epochs(12)),
        "DAE-Flip, seed 3": spec(augment="flip", seed=3),
        "DeepSAD-CutOut": spec(detector="deepsad"),
    }
    found = pinned_labels(spec(), list(named.values()))
    assert {label: found[run.id] for label, run in named.items()} == {label: label for label in named}


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("seed", "4", {"seed": 4}),
        ("aug", "cutout(c=0.4)", {"augment": "cutout", "params": (("c", 0.4),)}),
        ("class", "5", {"normal_class": "5", "anomaly": Question().anomaly}),
    ],
)
def test_one_thing_of_a_question_is_changed(field: str, text: str, expected: dict[str, object]) -> None:
    question = replace(DIGITS, anomaly=Anomaly("class", "5"))
    assert changed(question, field, text) == replace(question, **expected)


@pytest.mark.parametrize(("field", "text"), [("seed", "x"), ("aug", "fog"), ("hidden", "1"), ("detector", "oracle")])
def test_a_change_to_nonsense_is_refused(field: str, text: str) -> None:
    with pytest.raises(BadInput, match=f"^{field}: "):
        changed(DIGITS, field, text)
