"""The runs that are laid side by side on one task: a question's own, its baseline, and what a person has pinned beside it.

A pin is the text of an aug, ``cutout(c=0.4)``: the question's run with that one instead; or a stored run's id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

from . import augment
from .cost import FEW_STEPS, steps_taken
from .data import Dataset, class_title
from .detectors import detector_info, with_baseline
from .errors import BadInput
from .question import Question, call_text, check_augment, parse_call, question_of, run_name
from .spec import TITLES, RunSpec, exact
from .store import StoredRun, is_run_id

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


def pinned_labels(own: RunSpec, pinned: Sequence[RunSpec]) -> dict[str, str]:
    """A name for each run that is pinned beside ``own``, by its id: by what tells it from the others, and from ``own`` with
    its aug: "AE, epochs 16", "DAE-Flip, seed 3"."""
    alike = [replace(own, augment=s.augment, params=s.params) for s in pinned if s.detector == own.detector]
    every = list(dict.fromkeys([*pinned, *alike]))
    return {spec.id: label for spec, label in zip(every, labels(every), strict=True)}


def line_up(question: Question, pins: Sequence[str], dataset: Dataset, spec_of: Callable[[str], RunSpec]) -> Lineup:
    """The runs of a question and its pins. ``spec_of`` finds a stored run's description by its id, or raises BadInput.

    BadInput when the question's own detector and aug do not go together.
    """
    own = question.run(dataset)
    specs, left_out = with_baseline(own), []
    for pin in pins:
        try:
            spec = spec_of(pin) if is_run_id(pin) else _other_aug(question, pin).run(dataset)
            if scored_on(spec) != scored_on(own):
                raise BadInput(f"{run_name(spec)} ({pin}) was scored on other images")
        except BadInput as error:
            left_out.append(str(error))
            continue
        if spec not in specs:
            specs.append(spec)
    many = f"is one too many: {MOST} runs lie side by side; it waits until another is taken away"
    left_out += [f"{run_name(spec)} {many}" for spec in specs[MOST:]]
    return Lineup(tuple(specs[:MOST]), tuple(left_out))


@dataclass(frozen=True)
class Pinned:
    """What a question and its pins have become; ``left_out`` has a line for every run that cannot lie beside the others."""

    question: Question
    pins: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def pin(question: Question, own: RunSpec | None, pins: Sequence[str], picked: Sequence[RunSpec]) -> Pinned:
    """Lays stored runs beside the question's ``own`` (None where that is not known), after those that are pinned already.

    If none of them was scored on the same images, the first one's question is asked, with nothing else beside it. BadInput
    where its images are not here any more.
    """
    if own is None or all(scored_on(spec) != scored_on(own) for spec in picked):
        own, question, pins = picked[0], question_of(picked[0], question.anomaly), ()
    elif tuple(pins) == PINS:  # nobody has chosen those
        pins = ()
    beside = [spec for spec in picked if scored_on(spec) == scored_on(own)]
    new = [_pin_of(spec, own) for spec in beside if spec not in with_baseline(own)]
    left_out = [f"{run_name(spec)} ({spec.id}) was scored on other images" for spec in picked if spec not in beside]
    return Pinned(question, tuple(dict.fromkeys([*pins, *new])), tuple(left_out))


def _pin_of(spec: RunSpec, own: RunSpec) -> str:
    """The aug alone, where nothing else is different."""
    alike = replace(spec, augment=own.augment, params=own.params) == own
    return call_text(spec.augment, spec.params) if alike else spec.id


def differences(specs: Sequence[RunSpec]) -> dict[str, list[str]]:
    """The fields, in words, in which some of the runs differ, each with its value of every run."""
    rows = [_described(spec) for spec in specs]
    return {name: [row[name] for row in rows] for name in rows[0] if len({row[name] for row in rows}) > 1}


def labels(specs: Sequence[RunSpec]) -> list[str]:
    """A name for each run, with one thing that tells it from the others of the same name: "DAE-CutOut, seed 3"."""
    found = []
    for spec in specs:
        twins = [other for other in specs if run_name(other) == run_name(spec)]
        telling = [name for name, values in differences(twins).items() if len(set(values)) == len(twins)]
        if telling:
            found.append(f"{run_name(spec)}, {telling[0]} {_described(spec)[telling[0]]}")
        else:
            found.append(run_name(spec) if len(twins) == 1 else f"{run_name(spec)}, {spec.id[:8]}…")
    return found


def warnings_of(runs: Sequence[StoredRun]) -> list[str]:
    """What is wrong with trainings that ended all the same, such as a collapse, or that they were too short: a line for each
    kind, with its runs, those that `cost.can_be_judged` says no of."""
    found: dict[str, list[StoredRun]] = {}
    for run in runs:
        if run.warning:
            found.setdefault(run.warning, []).append(run)
    steps = {run.id: steps_taken(run) for run in runs}
    if short := [run for run in runs if steps[run.id] < FEW_STEPS]:
        low, high = (end(steps[run.id] for run in short) for end in (min, max))
        few = f"{low} to {high} steps" if low < high else f"{low} step{'s' if low > 1 else ''}"
        text = f"only {few} of the optimiser, hardly a training: with more epochs the result may be the opposite."
        found[text] = short
    return [f"{_named(some, runs)}: {text}" for text, some in found.items()]


def _named(some: Sequence[StoredRun], runs: Sequence[StoredRun]) -> str:
    """Which of the ``runs`` these are; of many how many."""
    if len(some) > MOST:
        return f"{len(some)} of {len(runs)} runs"
    names = dict(zip((run.id for run in runs), labels([run.spec for run in runs]), strict=True))
    return ", ".join(names[run.id] for run in some)


def _described(spec: RunSpec) -> dict[str, str]:
    title, normal = class_title(spec.dataset, spec.normal_class)
    return {
        "detector": detector_info(spec.detector).title,
        "aug": augment.label(spec.augment, dict(spec.params)),
        "data set": title,
        "content": spec.fingerprint,
        "normal class": normal,
        **{TITLES[name].lower(): exact(value) for name, value in asdict(spec.settings).items()},
        "seed": str(spec.seed),
        "profile": spec.profile,
        "precision": spec.precision,
        "method": str(spec.method),
    }


def _other_aug(question: Question, pin: str) -> Question:
    name, params = parse_call(pin)
    return question.with_aug(name, check_augment(name, params, question.profile))


def scored_on(spec: RunSpec) -> tuple[object, ...]:
    """What a run's test images and gens depend on: runs in which it differs cannot lie side by side."""
    return spec.fingerprint, spec.normal_class, spec.profile, spec.settings.test_limit
