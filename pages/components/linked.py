"""What the components with linked views share: what a person has set in them, its way between page and browser, and the
bytes of a message.

What moves under the pointer never calls the server. What is settled comes back as a `ViewState`, for the page to keep in
the URL.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import streamlit as st

from pages.components.component import component
from pages.components.pictures import COLUMNS, Sheet, served
from ssad_core.colours import GROUP_COLOURS

Scale = Literal["auto", "linear", "log"]
MapOf = Literal["run", "baseline"]
ColourBy = Literal["category", "score"]
Sort = Literal["nearest", "missed", "highest", "lowest", "disagreement", "lasso"]


@dataclass(frozen=True)
class ViewState:
    """What a person has set in the views.

    fpr : the false-positive rate in [0, 1] at which both detectors are compared; it sets both thresholds.
    scale : of the score's axis; "auto" is `ViewData.scale`.
    map_of : whose embedding the map shows.
    colour_by : what a map's colours mean.
    sort : which images the reconstructions show first.
    lasso : the selected points, as indices.
    hidden_bars, hidden_points : the groups, as indices, that the histograms and the maps do not show.
    """

    fpr: float = 0.1
    scale: Scale = "auto"
    map_of: MapOf = "run"
    colour_by: ColourBy = "category"
    sort: Sort = "nearest"
    lasso: tuple[int, ...] = ()
    hidden_bars: tuple[int, ...] = (0,)  # training normals, which lie where the test normals do
    hidden_points: tuple[int, ...] = ()


@dataclass(frozen=True)
class PointData:
    """The n points that the views of a component share.

    id : another id means other points: then the lasso is dropped, everything else that a person has set stays.
    title : of the task, in words; it heads the downloaded figures and names their files.
    group : int (n,), the index of the point's group in `ssad_core.GROUP_COLOURS`; at most some 2,000 points.
    pair : int (n,), the same image before or after aug or gen; -1 where there is none.
    labels : the class of each point.
    originals : sheets of the points, one after the other; all tiles have ``size`` x ``size`` pixels.
    """

    id: str
    title: str
    group: np.ndarray
    pair: np.ndarray
    labels: Sequence[str]
    originals: Sequence[Sheet]
    size: int


_SHARED = ("draw", "colours", "tiles", "downloads", "figure", "point_map", "selection", "linked")


def linked_component(name: str, own: str, *parts: str) -> Callable[..., Any]:
    """The component of ``own``.js and ``own``.css, with what they share, and its ``parts``, before them."""
    return component(name, "views", css=["theme", "linked", own], js=[*_SHARED, *parts, own])


def settle(
    show: Callable[..., Any], id: str, message: Callable[[ViewState, int], bytes], *, state: ViewState, key: str
) -> ViewState:
    """Shows a component and returns its settled state.

    ``state`` is where it starts. Later the page passes what this function returned last; another state (Back was
    pressed, or a link opened) is put upon the views. What the browser reports wins over a ``state`` that the page has
    not changed meanwhile. Another ``id`` means other points: then the lasso is dropped.
    """
    report = (st.session_state.get(key) or {}).get("state")
    memory = st.session_state.get(f"{key} memory")
    if memory is None:
        memory = {"sent": state, "now": state, "revision": 0, "id": id}
    if report is None:
        # Mounted, perhaps anew: the browser goes on from what it had last, which need not be what was sent.
        now, held = state, memory["now"]
    elif report != memory["report"]:
        now = held = _reported(report)
    elif state != memory["passed"]:
        now, held = state, memory["now"]
    else:
        now = held = memory["now"]
    if id != memory["id"]:
        now = replace(now, lasso=())
    # While the browser already holds the state, the message repeats the one it last carried: an unchanged message is
    # not sent again (Streamlit sends its hash), and a settled threshold costs a few bytes, not all the pictures.
    if now != held or id != memory["id"]:
        memory = memory | {"sent": now, "revision": memory["revision"] + 1}
    st.session_state[f"{key} memory"] = memory | {"id": id, "report": report, "passed": state, "now": now}
    # The callback is what makes `state` a key of the result.
    show(key=key, data=message(memory["sent"], memory["revision"]), on_state_change=lambda: None)
    return now


def _reported(report: dict[str, Any]) -> ViewState:
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in report.items()}
    return ViewState(**values | {"fpr": float(report["fpr"])})


def packed(
    data: PointData,
    content: Mapping[str, Any],
    parts: Mapping[str, bytes],
    sheets: Mapping[str, Sequence[Sheet]],
    *,
    state: ViewState,
    revision: int,
    key: str,
) -> bytes:
    """A header's length (uint32), the header (JSON), then the arrays it points into: the points' own and ``parts``. Of the
    originals and other ``sheets`` the header has the addresses.

    Bytes at the top level are the one thing that Streamlit hands to a component as it is; in a dictionary they would
    have to be base64.
    """
    names = list(dict.fromkeys(data.labels))
    content = {
        "id": data.id,
        "title": data.title,
        "groups": [{"name": name, "colour": colour} for name, colour in GROUP_COLOURS.items()],
        "names": names,
        "labels": [names.index(label) for label in data.labels],
        "columns": COLUMNS,
        "size": data.size,
        **content,
    }
    parts = {
        "group": np.asarray(data.group, "<u1").tobytes(),
        "pair": np.asarray(data.pair, "<i4").tobytes(),
        **parts,
    }
    sheets = {"originals": data.originals, **sheets}
    content["sheets"] = {
        name: [(served(each.webp, f"{key} {name} {k}"), each.tiles) for k, each in enumerate(several)]
        for name, several in sheets.items()
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
