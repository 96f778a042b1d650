"""Stored runs that are laid beside each other on the comparing pages: listed, pinned, taken away."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.components.address import State
from pages.components.lineup import label_of, lay_pins, pins_beside, spec_of
from pages.components.markdown import plain
from pages.components.question import read
from ssad_core.errors import BadInput
from ssad_core.lineup import PINS, Lineup, line_up, pin, pinned_labels
from ssad_core.question import run_name
from ssad_core.spec import RunSpec


def show_pinned(state: State) -> Lineup | None:
    """What lies beside the question's own run, each with a button that takes it away. None, and a line that says why, where
    the question's images cannot be read."""
    question = state.question
    try:
        dataset = read(question.dataset)
        lineup = line_up(question, state.pins, dataset, spec_of)
    except BadInput as error:
        st.warning(f"What is pinned cannot be shown: {plain(str(error))}", icon=":material/keep_off:")
        return None
    pins, own = pins_beside(state), question.run(dataset)
    names = pinned_labels(own, [spec for spec in lineup.specs if spec.id in pins])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**Pinned** beside {run_name(own)} on {plain(f'{question.normal_class} ({dataset.info.title})')}:",
            width="content",
        )
        for text in pins:
            st.button(
                names.get(text) or label_of(text),
                icon=":material/close:",
                key=f"unpin-{text}",
                help="Takes it away from the comparing pages. The run itself stays.",
                on_click=lay_pins,
                args=(state, [other for other in pins if other != text]),
            )
        if pins:
            st.button(
                "Unpin all",
                icon=":material/keep_off:",
                type="tertiary",
                key="unpin-all",
                help="The question's run and its baseline stay; nothing is deleted.",
                on_click=lay_pins,
                args=(state, []),
            )
        else:
            st.caption("nothing yet. Pick runs in the table and pin them.", width="content")
    for line in lineup.left_out:
        st.warning(f"Left out: {plain(line)}.", icon=":material/block:")
    return lineup


def lay_beside(state: State, picked: Sequence[RunSpec]) -> None:
    """Pins runs. BadInput where those are about another question whose images are not here any more."""
    try:
        own = state.question.run(read(state.question.dataset))
    except BadInput:
        own = None
    pinned = pin(state.question, own, state.pins, picked)
    if pinned.question != state.question:
        text = f"The question is now {run_name(picked[0])}'s, of other images; what was pinned before is not any more."
        st.toast(text, icon=":material/info:", duration="long")
    elif state.pins == PINS:
        text = f"Pinned instead of {', '.join(map(label_of, PINS))}, which are there until something is pinned."
        st.toast(text, icon=":material/info:", duration="long")
    state.turn_to(pinned.question)
    state.pins = pinned.pins
    if pinned.left_out:
        st.toast(f"Not pinned: {'; '.join(pinned.left_out)}.", icon=":material/block:", duration="long")
