"""Which of the stored runs are listed: words that they are searched by, and a data set, a detector or an aug."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from ssad_core import augment
from ssad_core.data import class_title
from ssad_core.detectors import detector_info
from ssad_core.question import run_name
from ssad_core.spec import RunSpec
from ssad_core.store import StoredRun

MOST_TEXT = 100  # characters


@dataclass(frozen=True)
class Find:
    """What a listed run must have; "" asks for nothing. Each word of ``text`` is in its description, or begins its id."""

    text: str = ""
    dataset: str = ""
    detector: str = ""
    augment: str = ""

    def matches(self, spec: RunSpec) -> bool:
        for field in ("dataset", "detector", "augment"):
            if getattr(self, field) not in ("", getattr(spec, field)):
                return False
        said = _description(spec)
        return all(word in said or spec.id.startswith(word) for word in self.text.casefold().split())


def _description(spec: RunSpec) -> str:
    words = (
        run_name(spec),
        *class_title(spec.dataset, spec.normal_class),
        f"seed-{spec.seed}",
        spec.profile,
        spec.precision,
    )
    return " ".join(words).casefold()


def ask_find(find: Find, runs: Sequence[StoredRun]) -> Find:
    """Asks for it in one row; only what some run has can be chosen, and what was asked for before."""
    text, dataset, detector, aug = st.columns([2, 1, 1, 1])
    found = text.text_input(
        "Find",
        find.text,
        max_chars=MOST_TEXT,
        placeholder="flip temple seed-0",
        help="Words in any order: of the detector's name, data set, normal class, profile and precision; seed-3; the "
        "beginning of a run's id.",
        key="find-text",
    )

    def ask(place: st.delta_generator.DeltaGenerator, label: str, field: str, titled: Callable[[str], str]) -> str:
        known = sorted({getattr(run.spec, field) for run in runs} | {getattr(find, field)} - {""})
        return place.selectbox(
            label,
            ["", *known],
            index=["", *known].index(getattr(find, field)),
            format_func=lambda value: titled(value) if value else "Any",
            help="Lists only runs with it.",
            key=f"find-{field}",
        )

    return Find(
        found,
        ask(dataset, "Data set", "dataset", lambda name: class_title(name, 0)[0]),
        ask(detector, "Detector", "detector", lambda name: detector_info(name).title),
        ask(aug, "Aug", "augment", lambda name: augment.label(name, {})),
    )
