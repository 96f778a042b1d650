"""Small multiples of t-SNE maps, linked in the browser: the same images in each, ringed and lassoed together.

Hover, lasso, colours and the optimisation that is played never call the server; its frames are fetched once, by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from pages.components.linked import PointData, ViewState, linked_component, packed, settle
from pages.components.pictures import served
from ssad_core.embedding import EXAGGERATED, FRAME_EVERY, Separation

ABSENT = np.iinfo("<u2").max  # where a run has no such point

_COMPONENT = linked_component("ssad_maps", "maps")


@dataclass(frozen=True)
class MapRun:
    """One run on the n points.

    name : as a person calls it, such as DAE-CutOut.
    auc : in [0, 1], of the task; shown as it is given, not computed from the points.
    scores : float (n,), higher is more abnormal; NaN for points that it does not have.
    augmented : which tile of the sheet is the first of its own augmented images; None where it has none.
    separations : of its codes, by what lies apart, in a word or two; None where there is nothing to compare.
    """

    name: str
    auc: float
    scores: np.ndarray
    augmented: int | None
    separations: Mapping[str, Separation | None]


@dataclass(frozen=True)
class RunMap:
    """A map of the run at index ``run``: ``xy`` float (n, 2) and ``frames`` (frames, n, 2), NaN for points that the run does
    not have; both None while it is not there, and ``status`` in its place, for good if it has ``failed``."""

    run: int
    seed: int
    xy: np.ndarray | None = None
    frames: np.ndarray | None = None
    status: str = ""
    failed: bool = False


@dataclass(frozen=True, kw_only=True)
class MapData(PointData):
    """What is shown: a map of each run for each of ``seeds``.

    ``chosen`` is the run by whose scores the selected images are ranked at first; ``runs_id`` names the runs; ``originals``
    has each run's augmented images after those of the n points.
    """

    runs: Sequence[MapRun]
    maps: Sequence[RunMap]
    seeds: Sequence[int]
    chosen: int
    scale: Literal["linear", "log"]
    runs_id: str


def maps(data: MapData, *, state: ViewState, key: str) -> ViewState:
    """Shows the maps and returns their settled state (`linked.settle`): colours and lasso."""
    return settle(_COMPONENT, data.id, lambda now, revision: _message(data, now, revision, key), state=state, key=key)


def _message(data: MapData, state: ViewState, revision: int, key: str) -> bytes:
    parts = {f"scores{k}": np.asarray(run.scores, "<f4").tobytes() for k, run in enumerate(data.runs)}
    for m, each in enumerate(data.maps):
        if each.xy is not None:
            parts[f"map{m}"] = _whole(each.xy)
    content = {
        "runs": [
            {
                "name": run.name,
                "auc": float(run.auc),
                "augmented": run.augmented,
                "separations": [
                    {"label": label, **(asdict(found) if found else {})} for label, found in run.separations.items()
                ],
            }
            for run in data.runs
        ],
        "maps": [
            {"run": each.run, "seed": each.seed, "status": each.status, "frames": _frames(each, f"{key} frames {m}")}
            for m, each in enumerate(data.maps)
        ],
        "seeds": list(data.seeds),
        "chosen": data.chosen,
        "scale": data.scale,
        "course": {"every": FRAME_EVERY, "exaggerated": EXAGGERATED},
        "waiting": any(each.xy is None and not each.failed for each in data.maps),
        "sheetOf": data.runs_id,
    }
    return packed(data, content, parts, {}, state=state, revision=revision, key=key)


def _frames(each: RunMap, place: str) -> str | None:
    """The address of a map's frames: they are ten times as much as all the rest."""
    return None if each.frames is None else served(_whole(each.frames), place, "application/octet-stream")


def _whole(xy: np.ndarray) -> bytes:
    """Coordinates (..., n, 2) as uint16, each map's own extent from 0 to 65534, the same for both axes."""
    xy = np.asarray(xy, np.float64)
    low = np.nanmin(xy, axis=-2, keepdims=True)
    extent = np.nanmax(xy - low, axis=(-2, -1), keepdims=True)
    places = np.rint((xy - low) / np.where(extent > 0, extent, 1) * (ABSENT - 1))
    return np.where(np.isnan(places), ABSENT, places).astype("<u2").tobytes()
