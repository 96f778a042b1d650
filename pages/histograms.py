"""Error histograms side by side: where each detector puts normal, augmented and anomalous images (Figs. 7, 15, 16)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from pages.components.address import CHOICES, State, write_address
from pages.components.chart import chart
from pages.components.encoder import ask_encoder
from pages.components.lineup import ask_fpr, encoders, lined_up
from pages.components.part import part
from pages.components.router import show
from ssad_core.report import draw_side_by_side

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ssad_core.views import Comparison


@st.cache_data(max_entries=32, show_spinner=False)
def _figures(key: str, fpr: float, scale: str, encoder: str, _comparisons: list[Comparison]) -> list[go.Figure]:
    return draw_side_by_side(
        "histograms", _comparisons, fpr=fpr, scale=None if scale == "auto" else scale, encoder=encoder
    )


def ask_look(state: State, comparisons: list[Comparison]) -> str:
    """The threshold and the scale, shared by all panels, and the MMD's space, which is returned."""
    ask_fpr(state)
    with st.container(horizontal=True, gap="medium"):
        chosen = st.segmented_control(
            "Score axis",
            CHOICES["scale"],
            default=state.views.scale,
            required=True,
            format_func=str.capitalize,
            help="Auto: logarithmic where the normals would else fill one bin.",
            key="ask-scale",
        )
        encoder = ask_encoder(
            state,
            encoders(comparisons),
            "MMD measured in",
            "Squared maximum mean discrepancy between aug(train) and the anomalies (App. G, Eq. 1): smaller is better "
            "aligned. The baseline's code is one space for all augmentations.",
            "ask-encoder",
        )
    state.views = replace(state.views, scale=chosen)
    return encoder


@part
def histograms(state: State, comparisons: list[Comparison]) -> None:
    """The figure, one for each unit of scores, and what can be set."""
    encoder = ask_look(state, comparisons)
    write_address(state)
    key = "-".join(comparison.key for comparison in comparisons)
    for i, figure in enumerate(_figures(key, state.views.fpr, state.views.scale, encoder, comparisons)):
        chart(figure, key=f"histograms-{i}")
    st.caption(
        "Per cent of each group on common bins. Aligned, the augmented images lie where the anomalies do, and both right of "
        "the normals; the dashed line is the threshold, TPR what it finds. MMD is between "
        "the augmented images and the anomalies, ± its spread over draws of them. A baseline is trained without aug and so "
        "has none of its own; the Lab shows it the run's. "
        f"Measured here. {comparisons[0].shown}"
    )


def page() -> None:
    state, comparisons = lined_up()
    if comparisons:
        histograms(state, comparisons)


show(page)
