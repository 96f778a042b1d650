"""The training of a run and its baseline on a page: the button with its cost, the live panel, cancel, retry, replay."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import streamlit as st

from pages.components.live import LiveRun, Snapshot, live
from pages.components.markdown import plain
from pages.components.part import in_place, polled
from pages.components.service import jobs
from ssad_core.cost import FEW_STEPS, Begun, cost, steps_of
from ssad_core.data import Dataset, dataset_info
from ssad_core.detectors import detector_info
from ssad_core.jobs import Status
from ssad_core.lineup import warnings_of
from ssad_core.question import anomaly_name, run_name
from ssad_core.spec import LIVE, Anomaly, RunSpec
from ssad_core.sprites import sheet
from ssad_core.store import StoredRun

POLL = 1.0  # seconds between two looks at a training; each takes a little of the cores that it trains on
PICTURES = 5  # a side, until the first snapshot says how many there are
INTERACTIVE = 10  # priority of what a person waits for; sweeps have 0 and are overtaken


@in_place
def training(specs: list[RunSpec], anomaly: Anomaly, dataset: Dataset) -> bool:
    """Draws whatever is to be seen of the training of these runs (baseline first); True when none goes on and the last one
    is stored, if without its baseline."""
    stati = {spec.id: jobs().status(spec.id) for spec in specs}
    offered = _to_train(specs, stati)
    if offered:
        _offer(offered, stati, dataset)
    if any(status.going_on for status in stati.values()):
        polled(_watch, POLL)(specs, anomaly, offered)
        return False
    return stati[specs[-1].id].state == "done"


def _to_train(specs: list[RunSpec], stati: Mapping[str, Status]) -> list[RunSpec]:
    """Those that nobody waits for: neither stored nor going on, or in the queue for a sweep, which others overtake."""

    def awaited(status: Status) -> bool:
        return status.going_on and (status.state != "queued" or status.priority >= INTERACTIVE or jobs().remote)

    return [spec for spec in specs if stati[spec.id].state != "done" and not awaited(stati[spec.id])]


def _offer(missing: list[RunSpec], stati: Mapping[str, Status], dataset: Dataset) -> None:
    say_how_they_ended(missing, stati)
    again = stati[missing[-1].id].state in ("failed", "cancelled", "interrupted")
    names = " and its baseline ".join(run_name(spec) for spec in reversed(missing))
    duration, why = estimate(missing, dataset)
    row = st.container(horizontal=True, vertical_alignment="center")
    label = f"{'Train again' if again else 'Train'}: {names}"
    row.button(
        label,
        type="primary",
        icon=":material/play_arrow:",
        key="train",
        on_click=submit,  # before the page is drawn anew, so that it shows the training at once
        args=(missing,),
    )
    others = [status for run_id, status in stati.items() if run_id not in {spec.id for spec in missing}]
    other = " The other one is stored already." if any(status.state == "done" for status in others) else ""
    first = " What waits for a sweep goes first then." if any(stati[spec.id].going_on for spec in missing) else ""
    steps = steps_of(missing[-1], _available(missing[-1], dataset))
    few = (
        ""
        if steps >= FEW_STEPS
        else f" These are only {steps} steps of the optimiser; more epochs (Settings) may help."
    )
    slow = " This CPU has no bfloat16: float32 (Settings) is faster here." if jobs().emulates(missing[-1]) else ""
    row.caption(
        f"About {duration}, {why}.{first}{other}{few}{slow} Changing the anomaly, the threshold or a view never trains again."
    )


def submit(specs: list[RunSpec]) -> None:
    for spec in specs:
        jobs().submit(spec, priority=INTERACTIVE)


def cancel(specs: list[RunSpec]) -> None:
    """Ends what waits before what is trained: in its place the next would begin."""
    for spec in reversed(specs):
        jobs().cancel(spec.id)


def say_how_they_ended(specs: list[RunSpec], stati: Mapping[str, Status]) -> None:
    if cancelled := [stati[spec.id] for spec in specs if stati[spec.id].state == "cancelled"]:
        # What was only queued has left no progress.
        begun = sum(bool(status.progress) for status in cancelled)
        waited = len(cancelled) - begun
        counts = []
        if begun:
            ended = (
                "was training (its process has ended)" if begun == 1 else "were training (their processes have ended)"
            )
            counts.append(f"{begun} {ended}")
        if waited:
            counts.append(f"{waited} {'was' if waited == 1 else 'were'} waiting")
        st.info(f"Cancelled: {', '.join(counts)}.", icon=":material/cancel:")
    for spec in specs:
        name, status = run_name(spec), stati[spec.id]
        if status.state == "failed":
            st.error(f"{name} failed. {plain(status.message)}", icon=":material/error:")
            if log := jobs().store.log(spec.id):
                with st.expander(f"Log of {name}"):
                    st.code(log[-20_000:], language=None)
        elif status.state == "interrupted":
            st.warning(f"{name} was interrupted. {status.message}", icon=":material/power_off:")


# Beside what would be a verdict of such trainings: nothing is called better, worse or the best, nor counted so.
UNJUDGED = "Nothing is concluded of these trainings; a warning on this page says why."


@in_place
def say_warnings(runs: Iterable[StoredRun]) -> None:
    """What is wrong with trainings that ended all the same: collapsed, nothing learned, too short."""
    for line in warnings_of(list(runs)):
        st.warning(plain(line), icon=":material/warning:")


def _watch(specs: list[RunSpec], anomaly: Anomaly, offered: list[RunSpec]) -> None:
    """One look at the training; Streamlit calls it once a second until the page is drawn anew, as with another offer."""
    stati = {spec.id: jobs().status(spec.id) for spec in specs}
    if not any(status.going_on for status in stati.values()) or _to_train(specs, stati) != offered:
        st.rerun(scope="app")
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption("Training in processes of their own: this page may be closed, reloaded or shared meanwhile.")
        st.button(
            "Cancel",
            icon=":material/stop:",
            key="cancel",
            help="Ends the training processes at once.",
            on_click=cancel,
            args=(specs,),
        )
    live([_live_run(spec, stati[spec.id], anomaly) for spec in specs], replay=False, key="live")
    _say_kind(anomaly, specs[0].dataset)
    if all(_is_ending(status) for status in stati.values()):
        _wait_for_the_end(specs)


def _is_ending(status: Status) -> bool:
    """Whether the run may be done before the next look."""
    left = status.progress.get("seconds_left")
    return status.state in ("evaluating", "done") or (left is not None and left < POLL)


def _wait_for_the_end(specs: list[RunSpec]) -> None:
    """Draws the page anew as soon as no run goes on, instead of at the next look; gives up when that is due."""
    deadline = time.monotonic() + POLL
    while time.monotonic() < deadline:
        if not any(jobs().status(spec.id).going_on for spec in specs):
            st.rerun(scope="app")
        time.sleep(0.05)


def _live_run(spec: RunSpec, status: Status, anomaly: Anomaly) -> LiveRun:
    kind = _live_kind(anomaly).key
    if status.state == "done":
        return _finished(jobs().store.load(spec.id), kind)
    progress = status.progress
    auc = progress.get("auc", {}).get(kind, ())
    looks = _looks(spec.id, kind, len(auc), progress.get("started", 0.0), detector_info(spec.detector).pictures)
    return LiveRun(
        name=run_name(spec),
        state=status.state,  # type: ignore[arg-type]
        message=status.message,
        queue_position=status.position,
        epoch=progress.get("epoch", 0),
        epochs=spec.settings.epochs,
        done=progress.get("done", 0.0),
        loss=progress.get("loss", ()),
        auc=auc,
        snapshots=looks.snapshots,
        originals=looks.originals,
        pictures=looks.pictures,
        images_per_second=progress.get("images_per_second"),
        seconds_elapsed=time.time() - progress["started"] if "started" in progress else None,
        seconds_left=progress.get("seconds_left"),
    )


def _finished(run: StoredRun, kind: str) -> LiveRun:
    result = run.result
    looks = _looks(run.id, kind, None, result["finished"], detector_info(run.spec.detector).pictures)
    return LiveRun(
        name=run_name(run.spec),
        state="done",
        epoch=run.spec.settings.epochs,
        epochs=run.spec.settings.epochs,
        done=1.0,
        loss=result["loss"],
        auc=result["live_auc"].get(kind, ()),
        snapshots=looks.snapshots,
        originals=looks.originals,
        pictures=looks.pictures,
        images_per_second=result["images_per_second"],
        seconds_elapsed=result["seconds"],
    )


class Looks(NamedTuple):
    """The evaluations in the course of a training, as `LiveRun` wants them."""

    snapshots: list[Snapshot]
    originals: bytes
    pictures: tuple[int, int]


@st.cache_data(max_entries=64, show_spinner=False)
def _looks(run_id: str, kind: str, count: int | None, started: float, drawn: bool) -> Looks:
    """The latest of a training's ``count`` evaluations; all of them, of a finished run, for None. ``drawn``: whether the
    detector explains in pictures.

    ``started`` tells one try from another. Cached, since a page looks far more often than the training does.
    """
    store = jobs().store
    history = store.load(run_id).history if count is None else store.snapshots(run_id)
    if history is None or count == 0:
        return Looks([], b"", (PICTURES, PICTURES) if drawn else (0, 0))
    groups = "normal", kind
    snapshots = []
    for i, epoch in list(enumerate(history["epochs"]))[0 if count is None else -1 :]:
        scores = [history[f"scores/{group}"][i].tolist() for group in groups]
        snapshots.append(Snapshot(int(epoch), *scores, _strip(history, "images", groups, i) if drawn else b""))
    sizes = [len(history[f"originals/{group}"]) for group in groups]
    return Looks(
        snapshots, _strip(history, "originals", groups, slice(None)), (sizes[0], sizes[1]) if drawn else (0, 0)
    )


def _strip(history: Mapping[str, np.ndarray], what: str, groups: tuple[str, str], index: int | slice) -> bytes:
    images = np.concatenate([history[f"{what}/{group}"][index] for group in groups])
    return sheet(images, columns=len(images))


def replay(runs: list[StoredRun], anomaly: Anomaly) -> None:
    """The finished trainings, to be gone through epoch by epoch."""
    kind = _live_kind(anomaly).key
    live([_finished(run, kind) for run in runs], replay=True, key="replay")
    _say_kind(anomaly, runs[0].spec.dataset)


def _live_kind(anomaly: Anomaly) -> Anomaly:
    """Of the kinds of anomalies that are evaluated in training, the one nearest to what was asked for."""
    bare = Anomaly(anomaly.kind, anomaly.name)
    return bare if bare in LIVE else LIVE[-1]


def _say_kind(anomaly: Anomaly, dataset: str) -> None:
    """What the live figures are of, where it is not the anomaly that was asked for."""
    kind = _live_kind(anomaly)
    the_only_class = anomaly.kind == "class" and len(dataset_info(dataset).classes) == 2
    if kind != anomaly and not the_only_class:
        shown, asked = plain(anomaly_name(kind)), plain(anomaly_name(anomaly))
        st.caption(f"While it learns, figures are of {shown}, a fixed choice; those of {asked} come at the end.")


def estimate(specs: list[RunSpec], dataset: Dataset, begun: Mapping[str, Begun] | None = None) -> tuple[str, str]:
    """What training these runs costs, in words, and where the figure is from; ``begun`` as in `cost`."""
    at_once = min(len(specs), *(jobs().at_once(spec) for spec in specs))
    low, high, basis = cost(specs, _available(specs[0], dataset), jobs().store.list(), at_once, begun)
    return " to ".join(dict.fromkeys(map(in_words, (low, high)))), basis


def _available(spec: RunSpec, dataset: Dataset) -> int:
    return int((dataset.train_labels == spec.normal_class).sum())


def in_words(seconds: float) -> str:
    """``"12 s"``, ``"3 min"``, ``"2.5 h"``."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def describe_training(run: StoredRun) -> str:
    """Where, in what precision and how fast a stored run was trained, for a caption."""
    result, machine = run.result, run.result["machine"]
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(result["finished"]))
    where = machine["device"] if machine["device_type"] == "cuda" else f"CPU, {machine['threads']} thread(s)"
    speed = f"{result['images_per_second']:,.0f} images/s in {run.spec.precision}"
    return f"measured here {when} on {where}, torch {machine['torch']}, {speed}"
