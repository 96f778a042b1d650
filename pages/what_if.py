"""What if the patch were larger? A parameter of aug from end to end, each value trained, and all that follows its slider."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.components.address import CHOICES, MOST_SEEDS, State, session, show_rejected, write_address
from pages.components.batch import progress, stored_of
from pages.components.controls import ask
from pages.components.copying import copy_link
from pages.components.part import in_place, part
from pages.components.preview import preview
from pages.components.question import read, words
from pages.components.results import results
from pages.components.router import show
from pages.components.service import prepare_in_background
from pages.components.sweep import curve, surface
from pages.components.training import say_warnings
from ssad_core import whatif
from ssad_core.augment import Parameter
from ssad_core.data import Dataset
from ssad_core.detectors import detector_info, with_baseline
from ssad_core.errors import BadInput
from ssad_core.question import Question, check_aug
from ssad_core.spec import exact
from ssad_core.whatif import Sweep, values_of, varied


def ask_value(state: State, question: Question, parameter: Parameter) -> tuple[float, str, bool]:
    """The value of the parameter that all below is about, the key of its slider, and whether a person has chosen it: to look
    at this page changes nothing on the others."""
    values = values_of(parameter)
    before = dict(state.question.params) if state.question.augment == question.augment else {}
    last = before.get(parameter.name, parameter.default)
    start = values[len(values) // 2] if last is None else last
    key = f"vary-{question.augment}"
    value = st.select_slider(
        f"What if the {parameter.title} were …",
        sorted({*values, start}),  # the question's own, whether the sweep has it or not
        value=start,
        format_func=exact,
        help=f"{parameter.help} Everything below follows it.",
        key=key,
    )
    return value, key, value != start or parameter.name in before


def ask_repeats(state: State) -> None:
    """What each value is trained with again, to see how much of the curve is chance."""
    with st.container(horizontal=True, gap="medium"):
        state.over = st.selectbox(
            "Repeated over",
            CHOICES["over"],
            index=CHOICES["over"].index(state.over),
            format_func={"seeds": "seeds", "classes": "normal classes"}.__getitem__,
            help="Seeds: how much of the curve is chance. Normal classes: whether it holds for all of the data set, as in "
            "the paper's Fig. 4a; a tenfold sweep where there are ten.",
            key="over",
            width=190,
        )
        if state.over == "seeds":
            state.seeds = st.number_input(
                "Seeds", 1, MOST_SEEDS, state.seeds, help="From the one in Settings on.", key="seeds", width=130
            )


@in_place
def repeats(state: State, question: Question, dataset: Dataset) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The seeds and the classes of the sweep; without the latter it is all of the question's own."""
    if state.over == "seeds":
        return tuple(range(question.seed, question.seed + state.seeds)), ()
    if question.anomaly.kind == "class":
        st.info("One class as the anomaly cannot be asked for with every other one as normal; this is the one alone.")
        return (question.seed,), ()
    info = dataset.info
    return (question.seed,), tuple(info.classes.index(name) for name in info.normal_classes)


def page() -> None:
    state = session()
    show_rejected(state)
    question = ask(state.question, vary=True)
    dataset = read(question.dataset)
    try:
        parameter = varied(question.augment, detector_info(question.detector).role)
    except BadInput as error:
        state.turn_to(question)
        write_address(state)
        st.info(f"{error}. Choose another aug in the sidebar.", icon=":material/tune:")
        return
    what_if(state, question, dataset, parameter)


@part
def what_if(state: State, question: Question, dataset: Dataset, parameter: Parameter) -> None:
    """All that follows the slider, itself included; the sidebar stays as it is."""
    head = st.container()
    value, slider, chosen = ask_value(state, question, parameter)
    ask_repeats(state)
    params = check_aug(question.detector, question.augment, {parameter.name: value}, question.profile)
    asked, question = question, replace(question, params=params)
    state.turn_to(question if chosen else asked)
    with head:
        words(question, dataset)
    with st.container():
        if parameter.default is None and not chosen:
            st.caption(
                f"Elsewhere this question's {parameter.title} is not fixed; here it is one value for all images."
            )
    preview(question, dataset)
    write_address(state)
    prepare_in_background()

    sweep = Sweep(question.run(dataset), *repeats(state, question, dataset))
    specs = sweep.specs()
    stored = stored_of(specs)
    progress(specs, stored, dataset)
    say_warnings(stored.values())
    curve(sweep, stored, question, dataset, slider)
    with st.container():
        if stored and question.anomaly.paired and whatif.has_parameter(question.anomaly.name, "gen"):
            surface(sweep, stored, question, dataset, slider)
    show_value(sweep, stored, question, value, state)
    with st.container(horizontal=True, vertical_alignment="center"):
        copy_link(key="copy-link")
        if st.button("This value in the Lab", icon=":material/science:", key="to-lab"):
            state.turn_to(question)
            st.switch_page("pages/lab.py")


@in_place
def show_value(sweep: Sweep, stored: dict, question: Question, value: float, state: State) -> None:
    """The Lab's views of the chosen value, or of the nearest one that is stored."""
    runs = {other: with_baseline(sweep.spec(other, question.seed)) for other in sorted({*sweep.values, value})}
    stored = {**stored, **stored_of(runs[value])}  # the question's own value need not be one of the sweep's
    there = [other for other, specs in runs.items() if all(spec.id in stored for spec in specs)]
    if not there:
        return
    nearest = min(there, key=lambda other: abs(other - value))
    with st.container():
        if nearest != value:
            text = f"{exact(value)} is not trained yet; below is the nearest that is, {exact(nearest)}."
            st.info(text, icon=":material/near_me:")
    from ssad_core.views import Comparison

    shown = [stored[spec.id] for spec in runs[nearest]]
    results(Comparison(shown[-1], shown[0], question.anomaly, read(question.dataset)), state)


show(page)
