"""What a page shows later: computed off its thread, a page drawn anew when something is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from pages.components.part import polled
from pages.components.service import jobs

POLL = 0.5  # seconds between two looks


def compute_missing(
    missing: Mapping[str, Callable[[], Any]],
    kind: str = "map",
    meanwhile: Callable[[], None] = lambda: None,
    every: float = POLL,
) -> dict[str, str]:
    """Computes in the background, one after the other, what leaves its results in the store; the page is drawn anew as each
    comes. Until then ``meanwhile`` is drawn, again ``every`` so many seconds. Returns why those that failed did."""
    # A slider that goes on has asked for what nobody will look at: of this ``kind``, all that is not missing now.
    known = st.session_state.setdefault("computing", {})
    jobs().forget(name for name in known.get(kind, ()) if name not in missing)
    known[kind] = list(missing)
    failed = {}
    for name, function in missing.items():
        work = jobs().compute(name, function)
        if work.done() and not work.cancelled() and (error := work.exception()):
            failed[name] = str(error)
    if waiting := [name for name in missing if name not in failed]:
        # Only this part is looked at again and again.
        polled(_await, every)(waiting, meanwhile)
    return failed


def _await(names: list[str], meanwhile: Callable[[], None]) -> None:
    if any(jobs().computed(name) for name in names):
        st.rerun(scope="app")
    meanwhile()
