"""What trainings cost, before they begin and meanwhile: from what was measured on this machine, as near to them as there
is; and whether they were enough for verdicts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import NamedTuple

from .data import dataset_info
from .detectors import detector_info
from .errors import BadInput
from .spec import RunSpec
from .store import StoredRun

ROUGH_SPEED, ROUGH_WORK = 2000, 16 * 32**2  # images/s at 16 features and 32 x 32 pixels on one or two cores
ROUGH_EVALUATION = 3.0  # seconds
SPREAD = 2.0  # how far a cost that was not measured may be off, as a factor
# Of the optimiser: with fewer a network has hardly left its random start, and reconstructions are grey. On digits, gen Flip,
# DAE-Flip was .10 below AE after 32 steps and .07 above it after 100.
FEW_STEPS = 100


class Cost(NamedTuple):
    """Seconds from ``low`` to ``high``, one value where runs of the same size were measured or some are trained now; where
    that is from."""

    low: float
    high: float
    basis: str


class Begun(NamedTuple):
    """How far a training is: the share in [0, 1] that is behind it, and its speed, where it is known."""

    trained: float = 0.0
    images_per_second: float | None = None


def cost(
    specs: Iterable[RunSpec],
    images: int,
    stored: list[StoredRun],
    at_once: int = 1,
    begun: Mapping[str, Begun] | None = None,
) -> Cost:
    """Of one or more runs on a class of so many training images, ``at_once`` of them side by side, given the runs that
    are stored here, newest first, and by id those that have begun.

    What was trained at another size is scaled: an image costs in proportion to its pixels and to the features, since
    these multiply the work by their square, and larger products run nearer to the machine's limit. What is trained now
    shows how much faster or slower the machine is at present: all the others are taken to be so, too.
    """
    begun, seconds, known, paces = begun or {}, 0.0, set(), []
    for spec in specs:
        kin = (run for run in stored if run.spec.detector == spec.detector)
        near = min(kin, key=lambda run: _distance(run.spec, spec), default=None)
        if near is None:
            speed, evaluation = ROUGH_SPEED * ROUGH_WORK / _work(spec), ROUGH_EVALUATION
        else:
            speed = near.result["images_per_second"] * _work(near.spec) / _work(spec)
            evaluation = near.result["seconds"] - near.result["train_seconds"]
        known.add(0 if near is None else 1 if any(_distance(near.spec, spec)) else 2)
        trained, now = begun.get(spec.id, Begun())
        if now:
            paces.append(now / speed)
        seconds += ((1 - trained) * images_of(spec, images) * spec.settings.epochs / speed + evaluation) / at_once
    if paces:
        seconds /= fmean(paces)
        return Cost(seconds, seconds, "at the speed of what is trained now")
    if min(known) == 2:
        return Cost(seconds, seconds, "by runs of this size measured here")
    scaled, nothing = "a guess from runs of another size", "a rough guess: nothing like it was trained here yet"
    return Cost(seconds / SPREAD, seconds * SPREAD, scaled if min(known) else nothing)


def images_of(spec: RunSpec, available: int) -> int:
    """How many images an epoch of a run has, each copy counted, of the class's available ones."""
    return min(spec.settings.limit or available, available) * detector_info(spec.detector).copies(spec.augment)


def steps_of(spec: RunSpec, available: int) -> int:
    """How many steps of the optimiser a run takes, of the class's available images; to be told of below `FEW_STEPS`."""
    images, batch = images_of(spec, available), spec.settings.batch_size
    joined = images > batch and images % batch == 1  # a last batch of one image, as in `train.batches`
    return spec.settings.epochs * (-(-images // batch) - joined)


def steps_taken(run: StoredRun) -> int:
    """How many steps of the optimiser its training took."""
    return steps_of(run.spec, run.result["training_images"])


def can_be_judged(run: StoredRun, other: StoredRun | None = None) -> bool:
    """Whether verdicts can be given of a run, or of two, as one and its baseline: none of their trainings ended with a
    warning, such as of a collapse, or took fewer than `FEW_STEPS`.

    The one rule of all pages and commands. Where the answer is no, numbers are shown, since they are measured, but nothing
    is called better or worse, helpful or harmful, or the best, nor counted as such; `lineup.warnings_of` says why. What is
    said of many runs together, such as an aug's verdict over all classes, wants each of them to be judged.
    """
    return all(not each.warning and steps_taken(each) >= FEW_STEPS for each in (run, other) if each)


def _work(spec: RunSpec) -> int:
    return spec.settings.features * _side(spec.dataset) ** 2


def _side(dataset: str) -> int:
    try:
        return dataset_info(dataset).size
    except BadInput:  # own images that are not here any more
        return 32


def _distance(one: RunSpec, other: RunSpec) -> tuple[float, ...]:
    """How unlike the seconds are that an image takes, what weighs most first; zeros where they are the same."""
    copies = [detector_info(spec.detector).copies(spec.augment) for spec in (one, other)]
    return (
        abs(math.log(_work(one) / _work(other))),
        float(one.precision != other.precision),
        abs(math.log(one.settings.batch_size / other.settings.batch_size)),
        abs(math.log(copies[0] / copies[1])),
    )
