"""The Lab: one question, its training, and what the answer looks like."""

import html

import streamlit as st

from pages.components.address import session, show_rejected, write_address
from pages.components.controls import ask
from pages.components.copy_link import copy_link
from pages.components.preview import data_sheet, preview
from pages.components.results import results
from pages.components.service import jobs, prepare_in_background
from pages.components.training import training
from ssad_core import augment
from ssad_core.data import Dataset, counts, load
from ssad_core.detectors import detector_info, with_baseline
from ssad_core.errors import BadInput
from ssad_core.question import Question, anomaly_name
from ssad_core.store import Damaged


def words(question: Question, dataset: Dataset) -> None:
    """The question in one line, each part in the colour of its category."""

    def part(label: str, value: str, colour: str = "inherit") -> str:
        return f'{label} <b style="color:{colour}">{html.escape(value)}</b>'

    def colour(name: str) -> str:
        return augment.CATEGORY_COLOURS[augment.AUGMENTATIONS[name].category]

    found = counts(dataset)[question.normal_class]
    settings = question.settings
    train, test = (min(n, limit or n) for n, limit in zip(found, (settings.limit, settings.test_limit), strict=True))
    used = f"{train:,} of {found[0]:,} training and {test:,} of {found[1]:,} test images of the normal class are used."
    anomaly = question.anomaly
    st.html(
        '<div style="font-size:1.5rem;line-height:1.35" data-testid="question">'
        + part("Normal:", f"{question.normal_class} ({dataset.info.title})")
        + part(". Anomaly:", anomaly_name(anomaly), colour(anomaly.name) if anomaly.paired else "inherit")
        + part(". Augmentation:", augment.label(question.augment, dict(question.params)), colour(question.augment))
        + part(". Detector:", detector_info(question.detector).title)
        + ".</div>"
        + '<div style="opacity:.75">Does self-supervision help to find this anomaly, and why? '
        + f"{used} {html.escape(dataset.info.note)}</div>"
    )


def read(name: str) -> Dataset:
    """The data set, with a progress bar while it is fetched or decoded for the first time."""
    slot = st.empty()
    dataset = load(name, lambda done, text: slot.progress(min(done, 1.0), text))
    slot.empty()
    return dataset


def page() -> None:
    state = session()
    show_rejected(state)
    question = state.question = ask(state.question)
    write_address(state)
    dataset = read(question.dataset)
    words(question, dataset)
    prepare_in_background()
    preview(question, dataset)
    data_sheet(dataset)

    run = question.run(dataset)
    specs = with_baseline(run)
    if training(specs, question.anomaly, dataset):
        from ssad_core.views import Comparison  # torch, which may still be loading

        stored = [jobs().store.load(spec.id) for spec in specs]
        results(Comparison(stored[-1], stored[0], question.anomaly, dataset), state)
        write_address(state)
    with st.container(horizontal=True, vertical_alignment="center"):
        copy_link(key="copy-link")
        st.page_link("pages/evidence.py", label="Why this default?", icon=":material/balance:")
    st.caption("The same run on the command line:")
    st.code(question.command(), language="bash", wrap_lines=True)


try:
    page()
except (BadInput, Damaged) as error:
    st.error(str(error), icon=":material/error:")
