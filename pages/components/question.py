"""A question at the head of a page: in words, with the data set that it is about."""

from __future__ import annotations

import streamlit as st

from pages.components.address import State, session, show_rejected, write_address
from pages.components.controls import ask
from pages.components.markdown import plain
from ssad_core import augment
from ssad_core.data import Dataset, counts, load
from ssad_core.detectors import DETECTORS, detector_info, settings_for
from ssad_core.question import Question, anomaly_name
from ssad_core.spec import CONTROLLED


def asked() -> tuple[State, Question, Dataset]:
    """This session's question, asked for in the sidebar, written into the address and in words at the head of the page."""
    state, question, dataset = asked_for()
    words(question, dataset)
    return state, question, dataset


def asked_for() -> tuple[State, Question, Dataset]:
    """As `asked`, of a page that says itself what it is about."""
    state = session()
    show_rejected(state)
    question = ask(state.question)
    state.turn_to(question)
    write_address(state)
    return state, question, read(question.dataset)


def words(question: Question, dataset: Dataset) -> None:
    """The question in one line, each part in the colour of its category."""

    def part(label: str, value: str, augmentation: str | None = None) -> str:
        text = f"**{plain(value)}**"
        if augmentation is not None:
            category = augment.AUGMENTATIONS[augmentation].category
            text = f':color[{text}]{{foreground="{augment.CATEGORY_COLOURS[category]}"}}'
        return f"{label}: {text}"

    found = counts(dataset)[question.normal_class]
    settings = question.settings
    train, test = (min(n, limit or n) for n, limit in zip(found, (settings.limit, settings.test_limit), strict=True))
    used = f"{train:,} of {found[0]:,} training and {test:,} of {found[1]:,} test images of the normal class are used."
    paper = settings_for("paper", question.detector, question.dataset, dataset.info.channels, question.augment)
    if settings.features != paper.features:
        used += f" The network has {settings.features} features where the paper's has {paper.features}."
    anomaly = question.anomaly
    parts = [
        part("Normal", f"{question.normal_class} ({dataset.info.title})"),
        part("Anomaly", anomaly_name(anomaly), anomaly.name if anomaly.paired else None),
        part("Augmentation", augment.label(question.augment, dict(question.params)), question.augment),
        part("Detector", detector_info(question.detector).title),
    ]
    # As Markdown without HTML: the browser has to fetch nothing more to draw it, and it is the first thing that is seen.
    with st.container(key="question"):
        st.markdown(". ".join(parts) + ".")
    st.caption(f"Does self-supervision help to find this anomaly, and why? {used} {plain(dataset.info.note)}")


def has_gains(question: Question) -> bool:
    """Whether every run has a relative AUC on the question's anomaly as it is trained; says what to choose where not."""
    detector = detector_info(question.detector)
    if detector.baseline is None:
        others = " or ".join(info.title for info in DETECTORS.values() if info.baseline)
        st.info(
            f"Choose {others} as the detector in the sidebar: what an aug gains is measured against a baseline without aug, "
            f"and {detector.title} has none.",
            icon=":material/tune:",
        )
        return False
    if question.anomaly.kind == "gen" and question.anomaly not in CONTROLLED:
        gens = ", ".join(map(anomaly_name, CONTROLLED))
        st.info(
            f"Choose one of the gens {gens} as the anomaly, or any class: with these every run is scored as it is trained, "
            f"with {plain(anomaly_name(question.anomaly))} it is not.",
            icon=":material/tune:",
        )
        return False
    return True


def read(name: str) -> Dataset:
    """The data set, with a progress bar while it is fetched or decoded for the first time."""
    slot = st.empty()
    dataset = load(name, lambda done, text: slot.progress(min(done, 1.0), plain(text)))
    slot.empty()
    return dataset
