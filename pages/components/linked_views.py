"""Four views of a run and its baseline, linked in the browser: error histograms, ROC, reconstructions and a map.

A threshold that is dragged, a point under the pointer, a lasso or another colouring never call the server. What is
settled (the pointer was let go, a toggle clicked) comes back as a `ViewState`, for the page to keep in the URL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pages.components.linked import PointData, ViewState, linked_component, packed, settle
from pages.components.pictures import Sheet
from ssad_core.sprites import ERROR_CEILING

_COMPONENT = linked_component(
    "ssad_linked_views", "linked_views", "scores", "histograms", "operating_point", "reconstructions"
)


@dataclass(frozen=True)
class DetectorPoints:
    """One detector on the n points.

    name : as a person calls it, such as DAE-CutOut.
    scores : float (n,), higher is more abnormal.
    normal, anomalous : the scores (N,) and (M,) of all test images, of which the points may be a part: threshold, rates,
        counts and ROC are theirs.
    auc : in [0, 1], of the task; shown as it is given, not computed here.
    measure : what its score is, in a word or two, such as "distance to c".
    map : float (n, 2), the t-SNE coordinates; None while they are not computed.
    reconstructions, errors : sheets of the points as `PointData.originals`; none where the detector has none.
    functions, probabilities : the names of the functions that the detector tells apart, and how probable each is to it,
        (n, K) in [0, 1]; empty and None where it does not.
    """

    name: str
    scores: np.ndarray
    normal: np.ndarray
    anomalous: np.ndarray
    auc: float
    measure: str
    map: np.ndarray | None = None
    reconstructions: Sequence[Sheet] = ()
    errors: Sequence[Sheet] = ()
    functions: Sequence[str] = ()
    probabilities: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True)
class ViewData(PointData):
    """What the views show: points with at least one test normal and one test anomalous.

    anomaly : what the anomalous images are, such as CutOut.
    detectors : the baseline and the run, or the run alone where it has no baseline.
    scale : of the score's axis as long as a person has not chosen one.
    map_status : one line in the map's place while there is none.
    note : a line under the histograms, such as which part of the test images is shown.
    """

    anomaly: str
    detectors: Sequence[DetectorPoints]
    scale: Literal["linear", "log"] = "linear"
    map_status: str = "The map is not computed yet."
    note: str = ""


def linked_views(data: ViewData, *, state: ViewState, key: str) -> ViewState:
    """Shows the views and returns their settled state (`linked.settle`)."""
    return settle(_COMPONENT, data.id, lambda now, revision: _message(data, now, revision, key), state=state, key=key)


def _message(data: ViewData, state: ViewState, revision: int, key: str) -> bytes:
    parts, sheets = {}, {}
    for k, detector in enumerate(data.detectors):
        for name in ("scores", "normal", "anomalous"):
            parts[f"{name}{k}"] = np.asarray(getattr(detector, name), "<f4").tobytes()
        if detector.map is not None:
            parts[f"map{k}"] = np.asarray(detector.map, "<f4").tobytes()
        if detector.reconstructions:
            sheets[f"reconstructions{k}"] = detector.reconstructions
            sheets[f"errors{k}"] = detector.errors
        if detector.probabilities is not None:
            # The likeliest function of each image, and how likely it is in per cent.
            parts[f"taken{k}"] = detector.probabilities.argmax(1).astype("<u1").tobytes()
            parts[f"certainty{k}"] = (100 * detector.probabilities.max(1)).round().astype("<u1").tobytes()
    content = {
        "anomaly": data.anomaly,
        "detectors": [
            {"name": d.name, "auc": float(d.auc), "measure": d.measure, "functions": list(d.functions)}
            for d in data.detectors
        ],
        "scale": data.scale,
        "mapStatus": data.map_status,
        "note": data.note,
        "errorCeiling": ERROR_CEILING,
    }
    return packed(data, content, parts, sheets, state=state, revision=revision, key=key)
