"""A question at the head of a page: in words, with the data set that it is about."""

from __future__ import annotations

import html

import streamlit as st

from pages.components.address import State, session, show_rejected, write_address
from pages.components.controls import ask
from ssad_core import augment
from ssad_core.data import Dataset, counts, load
from ssad_core.detectors import detector_info
from ssad_core.question import Question, anomaly_name


def asked() -> tuple[State, Question, Dataset]:
    """This session's question, asked for in the sidebar, written into the address and in words at the head of the page."""
    state = session()
    show_rejected(state)
    question = state.question = ask(state.question)
    write_address(state)
    dataset = read(question.dataset)
    words(question, dataset)
    return state, question, dataset


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
