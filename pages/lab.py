"""The Lab: one question, its training, and what the answer looks like."""

import streamlit as st

from pages.components.batch import stored_of
from pages.components.copying import command, copy_link
from pages.components.preview import data_sheet, preview
from pages.components.question import asked
from pages.components.results import results
from pages.components.router import show
from pages.components.service import prepare_in_background
from pages.components.training import training
from ssad_core.detectors import with_baseline
from ssad_core.question import Question


def page() -> None:
    state, question, dataset = asked()
    prepare_in_background()
    preview(question, dataset)
    data_sheet(dataset, question.normal_class)

    run = question.run(dataset)
    specs = with_baseline(run)
    if training(specs, question.anomaly, dataset):
        from ssad_core.views import Comparison  # torch, which may still be loading

        stored = stored_of(specs)
        results(Comparison(stored[run.id], stored.get(specs[0].id), question.anomaly, dataset), state)
    with st.container(horizontal=True, vertical_alignment="center"):
        copy_link(key="copy-link")
        st.page_link("pages/reconstructions.py", label="Beside other augmentations", icon=":material/compare:")
        picked = "This default was picked because it shows the effect. " if question == Question() else ""
        st.page_link("pages/evidence.py", label=f"{picked}Does it always help?", icon=":material/balance:")
    st.caption("The same run on the command line:")
    command(question.command(), key="copy-command")


show(page)
