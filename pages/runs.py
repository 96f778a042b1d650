"""Runs: what is stored, what is going on, what it takes on disk; picked, pinned beside each other, cloned, deleted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from pages.components.address import State, session, show_rejected, write_address
from pages.components.clone import clone
from pages.components.find import ask_find
from pages.components.lineup import PAGES
from pages.components.markdown import plain
from pages.components.part import part, polled
from pages.components.pins import lay_beside, show_pinned
from pages.components.router import show
from pages.components.service import jobs, prepare_in_background
from pages.components.side_by_side import side_by_side
from pages.components.training import cancel
from ssad_core import encoders
from ssad_core.data import class_title
from ssad_core.errors import BadInput
from ssad_core.lineup import MOST, labels
from ssad_core.numbers import counted
from ssad_core.question import question_of, run_name
from ssad_core.spec import RunSpec
from ssad_core.store import Busy, Store, StoredRun

POLL = 2.0  # seconds between two looks at what goes on and is stored
ROWS = 10  # of what goes on


def row(run: StoredRun, pinned: bool) -> dict[str, object]:
    """A line of the table."""
    spec, result = run.spec, run.result
    auc = result["auc"]
    title, normal = class_title(spec.dataset, spec.normal_class)
    return {
        "Pinned": "●" if pinned else "",
        "Detector": run_name(spec),
        "Warning": run.warning or "",
        "Data set": title,
        "Normal": normal,
        "Seed": spec.seed,
        "Epochs": spec.settings.epochs,
        "Features": spec.settings.features,
        "AUC CutOut": auc.get("gen:cutout"),
        "AUC Flip": auc.get("gen:flip"),
        "AUC Invert": auc.get("gen:invert"),
        "AUC rest": auc.get("rest"),
        "Seconds": result["seconds"],
        "Trained": time.strftime("%Y-%m-%d %H:%M", time.localtime(result["finished"])),
        "MB": run.size / 1e6,
        "Run": run.id,
    }


def going_on(stored: int, count: int) -> None:
    """What is queued or trained now, each to be cancelled, what is at work first. The page is drawn anew when other than so
    many runs are stored or go on, but not under a question that waits for its answer."""
    now = sorted(jobs().going_on(), key=lambda each: each[1].position or 0)
    if (len(jobs().store.list()), len(now)) != (stored, count) and "doomed" not in st.session_state.visit:
        st.rerun(scope="app")
    if not now:
        return
    st.subheader("Going on")
    for spec, status in now[:ROWS]:
        place = f", place {status.position} in the queue" if status.position else ""
        if status.state == "training":
            place = f", {status.trained:.0%}"
        title, normal = class_title(spec.dataset, spec.normal_class)
        left, right = st.columns([4, 1], vertical_alignment="center")
        left.markdown(
            f"**{run_name(spec)}** on {plain(title)}, normal {plain(normal)}, seed {spec.seed}, "
            f"{spec.settings.epochs} epochs: {status.state}{place}. {plain(status.message)}"
        )
        right.button(
            "Cancel",
            key=f"cancel-{spec.id}",
            icon=":material/stop:",
            help="Ends its process.",
            on_click=cancel,
            args=([spec],),
        )
    if more := now[ROWS:]:
        left, right = st.columns([4, 1], vertical_alignment="center")
        left.markdown(f"and {len(more)} more{', waiting' if more[0][1].position else ''}.")
        if waiting := [spec for spec, status in now if status.position]:
            with right.popover("Cancel queue", icon=":material/stop:"):
                st.markdown("All that wait, whoever asked for them. What is at work goes on.")
                st.button(
                    f"Cancel {counted(len(waiting), 'run')} that wait",
                    key="cancel-waiting",
                    on_click=cancel,
                    args=(waiting,),
                )


def keep_picked(runs: list[StoredRun], pinned: list[str]) -> None:
    """What is picked stays picked in another list of runs, where it is still listed; once it is pinned it is let go. The
    table knows its picks by their numbers, so they are given anew; it stays the same table, with its order and its place."""
    ids, pinned = [run.id for run in runs], sorted(pinned)
    before, pinned_before = st.session_state.get("runs-listed", (ids, pinned))
    st.session_state["runs-listed"] = ids, pinned
    if (before, pinned_before) != (ids, pinned):
        rows = st.session_state.get("runs-table", {"selection": {"rows": []}})["selection"]["rows"]
        picked = {before[i] for i in rows if i < len(before)} if pinned == pinned_before else set()
        kept = [i for i, run in enumerate(ids) if run in picked]
        st.session_state["runs-table"] = {"selection": {"rows": kept, "columns": [], "cells": []}}


def table(runs: list[StoredRun], pinned: list[str]) -> list[StoredRun]:
    """The runs, newest first unless a column is clicked; those that are picked."""
    keep_picked(runs, pinned)
    lines = [row(run, run.id in pinned) for run in runs]
    if not any(line["Warning"] for line in lines):
        lines = [{name: value for name, value in line.items() if name != "Warning"} for line in lines]
    number, seconds = st.column_config.NumberColumn(format="%.3f"), st.column_config.NumberColumn(format="%.1f")
    chosen = st.dataframe(
        lines,
        hide_index=True,
        selection_mode="multi-row",
        on_select="rerun",
        key="runs-table",
        column_config={
            **{name: number for name in lines[0] if name.startswith("AUC")},
            "Pinned": st.column_config.TextColumn("●", help="Pinned: lies beside the others on the comparing pages."),
            "Warning": st.column_config.TextColumn(help="A training that ended, but whose scores say little."),
            "Normal": st.column_config.TextColumn(width=100),  # else "Automobile" is cut
            "Seconds": seconds,
            "MB": seconds,
        },
    )
    return [runs[i] for i in chosen["selection"]["rows"] if i < len(runs)]


def actions(picked: list[StoredRun], state: State) -> None:
    """What can be done with the picked runs. BadInput when that needs own images that are not here any more."""
    specs = [run.spec for run in picked]
    many = len(picked) > MOST
    with st.container(horizontal=True):
        pin = st.button(
            f"Pin {counted(len(picked), 'run')}" if picked else "Pin",
            disabled=not picked or many,
            icon=":material/keep:",
            key="pin",
            help=f"Lays them beside each other on the comparing pages, {MOST} at most with the baseline.",
        )
        opened = st.button(
            "Open in the Lab",
            disabled=len(picked) != 1,
            icon=":material/science:",
            key="open",
            help="Asks this run's question there. Pick one run.",
        )
        clone(specs[0] if len(specs) == 1 else None, state)
        label = f"Delete {counted(len(picked), 'run')}" if picked else "Delete"
        if st.button(label, disabled=not picked, icon=":material/delete:", key="delete", help="Asks once more first."):
            st.session_state.visit["doomed"] = [run.id for run in picked]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("Picked and pinned runs on" if picked else "Pinned runs on", width="content")
        wanted = [
            path
            for path, name in PAGES.items()
            if st.button(
                name,
                disabled=many,
                type="tertiary",
                icon=":material/arrow_forward:",
                key=f"to-{path}",
                help="Pins what is picked, and opens the page.",
            )
        ]
    if opened:
        state.turn_to(question_of(specs[0], state.question.anomaly))
        st.switch_page("pages/lab.py")
    if picked and (pin or wanted):
        lay_beside(state, specs)
    if wanted:
        st.switch_page(wanted[0])
    if pin:
        st.rerun()


def _keep() -> None:
    st.session_state.visit.pop("doomed", None)


@st.dialog("Delete for good?", icon=":material/delete:", on_dismiss=_keep)
def confirm(store: Store, runs: list[StoredRun], doomed: list[str]) -> None:
    """Asks once more, where it cannot be overlooked, and deletes what was chosen to be deleted."""
    names = [f"{plain(run_name(run.spec))} ({run.id})" for run in runs if run.id in doomed] or doomed
    st.markdown(f"{', '.join(names)}. {'It' if len(doomed) == 1 else 'Each'} can be trained again.")
    with st.container(horizontal=True):
        sure = st.button("Delete", type="primary", key="delete-sure")
        if sure:
            for run_id in doomed:
                try:
                    store.delete(run_id)
                except (Busy, BadInput) as error:
                    st.toast(str(error), icon=":material/error:")
        if st.button("Keep", key="delete-not") or sure:
            _keep()
            st.rerun()


def delete(store: Store, runs: list[StoredRun]) -> None:
    """Deletes what is damaged, or was chosen to be deleted, once that is confirmed."""
    if damaged := store.damaged():
        st.warning(f"Damaged, and only good to be deleted: {', '.join(damaged)}", icon=":material/broken_image:")
        if st.button("Delete the damaged runs", icon=":material/delete:", key="delete-damaged"):
            st.session_state.visit["doomed"] = list(damaged)
    if doomed := st.session_state.visit.get("doomed"):
        confirm(store, runs, doomed)


def stored(state: State, store: Store, runs: list[StoredRun]) -> None:
    """The stored runs: what is pinned, what is looked for, and what was found."""
    lineup = show_pinned(state)
    state.find = ask_find(state.find, runs)
    chosen(state, store, lineup.specs if lineup else ())


@part
def chosen(state: State, store: Store, pinned: Sequence[RunSpec]) -> None:
    """The table of what was found, and all that follows from the rows that are picked in it."""
    runs = store.list()
    found = [run for run in runs if state.find.matches(run.spec)]
    picked: list[StoredRun] = []
    if found:
        picked = table(found, [spec.id for spec in pinned])
    else:
        st.info("No stored run matches; take a word or a filter away.", icon=":material/search_off:")
    try:
        actions(picked, state)
    except BadInput as error:
        st.error(plain(str(error)), icon=":material/error:")
    delete(store, runs)
    there = {run.id: run for run in runs}
    compared = picked or [there[spec.id] for spec in pinned if spec.id in there]
    with st.container():
        if missing := [] if picked else [spec for spec in pinned if spec.id not in there]:
            st.caption(f"Pinned, but not trained yet: {', '.join(map(plain, labels(missing)))}.")
    if len(compared) > MOST:
        st.info(f"Pick {MOST} runs at most to see them side by side.", icon=":material/block:")
    elif compared:
        st.subheader("Picked, side by side" if picked else "Pinned, side by side")
        side_by_side(compared, state)
    write_address(state)


@part
def on_disk(store: Store, count: int) -> None:
    """What the cache takes; what is not listed, unfinished trainings and embeddings, can be deleted here."""
    beside, unfinished = store.beside(), store.unfinished()
    left = f" and {len(unfinished)} unfinished" if unfinished else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{counted(count, 'run')} stored{left}, {store.size / 1e6:.1f} MB in {plain(str(store.root))}"
            + "".join(f", {name} {size / 1e6:.1f} MB" for name, size in beside.items())
            + ". All numbers were measured here.",
            width="content",
        )
        if unfinished and st.button(
            "Delete unfinished",
            type="tertiary",
            icon=":material/delete:",
            key="delete-unfinished",
            help="What is left, and the logs, of trainings that failed, were cancelled or broke off.",
        ):
            for run_id in unfinished:
                with suppress(Busy, BadInput):  # tried again, or deleted by somebody else, since
                    store.delete(run_id)
            st.rerun()
        if "embeddings" in beside and st.button(
            "Delete embeddings",
            type="tertiary",
            icon=":material/delete:",
            key="forget",
            help="For Alignment: what ResNet50 has made of images, and MMD. They are computed again when they are asked for.",
        ):
            encoders.forget()
            st.rerun()


@part
def kept(state: State, store: Store) -> None:
    """All that the cache holds, looked up anew whenever something here is used."""
    runs = store.list()
    on_disk(store, len(runs))
    if runs:
        stored(state, store, runs)
    else:
        st.info(
            "Nothing is trained yet. The Lab's first screen trains its default within seconds.",
            icon=":material/science:",
        )
        st.page_link("pages/lab.py", label="To the Lab", icon=":material/arrow_forward:")
        delete(store, runs)
        write_address(state)


def page() -> None:
    st.title("Runs")
    state, store = session(), jobs().store
    show_rejected(state)
    prepare_in_background()
    polled(going_on, POLL)(len(jobs().store.list()), len(jobs().going_on()))
    kept(state, store)


show(page)
