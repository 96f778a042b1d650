"""The matrix of MMD between augs and anomalies on a page: measured while somebody looks, explained, downloaded."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence

import streamlit as st

from pages.components.background import compute_missing
from pages.components.batch import POLL
from pages.components.chart import chart
from pages.components.markdown import plain
from ssad_core.alignment import Alignment, Cells, aug_of, outcomes, table
from ssad_core.data import Dataset
from ssad_core.encoders import ENCODERS, is_published
from ssad_core.mmd import DRAWS, PERMUTATIONS, M
from ssad_core.numbers import counted, number
from ssad_core.question import Question, anomaly_name
from ssad_core.report import SIGNIFICANT, alignment_matrix, space_title, task_title
from ssad_core.spec import Anomaly
from ssad_core.statistics import FEW
from ssad_core.store import StoredRun

SLICE = 5.0  # seconds of measuring at a time: other views' computations wait for it

Pairs = Sequence[tuple[StoredRun, StoredRun | None]]


def show_matrix(
    alignment: Alignment,
    encoder: str,
    pairs: Pairs,
    question: Question,
    dataset: Dataset,
    baseline: StoredRun | None,
) -> Cells:
    """The matrix as far as it is known, and the rest on its way."""
    from ssad_core.evaluate import has_results  # torch, which may still be loading

    kept = st.session_state.setdefault("alignments", {})
    cells = kept[alignment.key] if alignment.key in kept else alignment.cells()
    if len(cells) == alignment.size:
        kept[alignment.key] = cells
    space = space_title(encoder, [baseline] if baseline else [])
    title = f"{task_title(dataset, question.normal_class, question.anomaly)}<br>MMD in {space}"

    def draw(found: Cells) -> None:
        aug = aug_of(question.augment, question.params)
        chart(alignment_matrix(alignment, found, question.anomaly, title, aug), key="matrix")

    scored = all(has_results(run, question.anomaly) for pair in pairs for run in pair if run)
    if len(cells) == alignment.size and scored:
        _say_best(alignment, cells, question)
        draw(cells)
    else:
        _measure(alignment, cells, pairs, question.anomaly, draw)
    _explain(alignment, cells, encoder, space, dataset)
    _downloads(alignment, cells, question)
    return cells


def _measure(alignment: Alignment, cells: Cells, pairs: Pairs, anomaly: Anomaly, draw: Callable[[Cells], None]) -> None:
    """Measures what is missing of the ``cells``, and scores what is not scored yet, as long as somebody looks; meanwhile the
    matrix is drawn as far as it is known."""

    def work() -> None:
        filled = alignment.fill(anomaly, SLICE)
        if len(filled) == alignment.size:
            outcomes(filled, pairs, alignment.columns, alignment.dataset)

    def meanwhile() -> None:
        found = alignment.cells()
        if alignment.is_whole(found, anomaly) and not alignment.is_whole(cells, anomaly):
            st.rerun(scope="app")  # what follows from the question's column is drawn beside the matrix
        slow = any(ENCODERS[space.encoder].network for space in alignment.spaces.values())
        once = " ResNet50 looks at each set of images once; that takes a while." if slow else ""
        st.caption(f"Measuring: {len(found)} of {alignment.size} cells are there.{once}")
        draw(found)

    name = f"alignment-{alignment.key}-{len(pairs)}"
    # Looked at less often than a map: cells are many files.
    failed = compute_missing({name: work}, "alignment", meanwhile, POLL)
    if name in failed:
        st.warning(f"Not all of it could be measured: {plain(failed[name])}", icon=":material/error:")
        draw(cells)


def _say_best(alignment: Alignment, cells: Cells, question: Question) -> None:
    """Which aug is the best aligned one with the question's anomaly, and how the matched one stands."""
    if not alignment.ranked:
        return
    anomaly = question.anomaly
    order = sorted(alignment.rows, key=lambda aug: cells[aug, anomaly].value)
    first = cells[order[0], anomaly]
    if first.m < FEW:
        return
    near = sum(cells[aug, anomaly].value <= first.value + first.spread for aug in order[1:])
    lead = "Smallest MMD" if near else "Best aligned"
    st.markdown(f"#### {lead} with {plain(anomaly_name(anomaly))}: {order[0].label}, MMD {first.text}")
    if near:
        st.caption(
            f"No clear winner: {near} more {'lies' if near == 1 else 'lie'} within its spread over draws of images."
        )
    same = [aug for aug in order if anomaly.paired and aug == aug_of(anomaly.name, anomaly.params)]
    if same and same[0] != order[0]:
        place, cell = order.index(same[0]) + 1, cells[same[0], anomaly]
        st.caption(
            f"The aug that is the gen, {same[0].label}, comes in place {place} of {len(order)}, with {number(cell.value)}: "
            "the anomalies are made of test images, aug's of training images, and these differ too."
        )


def _explain(alignment: Alignment, cells: Cells, encoder: str, space: str, dataset: Dataset) -> None:
    lines = [
        f"Squared MMD (App. G, Eq. 1) between training images under aug, a row, and anomalies, a column, in {space}: smaller "
        f"is better aligned. Each number is the mean over {DRAWS} draws of {M} of the images that the views show, or of all "
        "of them if there are fewer; hover for the spread."
    ]
    sizes = [cell.m for cell in cells.values()] or [M]
    marked = max(sizes) >= FEW
    if marked and alignment.ranked:
        lines.append("A frame marks the best aug of a column. Columns differ in their anomalies; compare within one.")
    if not dataset.info.independent:
        lines.append("There are no p-values: patches of one photograph overlap, so they are not independent.")
    elif marked:
        lines.append(
            f"≈ stands where a permutation test cannot tell the two sets apart (p of {SIGNIFICANT} or more; {PERMUTATIONS:,} "
            "permutations)."
        )
    if min(sizes) < FEW:
        lines.append(
            f"Here a set has as few as {counted(min(sizes), 'image')}. Of fewer than {FEW} nothing is marked: they show "
            "neither which aug is best nor whether two sets differ."
        )
    lines.append(
        "This is the paper's encoder; Table 2 averages over all pairs of classes, and does not say how it showed the images."
        if is_published(encoder)
        else "This is not the paper's encoder: nothing here compares with Table 2."
    )
    st.caption(" ".join(lines) + " Measured here.")


def _downloads(alignment: Alignment, cells: Cells, question: Question) -> None:
    def text() -> str:
        file = io.StringIO()
        csv.writer(file).writerows(table(cells))
        return file.getvalue()

    st.download_button(
        "Matrix (CSV)",
        data=text,
        file_name=f"alignment-{question.dataset.rpartition('/')[2]}-{question.normal_class}.csv",
        mime="text/csv",
        icon=":material/download:",
        help="Every cell with its mean, spread, size, number of draws and p-value.",
        key="download-matrix",
        on_click="ignore",
    )
