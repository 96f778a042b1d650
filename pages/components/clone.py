"""A run's question with one thing changed, opened in the Lab."""

from __future__ import annotations

import streamlit as st

from pages.components.address import State
from pages.components.lineup import label_of
from pages.components.markdown import plain
from ssad_core.data import dataset_info
from ssad_core.detectors import DETECTORS, augs, detector_info
from ssad_core.errors import BadInput
from ssad_core.protocol import PROFILES
from ssad_core.question import Question, changed, question_of
from ssad_core.spec import PRECISIONS, TITLES, RunSpec

FIELDS = {
    "aug": "aug",
    "detector": "Detector",
    "class": "Normal class",
    "seed": "Seed",
    **TITLES,
    "profile": "Profile",
    "precision": "Precision",
}


def clone(spec: RunSpec | None, state: State) -> None:
    """Asks for the one thing; without a run it is closed."""
    with st.popover(
        "Clone",
        icon=":material/content_copy:",
        disabled=spec is None,
        help="The same run with one thing changed. Pick one run.",
    ):
        if spec is None:
            return
        try:
            question = question_of(spec, state.question.anomaly)
        except BadInput as error:  # its own images are not here any more
            st.error(plain(str(error)), icon=":material/error:")
            return
        field = st.selectbox(
            "Change", list(FIELDS), format_func=FIELDS.__getitem__, help="All else stays.", key="clone-field"
        )
        value = _ask_value(field, question)
        if st.button(
            "Open in the Lab",
            type="primary",
            icon=":material/science:",
            help="There it is trained, with one click.",
            key="clone-open",
        ):
            try:
                state.turn_to(changed(question, field, value))
            except BadInput as error:
                st.error(plain(str(error)), icon=":material/error:")
            else:
                st.switch_page("pages/lab.py")


def _ask_value(field: str, question: Question) -> str:
    """One of those that are known; a text where there are too many."""
    known = {
        "aug": augs(question.detector),
        "detector": list(DETECTORS),
        "class": list(dataset_info(question.dataset).normal_classes),
        "profile": list(PROFILES),
        "precision": list(PRECISIONS),
    }
    last = question.to_query()[field]
    key = f"clone-{field}-{last}"
    if field not in known:
        return st.text_input("to", last, help="A number.", key=key)
    choices = list(dict.fromkeys([last, *known[field]]))
    typed = field == "aug"
    titles = {"aug": label_of, "detector": lambda name: detector_info(name).title}
    note = "One with a parameter is typed, such as cutout(c=0.4)." if typed else "One of these."
    return st.selectbox("to", choices, format_func=titles.get(field, str), accept_new_options=typed, help=note, key=key)
