"""Runs: what is stored, what is going on, what it takes on disk."""

import time

import streamlit as st

from pages.components.address import session
from pages.components.router import through_app
from pages.components.service import jobs, prepare_in_background
from ssad_core.data import class_title, dataset_info
from ssad_core.errors import BadInput
from ssad_core.question import Question, run_name
from ssad_core.spec import RunSpec
from ssad_core.store import Busy, StoredRun


def row(run: StoredRun) -> dict[str, object]:
    """A line of the table."""
    spec, result = run.spec, run.result
    auc = result["auc"]
    title, normal = class_title(spec.dataset, spec.normal_class)
    return {
        "Run": run.id,
        "Detector": run_name(spec),
        "Data set": title,
        "Normal": normal,
        "Seed": spec.seed,
        "Epochs": spec.settings.epochs,
        "Features": spec.settings.features,
        "AUC CutOut": auc.get("gen:cutout"),
        "AUC Flip": auc.get("gen:flip"),
        "AUC Invert": auc.get("gen:invert"),
        "AUC rest": auc.get("rest"),
        "Seconds": result["seconds"],
        "Trained": time.strftime("%Y-%m-%d %H:%M", time.localtime(result["finished"])),
        "MB": run.size / 1e6,
    }


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def question_of(spec: RunSpec) -> Question:
    """The question that a run answers, with the anomaly that the Lab starts with."""
    info = dataset_info(spec.dataset)
    return Question(
        dataset=spec.dataset,
        normal_class=info.classes[spec.normal_class],
        detector=spec.detector,
        augment=spec.augment,
        params=spec.params,
        profile=spec.profile,
        settings=spec.settings,
        seed=spec.seed,
    )


through_app()
st.title("Runs")
try:
    store = jobs().store
except BadInput as error:
    st.error(str(error), icon=":material/error:")
    st.stop()
prepare_in_background()

waiting = jobs().going_on()
if waiting:
    st.subheader("Going on")
    for spec, status in waiting:
        place = f", place {status.position} in the queue" if status.position else ""
        left, right = st.columns([4, 1], vertical_alignment="center")
        left.markdown(
            f"**{run_name(spec)}** on {class_title(spec.dataset, spec.normal_class)[0]}: {status.state}{place}"
        )
        if right.button("Cancel", key=f"cancel-{spec.id}", icon=":material/stop:"):
            jobs().cancel(spec.id)
            st.rerun()

runs = store.list()
st.caption(f"{_runs(len(runs))} stored, {store.size / 1e6:.1f} MB in {store.root}. All numbers were measured here.")
if not runs:
    st.info(
        "Nothing is trained yet. The Lab's first screen trains its default within seconds.", icon=":material/science:"
    )
else:
    numbers = {name: st.column_config.NumberColumn(format="%.3f") for name in row(runs[0]) if name.startswith("AUC")}
    chosen = st.dataframe(
        [row(run) for run in runs],
        hide_index=True,
        selection_mode="multi-row",
        on_select="rerun",
        # Rows are picked by number: with another list of runs nothing is picked.
        key=f"runs-table-{hash(tuple(run.id for run in runs))}",
        column_config={
            **numbers,
            "Seconds": st.column_config.NumberColumn(format="%.1f"),
            "MB": st.column_config.NumberColumn(format="%.1f"),
        },
    )
    picked = [runs[i] for i in chosen["selection"]["rows"] if i < len(runs)]
    with st.container(horizontal=True):
        if st.button("Open in the Lab", disabled=len(picked) != 1, icon=":material/science:", key="open"):
            try:
                session().question = question_of(picked[0].spec)
            except BadInput as error:  # own images that are not here any more
                st.toast(str(error), icon=":material/error:")
            else:
                st.switch_page("pages/lab.py")
        label = f"Delete {_runs(len(picked))}" if picked else "Delete"
        if st.button(label, disabled=not picked, icon=":material/delete:", key="delete"):
            st.session_state.doomed = [run.id for run in picked]
if damaged := store.damaged():
    st.warning(f"Damaged, and only good to be deleted: {', '.join(damaged)}", icon=":material/broken_image:")
    if st.button("Delete the damaged runs", icon=":material/delete:", key="delete-damaged"):
        st.session_state.doomed = list(damaged)
if doomed := st.session_state.get("doomed"):
    names = ", ".join(f"{run_name(run.spec)} ({run.id})" for run in runs if run.id in doomed) or ", ".join(doomed)
    st.warning(f"Delete for good: {names}? Each can be trained again.", icon=":material/delete:")
    with st.container(horizontal=True):
        if st.button("Delete", type="primary", key="delete-sure"):
            for run_id in doomed:
                try:
                    store.delete(run_id)
                except (Busy, BadInput) as error:
                    st.toast(str(error), icon=":material/error:")
            del st.session_state.doomed
            st.rerun()
        if st.button("Keep", key="delete-not"):
            del st.session_state.doomed
            st.rerun()
