"""Does it always help? The table behind the Lab's default, those that do not show the effect included."""

import streamlit as st

from pages.components.address import session, show_rejected, write_address
from pages.components.router import show
from ssad_core import augment
from ssad_core.data import dataset_info
from ssad_core.evidence import finding1

INTRODUCTION = """
Finding 1 of the paper: an augmentation helps when it is aligned with the anomalies, and can harm when it is not.

**The Lab opens on a task that shows it, and was picked because it does**: photos/temple with gen CutOut, at the quick
preset, where the matched augmentation beats the baseline and every mismatched one on each of five seeds. Without saying so
that would be the very cherry-picking that the paper is about. So here is every task that was tried, with the ones that do
not show it. Digits with one normal class mostly do not: inverted digits are found by every detector, and on the other tasks
another augmentation than the matched one, often Invert, does best.
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

    augs = list(rows[0].auc)
    titles = {aug: "AE (no aug)" if aug == "identity" else f"DAE-{augment.label(aug, {})}" for aug in augs}
    st.dataframe(
        [
            {
                "Data set": dataset_info(row.dataset).title,
                "Normal": row.normal_class,
                "gen": augment.label(row.gen, {}),
                **{titles[aug]: row.auc[aug] for aug in augs},
                "Matched aug best": f"{row.wins} of {row.seeds} seeds",
                "Matched above AE": f"{row.above_baseline} of {row.seeds} seeds",
                "Shows it": "yes" if row.shows else "no",
            }
            for row in rows
        ],
        hide_index=True,
        height="content",
        column_config={
            title: st.column_config.NumberColumn(format="%.3f", help="AUC, mean over the seeds")
            for title in titles.values()
        },
    )
    shown = sum(row.shows for row in rows)
    st.markdown(f"The matched augmentation is the best on every seed in **{shown} of {len(rows)}** tasks.")
    st.caption(
        f"Measured by `python -m benchmarks.finding1` ({made}). Seeds change the training only; the test images stay."
    )
    st.page_link("pages/lab.py", label="Back to the Lab", icon=":material/science:")


show(page)
