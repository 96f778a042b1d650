"""A comparison's or a sweep's figures as Plotly draws them, for pages, downloads, the command line and notebooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from . import augment
from .alignment import Alignment, Aug, Cells, Outcome, aug_of, best, outcomes
from .detectors import detector_info
from .encoders import encoder_info, is_published
from .errors import BadInput, unknown
from .histogram import confusion, scale_for, threshold_at_fpr
from .lineup import labels
from .question import anomaly_name, run_name
from .spec import CONTROLLED, Anomaly
from .whatif import Point, Sweep, gain, gens, varied

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from .bias import Bias
    from .data import Dataset
    from .mmd import MmdEstimate
    from .spec import Anomaly, RunSpec
    from .statistics import Estimate
    from .store import StoredRun
    from .views import Comparison, Views

FIGURES = ("histogram", "roc", "map", "reconstruction")  # of Figs. 6 to 9 and 13 to 17, and the ROC curve
# Of several runs on one task: Figs. 6, 7, 13 to 16; Figs. 8, 9 and 17; Table 2; and on every class: Fig. 3.
SIDE_BY_SIDE = ("reconstructions", "histograms", "maps", "alignment", "bias")
SWEEPS = ("sweep", "surface")  # Fig. 4a, and AUC over aug's and gen's parameter
SIGNIFICANT = 0.05
SHOWN = 5  # images a side in the reconstructions

Scale = Literal["linear", "log"]


def title(comparison: Comparison) -> str:
    """The task and the run in words."""
    return f"{task(comparison)}: {run_name(comparison.run.spec)}"


def task(comparison: Comparison) -> str:
    """The task in words."""
    normal = comparison.dataset.info.classes[comparison.run.spec.normal_class]
    return task_title(comparison.dataset, normal, comparison.anomaly)


def task_title(dataset: Dataset, normal_class: str, anomaly: Anomaly) -> str:
    """A task in words."""
    return f"{dataset.info.title}, {normal_class} against {anomaly_name(anomaly)}"


def scale_of(views: Views) -> Scale:
    """The scale of a score axis that the detectors share, as long as nobody has chosen one."""
    return scale_for([d.scores[views.group == 2] for d in views.detectors], [d.scores for d in views.detectors])


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
    scale : of the score axis; None is `scale_of`.
    by_score : whether the map is coloured by the score instead of the group.

    BadInput on another name. A map that is not stored yet is computed.
    """
    from . import figures  # Plotly, which the table of figures should not wait for

    about = title(comparison)
    match name:
        case "histogram":
            groups = {d.name: views.scores(i) for i, d in enumerate(views.detectors)}
            log = (scale or scale_of(views)) == "log"
            return [
                figures.histogram_figure(
                    scores,
                    threshold=threshold_at_fpr(scores["test normal"], fpr),
                    title=f"{detector}. {about}",
                    log=log,
                )
                for detector, scores in groups.items()
            ]
        case "roc":
            curves = {
                d.name: (views.scores(i)["test normal"], views.scores(i)["test anomalous"])
                for i, d in enumerate(views.detectors)
            }
            return [figures.roc_figure(curves, fpr, title=f"ROC. {about}")]
        case "map":
            names = [list(figures.GROUP_COLOURS)[group] for group in views.group]
            return [
                figures.map_figure(
                    comparison.map(run),
                    names,
                    scores=detector.scores if by_score else None,
                    title=f"Map of {detector.name}. {about}",
                )
                for run, detector in zip(comparison.runs, views.detectors, strict=True)
            ]
        case "reconstruction":
            some = np.concatenate([np.flatnonzero(views.group == group)[:SHOWN] for group in (2, 3)])
            pictures = {d.name: d.explanations[some] for d in views.detectors if d.explanations is not None}
            if not pictures:
                return []
            scores = {d.name: d.scores[some] for d in views.detectors}
            heading = f"{SHOWN} test normals and {SHOWN} anomalies. {about}"
            return [figures.reconstruction_figure(views.originals[some], pictures, scores, title=heading)]
    raise unknown("figure", name, FIGURES)


def draw_side_by_side(
    name: str,
    comparisons: Sequence[Comparison],
    *,
    fpr: float = 0.1,
    scale: Scale | None = None,
    encoder: str | None = None,
    by_score: bool = False,
    perplexity: float = 30.0,
    seed: int = 0,
) -> list[go.Figure]:
    """One of `SIDE_BY_SIDE` of several runs on one task. Histograms of detectors whose scores have no common unit get a
    figure each, and so does the bias of each run; of a baseline only if there is nothing else.

    Parameters
    ----------
    fpr, scale, by_score : as for `draw`.
    encoder : in whose space MMD is measured, of `encoders.ENCODERS`; None is the baseline's code, where all have a baseline.
    perplexity, seed : of the maps (`embedding.tsne`), which are computed if they are not stored yet.

    BadInput on another name, or when the runs are not of one data set and normal class.
    """
    if name not in SIDE_BY_SIDE:
        raise unknown("figure", name, SIDE_BY_SIDE)
    if len({c.run.spec.fingerprint + str(c.run.spec.normal_class) for c in comparisons}) > 1:
        raise BadInput("runs side by side must be of one data set and normal class")
    if name == "bias":
        return [draw_bias(comparison, comparison.bias()) for comparison in augmented(comparisons)]
    if name == "reconstructions":
        return _reconstructions(comparisons, fpr)
    if name == "maps":
        from .views import same_sample  # torch, for which the table of figures should not wait

        comparisons = same_sample(comparisons)
    by_detector: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        by_detector.setdefault(comparison.run.spec.detector, []).append(comparison)
    if name == "maps":
        return [_maps(group, by_score, perplexity, seed) for group in by_detector.values()]
    if name == "alignment":
        return [figure for group in by_detector.values() for figure in _alignment(group, encoder)]
    encoder = encoder or ("baseline" if all(c.baseline for c in comparisons) else "run")
    return [_histograms(group, fpr, scale, encoder) for group in by_detector.values()]


def _reconstructions(comparisons: Sequence[Comparison], fpr: float) -> list[go.Figure]:
    from . import figures

    pictures, scores, right = {}, {}, {}
    for comparison in comparisons:
        views = replace(comparison, baseline=None).views()
        (detector,) = views.detectors
        if detector.explanations is None:
            continue
        some = np.concatenate([np.flatnonzero(views.group == group)[:SHOWN] for group in (2, 3)])
        name, originals = f"{detector.name} (AUC {comparison.auc:.3f})", views.originals[some]
        pictures[name], scores[name] = detector.explanations[some], detector.scores[some]
        flagged = scores[name] >= threshold_at_fpr(views.scores(0)["test normal"], fpr)
        right[name] = flagged == (views.group[some] == 3)
    if not pictures:
        return []
    heading = f"{task(comparisons[0])}: {SHOWN} test normals and {SHOWN} anomalies, success or failure at FPR {fpr:.0%}"
    return [figures.reconstruction_figure(originals, pictures, scores, right, errors=False, title=heading)]


def augmented(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Those whose run is no baseline; all of them when there is none."""
    return [comparison for comparison in comparisons if not comparison.run.spec.is_baseline] or list(comparisons)


def draw_bias(comparison: Comparison, bias: Bias, chosen: str | None = None) -> go.Figure:
    """A run's AUC and its baseline's on each class (Fig. 3), ``bias`` being the comparison's own; the ``chosen`` class is
    marked."""
    from . import figures

    info = comparison.dataset.info
    normal = info.classes[comparison.run.spec.normal_class]
    against = f" against {bias.baseline}" if bias.baseline else ""
    return figures.bias_figure(bias, chosen=chosen, title=f"{info.title}, {normal}: {bias.run}{against}, by class")


def _histograms(comparisons: Sequence[Comparison], fpr: float, scale: Scale | None, encoder: str) -> go.Figure:
    from . import figures

    panels = []
    for comparison in comparisons:
        scores = comparison.scores()
        threshold = threshold_at_fpr(scores["test normal"], fpr)
        counts = confusion(scores["test normal"], scores["test anomalous"], threshold)
        distance = comparison.mmd(encoder).value
        note = f"AUC {comparison.auc:.3f}, MMD {distance:.3g}, TPR {counts.tpr:.0%}"
        panels.append(figures.ScorePanel(run_name(comparison.run.spec), scores, threshold, note))
    chosen = scale or scale_for(
        [p.scores["test normal"] for p in panels], [s for p in panels for s in p.scores.values()]
    )
    return figures.histograms_figure(
        panels,
        title=f"{task(comparisons[0])}, thresholds at a false-positive rate of {fpr:.1%}",
        log=chosen == "log",
        score=detector_info(comparisons[0].run.spec.detector).score,
    )


def _alignment(comparisons: Sequence[Comparison], encoder: str | None) -> list[go.Figure]:
    """The matrix and, where all share a space, the scatter of one detector's runs."""
    first = comparisons[0]
    baseline, anomaly = first.baseline, first.anomaly
    encoder = encoder or ("baseline" if baseline else "run")
    runs = [comparison.run for comparison in comparisons]
    more = [aug_of(run.spec.augment, run.spec.params) for run in runs]
    matrix = Alignment.of(encoder, first.run.spec, first.dataset, anomaly, more=more, baseline=baseline, runs=runs)
    cells = matrix.fill(anomaly)
    space = space_title(encoder, baseline)
    drawn = [alignment_matrix(matrix, cells, anomaly, f"{task(first)}: MMD in {space}", aug=more[-1])]
    if not encoder_info(encoder).one_space:
        return drawn
    pairs = [(comparison.run, comparison.baseline) for comparison in comparisons]
    found = outcomes(cells, pairs, matrix.columns, first.samples)
    spans = {aug_of(run.spec.augment, run.spec.params): gain(run, base, anomaly, first.dataset) for run, base in pairs}
    return [
        *drawn,
        alignment_scatter(
            found, anomaly, spans, f"{task(first)}: does MMD in {space} predict success?", baseline is not None
        ),
    ]


def space_title(encoder: str, baseline: StoredRun | None) -> str:
    """The space of an encoder in words: whose code, which weights, how images are shown to it. BadInput on weights that
    cannot be read."""
    info = encoder_info(encoder)
    if encoder == "baseline" and baseline is not None:
        return f"the code of {run_name(baseline.spec)}"
    if not info.imagenet:
        return info.title
    weights = "ImageNet weights" if is_published(encoder) else "weights of your own"
    seen = f"images {'resized to 224 x 224' if info.enlarged else 'as they are'}"
    return f"ResNet50, {weights}, {seen}, {'normalised' if info.normalised else 'not normalised'}"


def alignment_matrix(matrix: Alignment, cells: Cells, anomaly: Anomaly, title: str, aug: Aug) -> go.Figure:
    """What is known of a matrix; the smallest value of each column is framed where the rows share a space and all of the
    column is known. The names of ``anomaly`` and ``aug`` are bold."""
    from . import figures

    ranked = {a: best(cells, a) for a in matrix.columns if matrix.ranked and matrix.is_whole(cells, a)}
    return figures.matrix_figure(
        {
            (row.label, _column(kind)): figures.MatrixCell(cell.value, _cell_text(cell), _cell_hover(row, kind, cell))
            for (row, kind), cell in cells.items()
        },
        {row.label: _colour(row) for row in matrix.rows},
        [_column(kind) for kind in matrix.columns],
        best={_column(kind): row.label for kind, row in ranked.items()},
        chosen=(aug.label, _column(anomaly)),
        measure="MMD",
        title=title,
    )


def _column(anomaly: Anomaly) -> str:
    """An anomaly in a narrow column."""
    if anomaly.kind == "rest":
        return "all others"
    return f"gen {anomaly_name(anomaly)}" if anomaly.kind == "gen" else anomaly_name(anomaly)


def _colour(aug: Aug) -> str:
    return augment.CATEGORY_COLOURS[augment.AUGMENTATIONS[aug.name].category]


def _cell_text(cell: MmdEstimate) -> str:
    value = cell.value
    unit, value = ("k", value / 1000) if value >= 1000 else ("", value)
    number = f"{value:.2g}" if value < 0.1 else f"{value:.2f}" if value < 10 else f"{value:,.0f}"
    number += unit
    return f"{number} ≈" if cell.p is not None and cell.p >= SIGNIFICANT else number


def _cell_hover(aug: Aug, anomaly: Anomaly, cell: MmdEstimate) -> str:
    p = f"p = {cell.p:.3f}" if cell.p is not None else "no p-value: images overlap"
    drawn = f" ± {cell.spread:.2g} over {cell.draws} draws of {cell.m} images" if cell.sampled else f", {cell.m} images"
    return f"aug {aug.label}, {_column(anomaly)}:<br>MMD {cell.value:.4g}{drawn}<br>{p}"


def alignment_scatter(
    found: Sequence[Outcome], anomaly: Anomaly, spans: Mapping[Aug, Estimate], title: str, relative: bool
) -> go.Figure:
    """Measured success against MMD: each aug on ``anomaly`` with its interval, and small the same on the other columns."""
    from . import figures

    def drawn(point: Outcome, name: str, span: Estimate | None = None) -> figures.ScatterPoint:
        interval = (span.low, span.high) if span else None
        return figures.ScatterPoint(name, _colour(point.aug), point.mmd, point.gain, interval)

    return figures.scatter_figure(
        [drawn(p, p.aug.label, spans.get(p.aug)) for p in found if p.anomaly == anomaly],
        [drawn(p, f"{p.aug.label} on {_column(p.anomaly)}") for p in found if p.anomaly != anomaly],
        x_title="MMD between aug(train) and the anomalies",
        y_title="relative AUC" if relative else "AUC",
        level=0.0 if relative else 0.5,
        title=title,
    )


def task_aucs(run: StoredRun) -> dict[Anomaly, float]:
    """The AUC of each task that a run is scored on with its training."""
    auc = run.result["auc"]
    classes = [Anomaly("class", key.removeprefix("class:")) for key in auc if key.startswith("class:")]
    tasks = [*CONTROLLED, *classes, *([Anomaly("rest")] if len(classes) > 1 else [])]
    return {task: auc[task.key] for task in tasks if task.key in auc}


def draw_tasks(runs: Sequence[StoredRun]) -> go.Figure:
    """The AUC of stored runs, of whatever data sets, on each of their tasks."""
    from . import figures

    found = [task_aucs(run) for run in runs]
    tasks = sorted(
        {task: None for each in found for task in each}, key=lambda task: ("gen", "class", "rest").index(task.kind)
    )
    auc = np.array([[each.get(task, np.nan) for each in found] for task in tasks])
    names = [f"{'gen: ' if task.paired else ''}{anomaly_name(task)}" for task in tasks]
    return figures.tasks_figure(auc, names, labels([run.spec for run in runs]), title="AUC by task")


def draw_rocs(runs: Sequence[StoredRun], anomaly: Anomaly) -> go.Figure:
    """The ROC curves of stored runs on one of the tasks that all of them have in `task_aucs`."""
    from . import figures

    names = labels([run.spec for run in runs])
    curves = {name: (run.scores["normal"], _stored_scores(run, anomaly)) for name, run in zip(names, runs, strict=True)}
    fig = figures.roc_figure(curves, title=f"ROC curves on {anomaly_name(anomaly)}")
    return fig.update_layout(legend={"orientation": "v", "x": 1.02, "y": 1, "yanchor": "top"})


def _stored_scores(run: StoredRun, anomaly: Anomaly) -> np.ndarray:
    if anomaly.kind == "rest":
        return np.concatenate([scores for key, scores in run.scores.items() if key.startswith("class:")])
    return run.scores[anomaly.key]


def _maps(comparisons: Sequence[Comparison], by_score: bool, perplexity: float, seed: int) -> go.Figure:
    from . import figures

    panels = []
    for comparison in comparisons:
        scores = comparison.scores()
        apart = [
            f"{name}: silhouette {found.silhouette:.2f}, purity {found.purity:.2f}"
            for name, found in comparison.separations().items()
        ]
        panels.append(
            figures.MapPanel(
                run_name(comparison.run.spec),
                comparison.own_map(perplexity=perplexity, seed=seed).xy,
                [name for name, values in scores.items() for _ in values],
                np.concatenate([*scores.values()]) if by_score else None,
                "<br>".join([f"AUC {comparison.auc:.3f}", *apart]),
            )
        )
    return figures.maps_figure(panels, title=f"{task(comparisons[0])}, t-SNE of perplexity {perplexity:g}, seed {seed}")


def draw_sweep(
    name: str,
    run: StoredRun,
    stored: Sequence[StoredRun],
    anomaly: Anomaly,
    dataset: Dataset,
    classes: Sequence[int] = (),
) -> go.Figure:
    """One of `SWEEPS` of the ``stored`` runs that differ from ``run`` in the parameter, the seed and, among ``classes``, the
    normal class alone.

    BadInput on another name, or when aug, or of a surface gen, has no continuous parameter.
    """
    if name not in SWEEPS:
        raise unknown("figure", name, SWEEPS)
    seeds = sorted({other.spec.seed for other in stored if alike(other.spec, run.spec)})
    sweep, runs = Sweep(run.spec, tuple(seeds), tuple(classes)), {other.id: other for other in stored}
    if name == "sweep":
        points = sweep.points(runs, lambda run, baseline: gain(run, baseline, anomaly, dataset))
        return curve(sweep, points, anomaly, dataset)
    anomalies = gens(anomaly.name, run.spec.profile)
    return surface(sweep, sweep.surface(runs, list(anomalies.values()), dataset), anomaly)


def alike(spec: RunSpec, other: RunSpec) -> bool:
    """Whether two runs differ in aug's parameters, seed and normal class alone."""
    return replace(spec, params=other.params, seed=other.seed, normal_class=other.normal_class) == other


def curve(
    sweep: Sweep, points: Sequence[Point], anomaly: Anomaly, dataset: Dataset, chosen: float | None = None
) -> go.Figure:
    """A sweep's points against aug's parameter; a line where it has the ``chosen`` value."""
    from . import figures

    there = [point.value for point in points]
    measure = "Relative AUC" if sweep.has_baseline else "AUC"
    names = dataset.info.classes
    each = {
        f"{names[label]}, seed {seed}": {p.value: p.each[seed, label].value for p in points if (seed, label) in p.each}
        for seed, label in sweep.repeats
    }
    return figures.sweep_figure(
        there,
        [point.mean for point in points],
        [point.interval for point in points],
        each=each if len(sweep.repeats) > 1 else None,
        missing=[value for value in sweep.values if value not in there],
        chosen=chosen,
        parameter=f"aug's {sweep.parameter.title}",
        measure=measure,
        level=0.0 if sweep.has_baseline else 0.5,
        title=f"{measure} of {_varied_run(sweep)} on {anomaly_name(anomaly)}",
    )


def surface(sweep: Sweep, auc: np.ndarray, anomaly: Anomaly) -> go.Figure:
    """`Sweep.surface` over the values of ``anomaly``'s gen."""
    from . import figures

    return figures.surface_figure(
        auc,
        sweep.values,
        list(gens(anomaly.name, sweep.run.profile)),
        row_title=f"aug's {sweep.parameter.title}",
        column_title=f"gen's {varied(anomaly.name, 'gen').title}",
        diagonal=anomaly.name == sweep.run.augment,
        title=f"AUC of {_varied_run(sweep)} on {anomaly_name(replace(anomaly, params=()))}, by both parameters",
    )


def _varied_run(sweep: Sweep) -> str:
    """The detector and aug without the value: "DAE-CutOut"."""
    return run_name(replace(sweep.run, params=()))
