"""Four views of a run and its baseline, linked in the browser: error histograms, ROC, reconstructions and a map.

A threshold that is dragged, a point under the pointer, a lasso or another colouring never call the server. What is
settled (the pointer was let go, a toggle clicked) comes back as a `ViewState`, for the page to keep in the URL.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import streamlit as st

from ssad_core.figures import GROUP_COLOURS
from ssad_core.sprites import ERROR_CEILING

Scale = Literal["auto", "linear", "log"]
MapOf = Literal["run", "baseline"]
ColourBy = Literal["category", "score"]
Sort = Literal["nearest", "highest", "lowest", "disagreement", "lasso"]

_HERE = Path(__file__).parent
_COMPONENT = st.components.v2.component(
    "ssad_linked_views",
    html='<div class="views"></div>\n',
    css=(_HERE / "linked_views.css").read_text(),
    js=(_HERE / "draw.js").read_text() + (_HERE / "linked_views.js").read_text(),
)


@dataclass(frozen=True)
class ViewState:
    """What a person has set in the views.

    fpr : the false-positive rate in [0, 1] at which both detectors are compared; it sets both thresholds.
    scale : of the score's axis; "auto" is `ViewData.scale`.
    map_of : whose embedding the map shows.
    colour_by : what the map's colours mean.
    sort : which images the reconstructions show first.
    lasso : the selected points, as indices.
    """

    fpr: float = 0.1
    scale: Scale = "auto"
    map_of: MapOf = "run"
    colour_by: ColourBy = "category"
    sort: Sort = "nearest"
    lasso: tuple[int, ...] = ()


@dataclass(frozen=True)
class DetectorPoints:
    """One detector on the n points.

    name : as a person calls it, such as DAE-CutOut.
    scores : float (n,), higher is more abnormal.
    auc : in [0, 1], of the task; shown as it is given, not computed from the points.
    measure : what its score is, in a word or two, such as "distance to c".
    map : float (n, 2), the t-SNE coordinates; None while they are not computed.
    reconstructions, errors : WebP sheets of the n points (`ssad_core.sprites`), or None where the detector has none.
    functions, probabilities : the names of the functions that the detector tells apart, and how probable each is to it,
        (n, K) in [0, 1]; empty and None where it does not.
    """

    name: str
    scores: np.ndarray
    auc: float
    measure: str
    map: np.ndarray | None = None
    reconstructions: bytes | None = None
    errors: bytes | None = None
    functions: Sequence[str] = ()
    probabilities: np.ndarray | None = None


@dataclass(frozen=True)
class ViewData:
    """What the views show.

    id : another id means other points: then the lasso is dropped, the threshold and the toggles stay.
    title : of the task, in words; it heads the downloaded figures and names their files.
    anomaly : what the anomalous images are, such as CutOut.
    group : int (n,), the index of the point's group in `ssad_core.figures.GROUP_COLOURS`; at most some 2,000 points,
        and at least one test normal and one test anomalous.
    pair : int (n,), the same image before or after aug or gen; -1 where there is none.
    labels : the class of each point.
    originals : a WebP sheet of the n points; all sheets have ``columns`` tiles of ``size`` x ``size`` pixels in a row.
    detectors : the baseline and the run, or the run alone where it has no baseline.
    scale : of the score's axis as long as a person has not chosen one.
    map_status : one line in the map's place while there is none.
    note : one line under the histograms, such as which part of the test images is shown.
    """

    id: str
    title: str
    anomaly: str
    group: np.ndarray
    pair: np.ndarray
    labels: Sequence[str]
    originals: bytes
    columns: int
    size: int
    detectors: Sequence[DetectorPoints]
    scale: Literal["linear", "log"] = "linear"
    map_status: str = "The map is not computed yet."
    note: str = ""


def linked_views(data: ViewData, *, state: ViewState, key: str) -> ViewState:
    """Shows the views and returns their settled state.

    ``state`` is where they start. Later the page passes what this function returned last; another state (Back was
    pressed, or a link opened) is put upon the views. What the browser reports wins over a ``state`` that the page has
    not changed meanwhile.
    """
    report = (st.session_state.get(key) or {}).get("state")
    memory = st.session_state.get(f"{key} memory")
    if memory is None:
        memory = {"sent": state, "revision": 0, "id": data.id}
    if report is None:
        now, held = state, memory["sent"]
    elif report != memory["report"]:
        now = held = _reported(report)
    elif state != memory["passed"]:
        now, held = state, memory["now"]
    else:
        now = held = memory["now"]
    if data.id != memory["id"]:
        now = replace(now, lasso=())
    # While the browser already holds the state, the message repeats the one it last carried: an unchanged message is
    # not sent again (Streamlit sends its hash), and a settled threshold costs a few bytes, not all the pictures.
    if now != held or data.id != memory["id"]:
        memory = memory | {"sent": now, "revision": memory["revision"] + 1}
    st.session_state[f"{key} memory"] = memory | {"id": data.id, "report": report, "passed": state, "now": now}
    # The callback is what makes `state` a key of the result.
    _COMPONENT(key=key, data=_message(data, memory["sent"], memory["revision"], key), on_state_change=lambda: None)
    return now


def _reported(report: dict[str, Any]) -> ViewState:
    return ViewState(**report | {"fpr": float(report["fpr"]), "lasso": tuple(report["lasso"])})


def _message(data: ViewData, state: ViewState, revision: int, key: str) -> bytes:
    """A header's length (uint32), the header (JSON), then the arrays and sheets it points into.

    Bytes at the top level are the one thing that Streamlit hands to a component as it is; in a dictionary they would
    have to be base64.
    """
    parts = {
        "group": np.asarray(data.group, "<u1").tobytes(),
        "pair": np.asarray(data.pair, "<i4").tobytes(),
        "originals": data.originals,
    }
    for k, detector in enumerate(data.detectors):
        parts[f"scores{k}"] = np.asarray(detector.scores, "<f4").tobytes()
        if detector.map is not None:
            parts[f"map{k}"] = np.asarray(detector.map, "<f4").tobytes()
        if detector.reconstructions is not None:
            parts[f"reconstructions{k}"] = detector.reconstructions
        if detector.errors is not None:
            parts[f"errors{k}"] = detector.errors
        if detector.probabilities is not None:
            # The likeliest function of each image, and how likely it is in per cent.
            parts[f"taken{k}"] = detector.probabilities.argmax(1).astype("<u1").tobytes()
            parts[f"certainty{k}"] = (100 * detector.probabilities.max(1)).round().astype("<u1").tobytes()
    names = list(dict.fromkeys(data.labels))
    content = {
        "id": data.id,
        "title": data.title,
        "anomaly": data.anomaly,
        "groups": [{"name": name, "colour": colour} for name, colour in GROUP_COLOURS.items()],
        "names": names,
        "labels": [names.index(label) for label in data.labels],
        "columns": data.columns,
        "size": data.size,
        "detectors": [
            {"name": d.name, "auc": float(d.auc), "measure": d.measure, "functions": list(d.functions)}
            for d in data.detectors
        ],
        "scale": data.scale,
        "mapStatus": data.map_status,
        "note": data.note,
        "errorCeiling": ERROR_CEILING,
    }
    digest = hashlib.blake2b(json.dumps(content).encode(), digest_size=12)
    places, start = {}, 0
    for name, part in parts.items():
        digest.update(part)
        places[name] = [start, len(part)]
        start += len(part)
    header = {
        **content,
        "version": digest.hexdigest(),
        "parts": places,
        "state": asdict(state),
        "revision": revision,
        "key": key,
    }
    head = json.dumps(header).encode()
    return b"".join([struct.pack("<I", len(head)), head, *parts.values()])
