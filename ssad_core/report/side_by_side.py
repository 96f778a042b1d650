"""Several runs on one task (Figs. 3, 6 to 9, 13 to 17, Table 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..colours import ANOMALOUS, NORMAL
from ..detectors import detector_info
from ..embedding import usable_perplexity
from ..encoders import default_encoder
from ..errors import BadInput, unknown
from ..histogram import Scale, confusion, scale_for, threshold_at_fpr
from ..lineup import labels, scored_on
from .alignment import baselines_of, draw_alignment, space_title
from .comparison import SHOWN
from .runs import draw_tasks
from .task import task

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ..bias import Bias
    from ..views import Comparison


# Of several runs on one task: Figs. 6, 7, 13 to 16; Figs. 8, 9 and 17; Table 2; and on every class: Fig. 3.
SIDE_BY_SIDE = ("reconstructions", "histograms", "rocs", "maps", "alignment", "bias", "tasks")


def draw_side_by_side(
    name: str,
    comparisons: Sequence[Comparison],
    *,
    fpr: float = 0.1,
    scale: Scale | None = None,
    encoder: str | None = None,
    by_score: bool = False,
) -> list[go.Figure]:
    """One of `SIDE_BY_SIDE` of several runs on one task. Histograms of detectors whose scores have no common unit get a
    figure each, and so does the bias of each run; of a baseline only if there is nothing else.

    Parameters
    ----------
    fpr, scale, by_score : as for `draw`.
    encoder : in whose space MMD is measured, of `encoders.ENCODERS`; None is the `default_encoder`.

    BadInput on another name, or when the runs were not scored on the same images.
    """
    if len({scored_on(comparison.run.spec) for comparison in comparisons}) > 1:
        raise BadInput("runs side by side must be of one data set, normal class, profile and number of test images")
    names = labels([comparison.run.spec for comparison in comparisons])
    comparisons = [replace(each, label=each.label or called) for each, called in zip(comparisons, names, strict=True)]
    match name:
        case "tasks":
            return [draw_tasks([comparison.run for comparison in comparisons])]
        case "rocs":
            return [_rocs(comparisons)]
        case "bias":
            return [draw_bias(comparison, comparison.bias()) for comparison in augmented(comparisons)]
        case "reconstructions":
            return _reconstructions(comparisons, fpr)
        case "maps":
            from ..views import same_sample  # torch, for which the table of figures should not wait

            return [_maps(group, by_score) for group in _by_detector(same_sample(comparisons))]
        case "alignment":
            groups = _by_detector(comparisons)
            return [figure for group in groups for figure in draw_alignment(group, encoder or _default_encoder(group))]
        case "histograms":
            groups = _by_detector(comparisons)
            return [_histograms(group, fpr, scale, encoder or _default_encoder(group)) for group in groups]
    raise unknown("figure", name, SIDE_BY_SIDE)


def _default_encoder(comparisons: Sequence[Comparison]) -> str:
    return default_encoder(baseline=all(comparison.baseline for comparison in comparisons))


def _by_detector(comparisons: Sequence[Comparison]) -> list[list[Comparison]]:
    groups: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        groups.setdefault(comparison.run.spec.detector, []).append(comparison)
    return list(groups.values())


def _reconstructions(comparisons: Sequence[Comparison], fpr: float) -> list[go.Figure]:
    from .. import figures

    pictures, scores, right = {}, {}, {}
    for comparison in comparisons:
        views = replace(comparison, baseline=None).views()
        (detector,) = views.detectors
        if detector.explanations is None:
            continue
        some = np.concatenate([np.flatnonzero(views.group == group)[:SHOWN] for group in (NORMAL, ANOMALOUS)])
        name, originals = f"{detector.name} (AUC {comparison.auc:.3f})", views.originals[some]
        pictures[name], scores[name] = detector.explanations[some], detector.scores[some]
        flagged = scores[name] >= threshold_at_fpr(comparison.run.scores["normal"], fpr)
        right[name] = flagged == (views.group[some] == ANOMALOUS)
    if not pictures:
        return []
    heading = f"{task(comparisons[0])}: {SHOWN} test normals and {SHOWN} anomalies, success or failure at FPR {fpr:.0%}"
    return [figures.reconstruction_figure(originals, pictures, scores, right, errors=False, title=heading)]


def _rocs(comparisons: Sequence[Comparison]) -> go.Figure:
    from .. import figures

    curves = {each.name: each.test_scores()[-1] for each in comparisons}
    return figures.roc_figure(curves, title=f"ROC. {task(comparisons[0])}")


def augmented(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Those whose run is no baseline; all of them when there is none."""
    return [comparison for comparison in comparisons if not comparison.run.spec.is_baseline] or list(comparisons)


def draw_bias(comparison: Comparison, bias: Bias, chosen: str | None = None) -> go.Figure:
    """A run's AUC and its baseline's on each class (Fig. 3), ``bias`` being the comparison's own; the ``chosen`` class is
    marked."""
    from .. import figures

    info = comparison.dataset.info
    normal = info.classes[comparison.run.spec.normal_class]
    against = f" against {bias.baseline}" if bias.baseline else ""
    return figures.bias_figure(bias, chosen=chosen, title=f"{info.title}, {normal}: {bias.run}{against}, by class")


def _histograms(comparisons: Sequence[Comparison], fpr: float, scale: Scale | None, encoder: str) -> go.Figure:
    from .. import figures

    first = comparisons[0]
    panels = []
    for comparison in comparisons:
        normal, anomalous = comparison.test_scores()[-1]
        threshold = threshold_at_fpr(normal, fpr)
        counts = confusion(normal, anomalous, threshold)
        note = f"AUC {comparison.auc:.3f}<br>TPR {counts.tpr:.1%}"
        if not comparison.run.spec.is_baseline:  # which has no augmented images
            note += f"<br>MMD {comparison.mmd(encoder, first.baseline).text}"
        panels.append(figures.ScorePanel(comparison.name, comparison.scores(), threshold, note))
    normal, every = [p.scores["test normal"] for p in panels], [s for p in panels for s in p.scores.values()]
    return figures.histograms_figure(
        panels,
        title=f"{task(first)}, thresholds at a false-positive rate ≤ {fpr:.1%}",
        log=scale_for(normal, every, scale) == "log",
        score=detector_info(first.run.spec.detector).score,
        about=f"MMD in {space_title(encoder, baselines_of(comparisons))}. {first.shown}".strip(),
    )


def _maps(comparisons: Sequence[Comparison], by_score: bool) -> go.Figure:
    from .. import figures

    panels, used = [], set()
    for comparison in comparisons:
        scores = comparison.scores()
        used.add(usable_perplexity(sum(map(len, scores.values()))))
        apart = [
            f"{name}: silhouette {found.silhouette:.2f}, purity {found.purity:.2f} (chance {found.chance:.2f})"
            for name, found in comparison.separations().items()
        ]
        panels.append(
            figures.MapPanel(
                comparison.name,
                comparison.own_map().xy,
                [name for name, values in scores.items() for _ in values],
                np.concatenate([*scores.values()]) if by_score else None,
                "<br>".join([f"AUC {comparison.auc:.3f}", *apart]),
            )
        )
    perplexity = " and ".join(f"{value:.3g}" for value in sorted(used))
    return figures.maps_figure(panels, title=f"{task(comparisons[0])}, t-SNE of perplexity {perplexity}, seed 0")
