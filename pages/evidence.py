"""Does it always help? The table behind the Lab's default, those that do not show the effect included, each to be asked."""

import pandas as pd
import streamlit as st

from pages.components.address import State, session, show_rejected, write_address
from pages.components.part import part
from pages.components.router import show
from ssad_core import augment
from ssad_core.data import dataset_info
from ssad_core.evidence import Row, finding1
from ssad_core.question import from_query

MATCHED = "rgba(86, 180, 233, .3)"  # light enough for text of either theme

INTRODUCTION = """
Finding 1 of the paper: an augmentation helps when it is aligned with the anomalies, and can harm when it is not.

**The Lab opens on a task that shows it, and was picked because it does**: photos/temple with gen CutOut, at the quick
preset, where the matched augmentation beats the baseline and every mismatched one on each of five seeds. Without saying so
that would be the very cherry-picking that the paper is about. So here is every task that was tried, with the ones that do
not show it. On digits the matched augmentation is the best for Flip with all three classes and for Rotate with one;
inverted digits are found by every detector, and those with a patch cut out by the plain autoencoder nearly as well as by
any. Digits have some 120 training images a class, so Quick trains them 32 epochs instead of 8: with 8, which are 32 steps of
the optimiser, most of this did not show.
"""


def page() -> None:
    st.title("Does it always help?")
    state = session()
    show_rejected(state)
    write_address(state)
    st.markdown(INTRODUCTION)
    try:
        rows, made = finding1()
    except FileNotFoundError:
        st.info("The table is not in this checkout; `python -m benchmarks.finding1` measures it.")
        return

    tasks(state, rows)
    shown = sum(row.shows for row in rows)
    st.markdown(f"The matched augmentation is the best on every seed in **{shown} of {len(rows)}** tasks.")
    st.caption(
        f"Measured by `python -m benchmarks.finding1` ({made}). Seeds change the training only; the test images stay."
    )


@part
def tasks(state: State, rows: list[Row]) -> None:
    """The table, and what can be done with the row that is picked."""
    above = st.container()  # the table is higher than many a screen
    picked = _table(rows)
    asked = ""
    if picked:
        asked = f": {dataset_info(picked.dataset).title}, {picked.normal_class}, gen {augment.label(picked.gen, {})}"
    if above.button(
        f"Ask this in the Lab{asked}",
        disabled=picked is None,
        type="primary",
        icon=":material/science:",
        help="Pick a row of the table.",
        key="ask",
    ):
        asked = {
            "dataset": picked.dataset,
            "class": picked.normal_class,
            "anomaly": f"gen:{picked.gen}",
            "aug": picked.gen,
        }
        state.turn_to(from_query(asked)[0])  # with the data set's own preset
        st.switch_page("pages/lab.py")
    st.page_link("pages/lab.py", label="Back to the Lab", icon=":material/science:")


def _table(rows: list[Row]) -> Row | None:
    """The table; the row that is picked."""
    augs = list(rows[0].auc)
    titles = {aug: "AE (no aug)" if aug == "identity" else f"DAE-{augment.label(aug, {})}" for aug in augs}
    frame = pd.DataFrame(
        {
            "Data set": dataset_info(row.dataset).title,
            "Normal": row.normal_class,
            "gen": augment.label(row.gen, {}),
            **{titles[aug]: row.auc[aug] for aug in augs},
            "Matched best": f"{row.wins} of {row.seeds} seeds",
            "Above AE": f"{row.above_baseline} of {row.seeds} seeds",
            "Shows it": "yes" if row.shows else "no",
        }
        for row in rows
    )

    def marks(values: pd.Series) -> list[str]:
        row = rows[values.name]
        return [
            "font-weight: bold;" * (aug in row.best) + f"background-color: {MATCHED};" * (aug == row.gen)
            for aug in augs
        ]

    # With a name of its own it is the same table in every run of the script, and the browser does not draw it anew.
    table = st.dataframe(
        frame.style.set_uuid("tasks").apply(marks, axis=1, subset=list(titles.values())),
        hide_index=True,
        height="content",
        column_config={
            title: st.column_config.NumberColumn(format="%.3f", help="AUC, mean over the seeds")
            for title in titles.values()
        },
        on_select="rerun",
        selection_mode="single-row",
        key="tasks",
    )
    st.caption("Bold is the best of a row, shaded the matched aug. Pick a row to ask its question in the Lab.")
    return next((rows[i] for i in table.selection.rows), None)


show(page)
