"""What each detector makes of the same images, and of an anomaly made on the spot (Figs. 6, 13, 14)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.components.address import MOST_PINNED, PictureState, State, write_address
from pages.components.lineup import ask_fpr, lined_up, own_place
from pages.components.made import made_anomaly
from pages.components.part import part
from pages.components.picture_table import Column, Row, picture_table
from pages.components.router import show
from ssad_core.colours import ANOMALOUS, NORMAL
from ssad_core.detectors import detector_info
from ssad_core.histogram import threshold_at_fpr
from ssad_core.numbers import number
from ssad_core.question import anomaly_name
from ssad_core.reconstruction import ORDERS, order
from ssad_core.sprites import error_tiles

if TYPE_CHECKING:
    from ssad_core.views import Comparison, Views

EACH = 5  # images a side, beside the pinned ones


# A resource, not data: nobody changes these pictures, and a copy of them in every rerun takes a while.
@st.cache_resource(max_entries=12, show_spinner=False)
def _views(key: str, _comparison: Comparison) -> Views:
    return _comparison.views()


def the_same_images(state: State, comparisons: list[Comparison]) -> None:
    """The table of test images: normal left, anomalous right."""
    pictured = any(detector_info(comparison.run.spec.detector).pictures for comparison in comparisons)
    # Each run by itself: its baseline is in the lineup, or is not wanted.
    alone = [replace(comparison, baseline=None) for comparison in comparisons]
    views = [_views(comparison.key, comparison) for comparison in alone]
    sides = [np.flatnonzero(views[0].group == group) for group in (NORMAL, ANOMALOUS)]
    pictures = ask_order(state.pictures, pictured, max(map(len, sides)))
    scores = [[view.detectors[0].scores[view.group == group] for view in views] for group in (NORMAL, ANOMALOUS)]
    own = own_place(state, comparisons)  # the order is by its scores
    leading = [[group[own], *group[:own], *group[own + 1 :]] for group in scores]
    paired = comparisons[0].anomaly.paired
    orders = order(pictures.order, *leading, paired=paired)
    columns, places = _columns(pictures, orders, views[0], comparisons[0], sides)
    rows = [Row("Original", pictures=views[0].originals[places])]
    for comparison, view in zip(comparisons, views, strict=True):
        # The groups before differ in size where the training limits do; the test images are the same.
        shift = np.flatnonzero(view.group == NORMAL)[0] - sides[0][0]
        rows += _rows(comparison, view, places + shift, columns, state.views.fpr, pictures.errors)
    state.pictures = pictures

    def pin(point: int) -> None:
        pinned = set(state.pictures.images)
        same = pinned & ({point, point ^ 1} if paired else {point})  # of a pair either stands for both
        if same or len(pinned) < MOST_PINNED:
            state.pictures = replace(state.pictures, images=tuple(sorted(pinned - same if same else pinned | {point})))

    picture_table(columns, rows, key="pictures", on_click=pin)
    full = len(pictures.images) == MOST_PINNED
    st.caption(
        "A check: on the right side of the threshold. Click an image to pin it: pinned ones stay, in front. "
        + (f"These are {MOST_PINNED}, the most; let one go to pin another. " if full else "")
        + ("Each anomalous image is made of the normal one in the same place. " if paired else "")
        + ("Error maps share one scale: white is .5 of a pixel's range or more. " if pictures.errors else "")
        + "Measured here."
    )


def ask_order(last: PictureState, pictured: bool, count: int) -> PictureState:
    """Which images, at which of the ``count`` of a side to start, and, where there are pictures, whether to draw their
    errors."""
    which, start, errors = st.columns([3, 2, 2], vertical_alignment="bottom")
    chosen = which.selectbox(
        "Images",
        list(ORDERS),
        index=list(ORDERS).index(last.order),
        format_func=ORDERS.__getitem__,
        help="Mistakes and clear cases are those of the question's own run; images that the detectors disagree most about "
        "are compared by the false-positive rate at which each would just flag them.",
        key="ask-order",
    )
    first = start.number_input(
        "Start at image",
        1,
        count,
        min(last.start + 1, count),
        step=EACH,
        help=f"The first of the {EACH} images a side in that order.",
        key="ask-start",
    )
    shown = last.errors
    if pictured:
        shown = errors.toggle("Error maps", last.errors, help="Each pixel's absolute error.", key="ask-errors")
    return replace(last, order=chosen, start=first - 1, errors=shown)


def _columns(
    state: PictureState,
    orders: tuple[np.ndarray, np.ndarray],
    view: Views,
    comparison: Comparison,
    sides: list[np.ndarray],
) -> tuple[list[Column], np.ndarray]:
    """The columns, and their places among the points of the first run's views."""
    paired = comparison.anomaly.paired
    titles = "Normal", f"Anomalous: {anomaly_name(comparison.anomaly)}"
    columns, places = [], []
    for side, (indices, title, among) in enumerate(zip(orders, titles, sides, strict=True)):
        pinned = dict.fromkeys(point // 2 for point in state.images if paired or point % 2 == side)
        pins = [i for i in pinned if i < len(among)]
        start = min(state.start, max(0, len(indices) - EACH))
        rest = [int(i) for i in indices[start : start + EACH] if i not in pins]
        for i in [*pins, *rest]:
            name = f"{view.labels[among[i]]}, {'anomaly' if side else 'test normal'} {i + 1}"
            columns.append(Column(2 * i if paired else 2 * i + side, name, title, bool(side), i in pins))
            places.append(among[i])
    return columns, np.array(places)


def _rows(
    comparison: Comparison,
    view: Views,
    places: np.ndarray,
    columns: list[Column],
    fpr: float,
    errors: bool,
) -> list[Row]:
    """What one run makes of the images at these places of its views."""
    detector, info = view.detectors[0], detector_info(comparison.run.spec.detector)
    flagged = detector.scores[places] >= threshold_at_fpr(comparison.run.scores["normal"], fpr)
    right = [bool(flag == column.anomalous) for flag, column in zip(flagged, columns, strict=True)]
    texts = [number(score) for score in detector.scores[places]]
    if info.predicts:
        texts = [f"{detector.taken_for(i)[0]} {detector.taken_for(i)[1]:.0%}" for i in places]
    pictures = None if detector.explanations is None else detector.explanations[places]
    note = f"AUC {comparison.auc:.3f}"
    if pictures is None:
        note += "; takes it for" if info.predicts else f"; {info.explanation}"
    rows = [Row(detector.name, note, pictures, texts, right)]
    if errors and detector.errors is not None:
        rows.append(Row("error map", pictures=error_tiles(detector.errors[places])))
    return rows


@part
def reconstructions(state: State, comparisons: list[Comparison]) -> None:
    """Both tables, and the threshold that they have in common."""
    ask_fpr(state)
    the_same_images(state, comparisons)
    write_address(state)
    made_anomaly(state, comparisons)


def page() -> None:
    state, comparisons = lined_up()
    if comparisons:
        reconstructions(state, comparisons)


show(page)
