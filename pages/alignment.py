"""Alignment: how far what aug shows in training lies from the anomalies, and whether that predicts success (Table 2)."""

from __future__ import annotations

import streamlit as st

from pages.components.address import State, write_address
from pages.components.batch import progress, stored_of
from pages.components.encoder import ask_space, ask_weights
from pages.components.lineup import lined_up, spec_of
from pages.components.matrix import show_matrix
from pages.components.part import part
from pages.components.question import read
from pages.components.router import show
from pages.components.success import show_success
from pages.components.training import say_warnings
from ssad_core.alignment import Alignment, aug_of, pairs_of, rows
from ssad_core.detectors import augs, detector_info
from ssad_core.encoders import ENCODERS, weights_path
from ssad_core.lineup import line_up


@part
def alignment(state: State) -> None:
    """The matrix in the space that is chosen, and whether it predicts success."""
    question, dataset = state.question, read(state.question.dataset)
    spec = question.run(dataset)
    encoder = ask_space(state, spec)
    write_address(state)
    if ENCODERS[encoder].imagenet and weights_path() is None:
        ask_weights()
        return

    lineup = line_up(question, state.pins, dataset, spec_of).specs
    more = [aug_of(other.augment, other.params) for other in lineup]
    # One run for each aug, that of the question as it is; what is pinned with other settings adds an aug, but no run.
    own = aug_of(question.augment, question.params)
    known = [aug for aug in rows(more) if aug.name in augs(question.detector) and aug != own]
    trained = [question.with_aug(aug.name, aug.params).run(dataset) for aug in known]
    specs = [*trained, spec]
    stored = stored_of(specs)
    baseline = stored.get(spec.baseline().id)
    if encoder == "baseline" and baseline is None:
        name = detector_info(question.detector).baseline
        st.info(
            f"This space is the code of {name}, which is not trained yet. The matrix needs that run and no other; in the "
            "untrained ResNet50 and in the pixels it needs no training at all.",
            icon=":material/join_inner:",
        )
        return
    runs = list(stored.values())
    if encoder == "run" and not runs:
        st.info("Each run's own code is a space once it is trained.", icon=":material/join_inner:")
        return
    measured = Alignment.of(encoder, spec, dataset, question.anomaly, more=more, baseline=baseline, runs=runs)
    pairs = pairs_of(runs, stored)
    cells = show_matrix(measured, encoder, pairs, question, dataset, baseline)
    if not measured.ranked:
        st.info(
            "Each run's own code is another space, so these values are not ranked and not set against success.",
            icon=":material/block:",
        )
        return
    if measured.is_whole(cells, question.anomaly):
        show_success(measured, cells, pairs, question, dataset)
    say_warnings(run for run in runs if run.spec not in lineup)
    others = [other for other in specs if other not in lineup]
    progress(others, {id_: run for id_, run in stored.items() if run.spec in others}, dataset, "other")


def page() -> None:
    state, _ = lined_up()
    alignment(state)


show(page)
