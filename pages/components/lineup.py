"""The runs that a comparing page lays side by side: chosen, trained if they are missing, and handed on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from pages.components.address import State, write_address
from pages.components.batch import progress, stored_of
from pages.components.markdown import plain
from pages.components.question import asked
from pages.components.service import jobs, prepare_in_background
from pages.components.training import say_warnings
from ssad_core import augment
from ssad_core.data import Dataset
from ssad_core.detectors import augs, detector_info, with_baseline
from ssad_core.encoders import ENCODERS, at_once
from ssad_core.errors import BadInput
from ssad_core.lineup import MOST, labels, line_up, parse_pin, pin_label
from ssad_core.question import Question, call_text
from ssad_core.spec import RunSpec
from ssad_core.store import Damaged

if TYPE_CHECKING:
    from ssad_core.views import Comparison

PAGES = {
    "pages/reconstructions.py": "Reconstructions",
    "pages/histograms.py": "Histograms",
    "pages/embeddings.py": "Embeddings",
    "pages/alignment.py": "Alignment (MMD)",
    "pages/error_bias.py": "Error bias",
}


def lined_up() -> tuple[State, list[Comparison]]:
    """The head of a comparing page: the question, what lies beside its run, what is still to be trained. Returns the stored
    ones, each beside its own baseline, the question's baseline first."""
    state, question, dataset = asked()
    with st.container(horizontal=True):
        for path, name in PAGES.items():
            st.page_link(path, label=name)
    _ask_pins(state, question)
    write_address(state)
    prepare_in_background()
    lineup = line_up(question, state.pins, dataset, spec_of)
    for line in lineup.left_out:
        st.warning(f"Left out: {plain(line)}.", icon=":material/block:")
    specs = list(dict.fromkeys(each for spec in lineup.specs for each in with_baseline(spec)))
    stored = stored_of(specs)
    progress(specs, stored, dataset)
    say_warnings(stored.values())
    return state, _comparisons(lineup.specs, stored, question, dataset)


def _comparisons(specs: tuple[RunSpec, ...], stored: dict, question: Question, dataset: Dataset) -> list[Comparison]:
    named = {name: with_baseline(spec) for name, spec in zip(labels(specs), specs, strict=True)}
    complete = {name: pair for name, pair in named.items() if all(spec.id in stored for spec in pair)}
    if not complete:
        return []
    from ssad_core.views import Comparison  # torch, which may still be loading

    def comparison(name: str, pair: list[RunSpec]) -> Comparison:
        baseline = stored[pair[0].id] if detector_info(pair[-1].detector).baseline else None
        return Comparison(stored[pair[-1].id], baseline, question.anomaly, dataset, label=name)

    return [comparison(name, pair) for name, pair in complete.items()]


def own_place(state: State, comparisons: list[Comparison]) -> int:
    """Which of them is the question's own run; the first as long as that is not trained."""
    own = state.question.run(comparisons[0].dataset)
    return next((k for k, comparison in enumerate(comparisons) if comparison.run.spec == own), 0)


def ask_fpr(state: State) -> None:
    """The threshold of all runs, as a false-positive rate."""
    fpr = st.slider(
        "False-positive rate of the thresholds",
        0.0,
        1.0,
        state.views.fpr,
        0.005,
        format="percent",
        help="The share of test normals that lies above each detector's threshold: the same for all, so that what they find "
        "can be compared.",
        key="ask-fpr",
    )
    state.views = replace(state.views, fpr=fpr)


def encoders(comparisons: list[Comparison]) -> dict[str, str]:
    """In whose space MMD can be measured at once for all of them, with a label."""
    known = at_once(all(comparison.baseline for comparison in comparisons))
    return {name: ENCODERS[name].title for name in known}


def _own(question: Question) -> str:
    """The question's own aug, as a pin is written."""
    return call_text(question.augment, question.params)


def pins_beside(state: State) -> list[str]:
    """What is pinned beside the question's own run. If its aug is a pin, that is left out: it would lie beside itself."""
    return [pin for pin in state.pins if pin != _own(state.question)]


def lay_pins(state: State, pins: list[str]) -> None:
    """Makes these the pins beside the question's own run. If its aug was a pin it stays one, to be there again beside
    another."""
    own = _own(state.question)
    state.pins = tuple(dict.fromkeys([*pins, *(pin for pin in state.pins if pin == own)]))


def _ask_pins(state: State, question: Question) -> None:
    """Asks for what lies beside the question's own run."""
    own, pins = _own(question), pins_beside(state)
    known = [name for name in augs(question.detector) if name not in (own, "identity")]
    always = 1 if detector_info(question.detector).baseline is None or own == "identity" else 2
    last, waiting = pins[: MOST - always], pins[MOST - always :]
    chosen = st.multiselect(
        "Compare it with"
        if own == "identity"
        else f"Compare {augment.label(question.augment, dict(question.params))} with",
        [*known, *(pin for pin in pins if pin not in known)],
        default=last,
        format_func=label_of,
        max_selections=MOST - always,
        accept_new_options=True,
        help=f"Other augmentations for the same question, {MOST} runs at most in all; one with a parameter is typed, such as "
        "cutout(c=0.4). Runs with other settings or seeds are pinned on the page Runs.",
        # Another aug has other pins beside it, and so has one for which a pin waits no longer. Under one key Streamlit would
        # go on with those before.
        key="-".join(["ask-pins", own, *waiting]),
    )
    good = []
    for text in chosen:
        try:
            good.append(parse_pin(text))
        except BadInput as error:
            st.error(plain(str(error)), icon=":material/error:")
    good = [pin for pin in dict.fromkeys(good) if pin != own]  # what was typed may be there already
    if good != last:
        lay_pins(state, [*good, *waiting])
        if waiting:
            st.rerun()  # the first of them comes in


def label_of(pin: str) -> str:
    """A pin as a person reads it; as it is written where its run is gone."""
    try:
        return pin_label(pin, spec_of)
    except BadInput:
        return pin


def spec_of(run_id: str) -> RunSpec:
    """What a stored run is. BadInput when there is none of this id, or only a damaged one."""
    try:
        return jobs().store.load(run_id).spec
    except Damaged as error:
        raise BadInput(str(error)) from error
