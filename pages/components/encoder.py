"""In whose space MMD is measured, asked for on a page."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages.components.address import State


def ask_encoder(state: State, known: Mapping[str, str], label: str, help_text: str, key: str) -> str:
    """Asks for one of the ``known`` encoders, which have a label each; "resnet50" stands for however it is shown images. One
    that another page has set and this one does not offer stays set, and the first stands in."""
    kind = state.encoder.partition("-")[0]
    shown = kind if kind in known else next(iter(known))
    chosen = st.segmented_control(
        label,
        list(known),
        default=shown,
        required=True,
        format_func=known.__getitem__,
        help=help_text,
        key=key,
    )
    if chosen != shown:
        state.encoder = chosen
    return chosen
