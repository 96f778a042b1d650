"""A run and its baseline as they learn, side by side, and the replay of their evaluated epochs afterwards.

Streamlit redraws the whole figure when a chart's data change; this component is told often how the runs stand
and only moves what has changed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pages.components.component import component
from pages.components.pictures import served
from ssad_core.colours import GROUP_COLOURS

State = Literal["none", "queued", "starting", "training", "evaluating", "done", "failed", "cancelled", "interrupted"]

_COMPONENT = component("ssad_live", "live", css=["live"], js=["draw", "colours", "live_card", "live"])


@dataclass(frozen=True)
class Snapshot:
    """One evaluation in the course of a training: the scores of the live test images, higher is more abnormal, and a
    WebP sprite of the samples' reconstructions after ``epoch`` epochs, laid out as `LiveRun.originals`."""

    epoch: int
    normal: Sequence[float]
    anomalous: Sequence[float]
    reconstructions: bytes = b""


@dataclass(frozen=True)
class LiveRun:
    """How a run stands.

    name : as a person calls it, such as DAE-CutOut.
    message : one sentence: what it waits for, or why it ended.
    queue_position : 1 is next.
    epoch, epochs : finished ones, and all.
    done : the share of what it is at, in [0, 1]: of the training, or of the evaluation.
    loss : the mean training loss of each finished epoch.
    auc : (epoch, live AUC in [0, 1] for the chosen anomaly) of each evaluation.
    snapshots : what is there to show, in the order of their epochs; the last one is enough while it trains.
    originals : a WebP sprite of the sample test images, one row of square tiles, the normal ones first; empty where there
        are none yet.
    pictures : how many normal and how many anomalous samples there are, or will be; (0, 0) shows none.
    seconds_elapsed, seconds_left : since its start; to the end of the last epoch. None is unknown.
    """

    name: str
    state: State
    message: str = ""
    queue_position: int | None = None
    epoch: int = 0
    epochs: int = 0
    done: float = 0.0
    loss: Sequence[float] = ()
    auc: Sequence[tuple[int, float]] = ()
    snapshots: Sequence[Snapshot] = ()
    originals: bytes = b""
    pictures: tuple[int, int] = (5, 5)
    images_per_second: float | None = None
    seconds_elapsed: float | None = None
    seconds_left: float | None = None


def live(runs: Sequence[LiveRun], *, replay: bool, key: str) -> None:
    """Shows one or two runs. The same ``key`` before and after the end keeps everything where it is.

    Without ``replay`` the latest snapshot alone is sent, so that a message stays small; with it all of them are, and a
    slider goes through them without the server.
    """
    payloads = [_payload(run, replay, f"{key} {k}") for k, run in enumerate(runs)]
    colours = {kind: GROUP_COLOURS[f"test {kind}"] for kind in ("normal", "anomalous")}
    _COMPONENT(key=key, data={"replay": replay, "runs": payloads, "colours": colours})


def _payload(run: LiveRun, replay: bool, place: str) -> dict[str, Any]:
    snapshots = run.snapshots if replay else run.snapshots[-1:]
    return {
        "name": run.name,
        "state": run.state,
        "message": run.message,
        "queuePosition": run.queue_position,
        "epoch": run.epoch,
        "epochs": run.epochs,
        "done": run.done,
        "loss": _short(run.loss),
        "auc": [[epoch, round(float(auc), 4)] for epoch, auc in run.auc],
        "snapshots": [
            {
                "epoch": snapshot.epoch,
                "normal": _short(snapshot.normal),
                "anomalous": _short(snapshot.anomalous),
                "reconstructions": _address(snapshot.reconstructions, f"{place} {k}"),
            }
            for k, snapshot in enumerate(snapshots)
        ],
        "originals": _address(run.originals, place),
        "pictures": list(run.pictures),
        "imagesPerSecond": run.images_per_second,
        "secondsElapsed": run.seconds_elapsed,
        "secondsLeft": run.seconds_left,
    }


def _short(values: Sequence[float]) -> list[float]:
    """Four digits are more than a chart of this size can show, and a third of the bytes. JSON knows no nan or inf."""
    return [float(f"{value:.4g}") for value in values if math.isfinite(value)]


def _address(webp: bytes, place: str) -> str:
    return served(webp, place) if webp else ""
