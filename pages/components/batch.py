"""Many trainings at once on a page: what is missing and its cost, how far they are, cancel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import streamlit as st

from pages.components.markdown import plain
from pages.components.part import in_place, polled
from pages.components.service import jobs
from pages.components.training import cancel, estimate, say_how_they_ended
from ssad_core.cost import Begun
from ssad_core.data import Dataset
from ssad_core.lineup import labels
from ssad_core.question import run_name
from ssad_core.spec import RunSpec
from ssad_core.store import StoredRun

POLL = 1.0  # seconds between two looks at what goes on
MOST_NAMED = 4  # runs that a line has room for

Stored = Mapping[str, StoredRun]


def stored_of(specs: Iterable[RunSpec]) -> dict[str, StoredRun]:
    """Those of the runs that are stored, by id."""
    store = jobs().store
    return {spec.id: store.load(spec.id) for spec in specs if store.has(spec.id)}


@in_place
def progress(specs: list[RunSpec], stored: Stored, dataset: Dataset, which: str = "missing") -> None:
    """The button for what is missing, with its cost; or how far it is. ``which`` is a word for these runs."""
    missing = [spec for spec in specs if spec.id not in stored]
    if not missing:
        return
    stati = {spec.id: jobs().status(spec.id) for spec in missing}
    if any(status.going_on for status in stati.values()):
        polled(_watch, POLL)(missing, len(stored), dataset, which)
        return
    if any(status.state == "done" for status in stati.values()):
        st.rerun(scope="app")  # it has ended since this page looked
    say_how_they_ended(missing, stati)
    cost, why = estimate(missing, dataset)
    row = st.container(horizontal=True, vertical_alignment="center")
    row.button(
        f"Train {len(missing)} {which} {'run' if len(missing) == 1 else 'runs'}",
        type="primary",
        icon=":material/play_arrow:",
        key=f"train-{which}",
        on_click=_submit,
        args=(missing,),
    )
    names = f"{', '.join(map(plain, labels(missing)))}: about" if len(missing) <= MOST_NAMED else "About"
    row.caption(f"{names} {cost}, {why}. In the background, as one sweep; a single run of the Lab goes first.")


def _submit(specs: list[RunSpec]) -> None:
    for spec in specs:
        jobs().submit(spec)


def _watch(missing: list[RunSpec], done: int, dataset: Dataset, which: str) -> None:
    stati = {spec.id: jobs().status(spec.id) for spec in missing}
    new = sum(status.state == "done" for status in stati.values())
    if new or not any(status.going_on for status in stati.values()):
        st.rerun(scope="app")
    at_work = [run_name(spec) for spec in missing if stati[spec.id].state in ("starting", "training", "evaluating")]
    begun = {
        run_id: Begun(status.trained, status.progress.get("images_per_second")) for run_id, status in stati.items()
    }
    cost, _ = estimate([spec for spec in missing if stati[spec.id].going_on], dataset, begun)
    total = done + len(missing)
    row = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    row.progress(
        (done + sum(each.trained for each in begun.values())) / total,
        f"{done} of {total} runs are there; about {cost} to go. Now: {', '.join(at_work) or 'starting'}.",
    )
    row.button("Cancel", icon=":material/stop:", key=f"cancel-{which}", on_click=cancel, args=(missing,))
