"""Many trainings at once on a page: what is missing and its cost, how far they are, cancel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import streamlit as st

from pages.components.markdown import plain
from pages.components.part import in_place, polled
from pages.components.service import jobs
from pages.components.training import INTERACTIVE, cancel, estimate, say_how_they_ended
from ssad_core.cost import Begun
from ssad_core.data import Dataset
from ssad_core.jobs import Status
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
    """How far they are while some go on, and the button for what nobody has asked for, with its cost. ``which`` is a word for
    that."""
    stati = {spec.id: jobs().status(spec.id) for spec in specs if spec.id not in stored}
    if any(status.state == "done" for status in stati.values()):
        st.rerun(scope="app")  # it has ended since this page looked
    going_on = _going_on(specs, stati)
    missing = [spec for spec in specs if spec.id in stati and not stati[spec.id].going_on]
    if going_on:
        polled(_watch, POLL)(specs, stored, going_on, dataset, which)
    if missing:
        _offer(missing, stati, dataset, which)


def _going_on(specs: list[RunSpec], stati: Mapping[str, Status]) -> list[RunSpec]:
    return [spec for spec in specs if spec.id in stati and stati[spec.id].going_on]


def _offer(missing: list[RunSpec], stati: Mapping[str, Status], dataset: Dataset, which: str) -> None:
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
    line = f" after {waiting} that {'waits' if waiting == 1 else 'wait'}" if (waiting := jobs().waiting()) else ""
    row.caption(f"{names} {cost}, {why}. In the background, as one sweep{line}; a single run of the Lab goes first.")


def _submit(specs: list[RunSpec]) -> None:
    for spec in specs:
        jobs().submit(spec)


def _watch(specs: list[RunSpec], stored: Stored, going_on: list[RunSpec], dataset: Dataset, which: str) -> None:
    """One look at what goes on; Streamlit calls it once a second until the page is drawn anew."""
    there = {spec.id for spec in specs if jobs().store.has(spec.id)}
    stati = {spec.id: jobs().status(spec.id) for spec in specs if spec.id not in there}
    # Anybody may have asked for more, cancelled some or deleted what was there.
    if there != stored.keys() or going_on != _going_on(specs, stati):
        st.rerun(scope="app")
    begun = {
        run_id: Begun(status.trained, status.progress.get("images_per_second")) for run_id, status in stati.items()
    }
    cost, _ = estimate(going_on, dataset, begun)
    total = len(there) + len(stati)
    counts = f"{len(there)} of {total} runs are there"
    if len(going_on) < len(stati):
        counts += f", {len(going_on)} {'is' if len(going_on) == 1 else 'are'} on the way"
    if at_work := [run_name(spec) for spec in going_on if stati[spec.id].state != "queued"]:
        text = f"{counts}; about {cost} to go. Now: {', '.join(at_work)}."
    else:
        position = min(stati[spec.id].position for spec in going_on)
        place = "next in line" if position == 1 else f"number {position} in line"
        text = f"{counts}. Waiting, {place}; about {cost} to go from then on."
    row = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    row.progress((len(there) + sum(each.trained for each in begun.values())) / total, text)
    # What somebody waits for in the Lab is not the sweep's to end.
    swept = [spec for spec in going_on if stati[spec.id].priority < INTERACTIVE] or going_on
    spared = "Trainings that were asked for in the Lab go on." if len(swept) < len(going_on) else None
    row.button("Cancel", icon=":material/stop:", key=f"cancel-{which}", help=spared, on_click=cancel, args=(swept,))
