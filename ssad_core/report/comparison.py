"""A run beside its baseline on one task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..colours import ANOMALOUS, GROUP_COLOURS, NORMAL
from ..detectors import detector_info
from ..errors import unknown
from ..histogram import Scale, scale_for, threshold_at_fpr
from .task import task, title

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ..views import Comparison, Views

FIGURES = ("histogram", "roc", "map", "reconstruction")  # of Figs. 6 to 9 and 13 to 17, and the ROC curve
SHOWN = 5  # images a side in the reconstructions


def scale_of(views: Views, chosen: Scale | None = None) -> Scale:
    """The scale of a score axis that the detectors share (`histogram.scale_for`)."""
    every = [d.scores for d in views.detectors]
    return scale_for([views.scores(i)["test normal"] for i in range(len(every))], every, chosen)


def draw(
    name: str,
    comparison: Comparison,
    views: Views,
    *,
    fpr: float = 0.1,
    scale: Scale | None = None,
    by_score: bool = False,
) -> list[go.Figure]:
    """One of `FIGURES`: a histogram and a map for each detector, else one figure, or none where no detector has pictures.

    Parameters
    ----------
    views : the comparison's own.
    fpr : the false-positive rate in [0, 1] of the thresholds.
    scale : of the score axis, as for `scale_of`.
    by_score : whether the map is coloured by the score instead of the group.

    BadInput on another name. A map that is not stored yet is computed.
    """
    from .. import figures  # Plotly, which the table of figures should not wait for

    about = title(comparison)
    match name:
        case "histogram":
            log = scale_of(views, scale) == "log"
            score = detector_info(comparison.run.spec.detector).score
            return [
                figures.histogram_figure(
                    views.scores(i),
                    threshold=threshold_at_fpr(run.scores["normal"], fpr),
                    title=f"{views.detectors[i].name}. {task(comparison)}",
                    log=log,
                    score=score,
                    about=f"{'' if run is comparison.run else comparison.borrowed} {comparison.shown}".strip(),
                )
                for i, run in enumerate(comparison.runs)
            ]
        case "roc":
            curves = dict(zip(comparison.names, comparison.test_scores(), strict=True))
            return [figures.roc_figure(curves, fpr, title=f"ROC. {about}")]
        case "map":
            names = [list(GROUP_COLOURS)[group] for group in views.group]
            return [
                figures.map_figure(
                    comparison.map(run),
                    names,
                    scores=detector.scores if by_score else None,
                    title=f"Map of {detector.name}. {task(comparison)}",
                )
                for run, detector in zip(comparison.runs, views.detectors, strict=True)
            ]
        case "reconstruction":
            some = np.concatenate([np.flatnonzero(views.group == group)[:SHOWN] for group in (NORMAL, ANOMALOUS)])
            pictures = {d.name: d.explanations[some] for d in views.detectors if d.explanations is not None}
            if not pictures:
                return []
            scores = {d.name: d.scores[some] for d in views.detectors}
            heading = f"{SHOWN} test normals and {SHOWN} anomalies. {about}"
            return [figures.reconstruction_figure(views.originals[some], pictures, scores, title=heading)]
    raise unknown("figure", name, FIGURES)
