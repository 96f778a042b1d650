"""Obs. 2 (Fig. 4b): the same trainings with other hyperparameters of the detector, and whether augs keep their order over
them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations, product

import numpy as np

from .errors import BadInput, unknown
from .spec import RANGES, TITLES, Settings
from .statistics import rank_correlation

VARIED = ("epochs", "features", "hidden", "weight_decay")  # in Fig. 4b
DECAYS = (1e-5, 5e-5)  # as there


def variants(settings: Settings, names: Sequence[str] = VARIED) -> list[Settings]:
    """Each combination of the named settings, weight decay at `DECAYS`, the others at half their value and at their own: of
    all four 16, as in Fig. 4b, where they are around other values than App. A's. BadInput for a name that is not one of
    `VARIED`, and for what cannot be halved."""
    for name in names:
        if name not in VARIED:
            raise unknown("setting to vary", name, VARIED)
    values = {n: DECAYS if n == "weight_decay" else _half_and_own(settings, n) for n in dict.fromkeys(names)}
    return [replace(settings, **dict(zip(values, chosen, strict=True))) for chosen in product(*values.values())]


def _half_and_own(settings: Settings, name: str) -> tuple[int, int]:
    own, least = getattr(settings, name), RANGES[name][0]
    if own // 2 < least:
        raise BadInput(f"{TITLES[name].lower()} of {own} cannot be halved: {least} is the least that it may be")
    return own // 2, own


def agreement(gains: Sequence[Mapping[str, float]]) -> float | None:
    """How far augs keep their order: the mean of Spearman's rank correlation over all pairs of settings, each with what
    every aug gains, in [-1, 1]. Of the augs that all settings have; None where `rank_correlation` has none for a pair, or
    there is no pair.

    >>> agreement([{"flip": 0.2, "blur": 0.1, "mask": 0, "crop": -0.1}, {"flip": 0.4, "blur": 0.3, "mask": 0, "crop": -1}])
    1.0
    """
    shared = set.intersection(*map(set, gains)) if gains else set()
    ranked = [[some[aug] for aug in sorted(shared)] for some in gains]
    found = [rank_correlation(one, other) for one, other in combinations(ranked, 2)]
    return float(np.mean(found)) if found and None not in found else None
