"""Over settings: whether augs keep their order where the detector's other hyperparameters are others (Obs. 2, Fig. 4b)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from pages.components.address import State, session, write_address
from pages.components.batch import progress, stored_of
from pages.components.chart import chart
from pages.components.markdown import plain
from pages.components.part import part
from pages.components.question import asked_for, has_gains, read, words
from pages.components.router import show
from pages.components.service import prepare_in_background
from pages.components.training import UNJUDGED, say_warnings
from ssad_core import augment
from ssad_core.numbers import decimal
from ssad_core.question import Question, anomaly_name
from ssad_core.report import draw_settings, lead
from ssad_core.spec import TITLES, exact
from ssad_core.testbed import Gain, Spread, agreement_of, gains, spreads, trainings_of
from ssad_core.variants import DECAYS, VARIED, variants

LEFT = "settings left"  # in the session: a clicked dot's settings, and those that varied then


def come_back(state: State) -> None:
    """Asks with the settings again that varied when a dot was clicked, unless they were changed since."""
    opened, varied = st.session_state.pop(LEFT, (None, None))
    if state.question.settings == opened:
        state.turn_to(replace(state.question, settings=varied))


def ask_varied(state: State, question: Question) -> None:
    """Which settings vary, and what that comes to."""
    chosen = st.pills(
        "Settings that vary",
        VARIED,
        selection_mode="multi",
        default=state.vary,
        format_func=TITLES.__getitem__,
        help=f"Each at half and at all of its value, weight decay at {' and '.join(map(exact, DECAYS))}, in all "
        "combinations: with all four 16, as in the paper's Fig. 4b.",
        key="vary",
    )
    state.vary = tuple(name for name in VARIED if name in chosen)
    every = variants(question.settings, state.vary)
    values = {name: sorted({getattr(settings, name) for settings in every}) for name in state.vary}
    said = "; ".join(f"{TITLES[name].lower()} {' or '.join(map(exact, both))}" for name, both in values.items())
    st.caption(f"{len(every)} combinations: {said}." if said else "None varies: the settings are those of the sidebar.")


def say(rows: Sequence[Spread], found: Sequence[Gain], question: Question) -> None:
    """Which aug leads, if all their trainings can be judged, and whether the order is the same with all settings."""
    first, count = rows[0], len({gain.settings for gain in found})
    anomaly = f"{'gen ' if question.anomaly.paired else ''}{plain(anomaly_name(question.anomaly))}"
    if first.first is None:
        st.markdown(f"#### On {anomaly}, the augs cannot be judged")
        st.caption(UNJUDGED)
    else:
        best = lead({row.aug: row.median for row in rows if len(row.gains) == len(first.gains)})
        how = f" in the median; {augment.label(first.aug, {})} is first with {first.first} of {count} combinations"
        st.markdown(f"#### On {anomaly}, {best}{how if count > 1 else ''}")
    order = agreement_of(found, found[0].family)
    if order is not None:
        st.markdown(
            f"The orders of the augs with any two combinations correlate by **{decimal(order, 2)}** in the mean "
            "(Spearman's: 1 is the same order, 0 is none in common)."
        )


@part
def settings(state: State) -> None:
    """All that follows the choice."""
    if opened := st.session_state.visit.pop("opened", None):
        st.session_state[LEFT] = opened.settings, state.question.settings
        state.turn_to(opened)
        st.switch_page("pages/lab.py")
    question, dataset = state.question, read(state.question.dataset)
    ask_varied(state, question)
    write_address(state)
    specs = trainings_of(question, dataset, vary=state.vary)
    stored = stored_of(specs)
    progress(specs, stored, dataset)
    say_warnings(stored.values())
    found = [gain for gain in gains(stored.values()) if gain.task == question.anomaly.key]
    if not found:
        st.info(
            "Every aug, at its default, and the baseline are trained with each combination. An aug is drawn here as soon "
            "as it and its baseline are there.",
            icon=":material/tune:",
        )
        return
    rows = spreads(found)
    say(rows, found, question)

    def clicked(point: dict[str, Any]) -> None:
        if isinstance(point["customdata"], list):  # a dot, and not a median
            aug, values = point["customdata"]
            of = replace(question, settings=replace(question.settings, **values))
            st.session_state.visit["opened"] = of.with_aug(aug)

    figure = draw_settings(rows, f"Relative AUC on {anomaly_name(question.anomaly)}")
    chart(figure, key="settings", on_click=clicked)
    st.caption(
        "A row is an aug at its default; a dot is its relative AUC with one combination of settings, its AUC minus that of "
        "the baseline with the same settings; a stroke is the median; ties for first count for each aug. All are of the same "
        "images and one seed, so they are no sample to be tested: how far the dots lie apart is what the settings do, and "
        "chance. A click on a dot opens its run in the Lab. Measured here."
    )


def page() -> None:
    come_back(session())
    state, question, dataset = asked_for()
    prepare_in_background()
    st.title("Does it hold with other settings?")
    words(question, dataset)
    if has_gains(question):
        settings(state)


show(page)
