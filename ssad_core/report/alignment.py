"""How well augs are aligned with anomalies, and whether that predicts success (App. G, Table 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .. import augment
from ..alignment import Alignment, Aug, Cells, Outcome, aug_of, best, outcomes, pairs_of
from ..detectors import detector_info
from ..encoders import encoder_info, is_published
from ..lineup import labels
from ..numbers import counted, number
from ..question import anomaly_name
from ..statistics import FEW
from ..whatif import gain
from .task import task

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from .. import figures
    from ..mmd import MmdEstimate
    from ..spec import Anomaly
    from ..statistics import Estimate
    from ..store import StoredRun
    from ..views import Comparison

SIGNIFICANT = 0.05


def draw_alignment(comparisons: Sequence[Comparison], encoder: str) -> list[go.Figure]:
    """The matrix and, where all share a space, the scatter of one detector's runs."""
    first = comparisons[0]
    baseline, anomaly = first.baseline, first.anomaly
    runs = [comparison.run for comparison in comparisons]
    more = [aug_of(run.spec.augment, run.spec.params) for run in runs]
    matrix = Alignment.of(encoder, first.run.spec, first.dataset, anomaly, more=more, baseline=baseline, runs=runs)
    cells = matrix.fill(anomaly)
    space = space_title(encoder, baselines_of(comparisons))
    drawn = [alignment_matrix(matrix, cells, anomaly, f"{task(first)}: MMD in {space}", aug=more[-1])]
    if not encoder_info(encoder).one_space:
        return drawn
    pairs = pairs_of(runs, {base.id: base for base in baselines_of(comparisons)})
    found = outcomes(cells, pairs, matrix.columns, first.dataset)
    if not found:
        return drawn
    spans = {run.id: gain(run, base, anomaly, first.dataset) for run, base in pairs}
    relative = detector_info(first.run.spec.detector).baseline is not None
    about = f"{task(first)}: does MMD in {space} predict success?"
    return [*drawn, alignment_scatter(found, anomaly, spans, about, relative)]


def baselines_of(comparisons: Sequence[Comparison]) -> list[StoredRun]:
    """Those that there are."""
    return [comparison.baseline for comparison in comparisons if comparison.baseline]


def space_title(encoder: str, baselines: Sequence[StoredRun]) -> str:
    """The space of an encoder in words: whose code, the first one's of the ``baselines``, which weights, how images are shown
    to it. BadInput on weights that cannot be read."""
    info = encoder_info(encoder)
    if encoder == "baseline" and baselines:
        return f"the code of {labels(list(dict.fromkeys(run.spec for run in baselines)))[0]}"
    if not info.imagenet:
        return info.title
    weights = "ImageNet weights" if is_published(encoder) else "weights of your own"
    seen = f"images {'resized to 224 x 224' if info.enlarged else 'as they are'}"
    return f"ResNet50, {weights}, {seen}, {'normalised' if info.normalised else 'not normalised'}"


def alignment_matrix(matrix: Alignment, cells: Cells, anomaly: Anomaly, title: str, aug: Aug) -> go.Figure:
    """What is known of a matrix; the smallest value of each column is framed where the rows share a space, all of the column
    is known, and it is not of too few images. The names of ``anomaly`` and ``aug`` are bold."""
    from .. import figures

    whole = [a for a in matrix.columns if matrix.ranked and matrix.is_whole(cells, a)]
    ranked = {a: best(cells, a) for a in whole if not any(cells[aug, a].m < FEW for aug in matrix.rows)}
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
    text = number(cell.value, digits=2)
    return f"{text} ≈" if cell.p is not None and cell.p >= SIGNIFICANT and cell.m >= FEW else text


def _cell_hover(aug: Aug, anomaly: Anomaly, cell: MmdEstimate) -> str:
    p = f"p = {cell.p:.3f}" if cell.p is not None else "no p-value: images overlap"
    drawn = f" over {cell.draws} draws of {cell.m} images" if cell.sampled else f", {counted(cell.m, 'image')}"
    return f"aug {aug.label}, {_column(anomaly)}:<br>MMD {cell.text}{drawn}<br>{p}"


def alignment_scatter(
    found: Sequence[Outcome], anomaly: Anomaly, spans: Mapping[str, Estimate], title: str, relative: bool
) -> go.Figure:
    """Measured success against MMD: each aug on ``anomaly`` with its interval, ``spans`` by the run's id, and small the same
    on the other columns."""
    from .. import figures

    def drawn(point: Outcome, name: str, span: Estimate | None = None) -> figures.ScatterPoint:
        interval = (span.low, span.high) if span and not span.few else None
        return figures.ScatterPoint(name, _colour(point.aug), point.mmd, point.gain, interval)

    return figures.scatter_figure(
        [drawn(p, p.aug.label, spans.get(p.run)) for p in found if p.anomaly == anomaly],
        [drawn(p, f"{p.aug.label} on {_column(p.anomaly)}") for p in found if p.anomaly != anomaly],
        x_title="MMD between aug(train) and the anomalies",
        y_title="relative AUC" if relative else "AUC",
        level=0.0 if relative else 0.5,
        title=title,
    )
