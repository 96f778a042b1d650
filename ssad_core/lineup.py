"""The runs that are laid side by side on one task: a question's own, its baseline, and what a person has pinned beside it.

A pin is the text of an aug, ``cutout(c=0.4)``: the question's run with that one instead; or a stored run's id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from . import augment
from .data import Dataset
from .detectors import with_baseline
from .errors import BadInput
from .question import Question, call_text, check_augment, parse_call, run_name
from .spec import RunSpec
from .store import is_run_id

MOST = 6  # runs side by side, the baseline included
PINS = ("cutout", "flip", "invert")  # what is laid beside a run that nobody has chosen anything for: the testbed's gens


@dataclass(frozen=True)
class Lineup:
    """At most `MOST` runs, the baseline first, the question's own next; ``left_out`` has a line for every pin that could not
    be laid beside them."""

    specs: tuple[RunSpec, ...]
    left_out: tuple[str, ...] = ()


def parse_pin(text: str) -> str:
    """A pin in its one form. BadInput when it is neither an augmentation nor a run's id."""
    text = text.strip()
    if is_run_id(text):
        return text
    name, params = parse_call(text)
    return call_text(name, check_augment(name, params))


def pin_label(pin: str, spec_of: Callable[[str], RunSpec]) -> str:
    """How the app writes a pin: "CutOut-0.4", "DAE-Flip, seed 3 (1a2b3c4d…)". BadInput when no such run is stored."""
    if is_run_id(pin):
        spec = spec_of(pin)
        return f"{run_name(spec)}, seed {spec.seed} ({pin[:8]}…)"
    name, params = parse_call(pin)
    return augment.label(name, params)


def line_up(
    question: Question, pins: Sequence[str], dataset: Dataset, spec_of: Callable[[str], RunSpec], most: int = MOST
) -> Lineup:
    """The runs of a question and its pins. ``spec_of`` finds a stored run's description by its id, or raises BadInput.

    BadInput when the question's own detector and aug do not go together.
    """
    own = question.run(dataset)
    specs, left_out = with_baseline(own), []
    for pin in pins:
        try:
            spec = spec_of(pin) if is_run_id(pin) else _other_aug(question, pin).run(dataset)
            if _images(spec) != _images(own):
                raise BadInput(f"{run_name(spec)} ({pin}) was scored on other images")
        except BadInput as error:
            left_out.append(str(error))
            continue
        if spec not in specs:
            specs.append(spec)
    left_out += [f"{run_name(spec)} is one too many: {most} runs lie side by side" for spec in specs[most:]]
    return Lineup(tuple(specs[:most]), tuple(left_out))


def _other_aug(question: Question, pin: str) -> Question:
    name, params = parse_call(pin)
    return replace(question, augment=name, params=check_augment(name, params, question.profile))


def _images(spec: RunSpec) -> tuple[object, ...]:
    """What the test images and gen depend on."""
    return spec.fingerprint, spec.normal_class, spec.profile, spec.settings.test_limit
