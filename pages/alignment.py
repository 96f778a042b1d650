"""Alignment: how far what aug shows in training lies from the anomalies, and whether that predicts success (Table 2)."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from pages.components.address import State, write_address
from pages.components.batch import POLL, progress, stored_of
from pages.components.encoder import ask_encoder
from pages.components.lineup import lined_up, spec_of
from pages.components.question import read
from pages.components.router import through_app
from pages.components.service import jobs
from pages.components.sweep import MARGIN, NO_MODE_BAR, gain_of
from ssad_core.alignment import FEWEST, Alignment, Cells, Outcome, aug_of, correlation, outcomes, rows, table
from ssad_core.data import Dataset
from ssad_core.detectors import augs, detector_info
from ssad_core.encoders import (
    ENCODERS,
    WEIGHTS_MB,
    download_weights,
    is_published,
    resnet50,
    weights_path,
    where_to_put_weights,
)
from ssad_core.errors import BadInput
from ssad_core.lineup import line_up
from ssad_core.question import Question, anomaly_name
from ssad_core.report import SIGNIFICANT, alignment_matrix, alignment_scatter, space_title, task_title
from ssad_core.spec import RunSpec
from ssad_core.store import Damaged, StoredRun

SLICE = 5.0  # seconds of measuring at a time: other views' computations wait for it

Pairs = Sequence[tuple[StoredRun, StoredRun | None]]


def ask_space(state: State, spec: RunSpec) -> str:
    """In whose space it is all measured; of ResNet50 also how it is shown the images."""
    baseline = detector_info(spec.detector).baseline
    known = {
        **({"baseline": f"{baseline}'s code"} if baseline else {}),
        "run": "each run's code",
        "resnet50": "ResNet50",
        "untrained": "untrained ResNet50",
        "pixels": "raw pixels",
    }
    kind = ask_encoder(
        state,
        known,
        "MMD measured in",
        "\n\n".join(f"{label[0].upper()}{label[1:]}: {ENCODERS[name].help}" for name, label in known.items()),
        f"ask-space-{baseline}",  # its options are others for another detector
    )
    if kind != "resnet50":
        return kind
    shown = ENCODERS[state.encoder]
    switches = st.container(horizontal=True)
    unsaid = "The paper does not say which."
    enlarged = switches.toggle(
        "Resize to 224",
        shown.enlarged,
        help=f"Shows ResNet50 the images at the size it was trained on; some forty times slower. {unsaid}",
        key="ask-enlarged",
    )
    normalised = switches.toggle(
        "Normalise",
        shown.normalised,
        help=f"Less ImageNet's mean colour and divided by its deviation, as in its training. {unsaid}",
        key="ask-normalised",
    )
    state.encoder = resnet50(enlarged, normalised)
    return state.encoder


def ask_weights() -> None:
    """What to do where there are no weights of ResNet50."""
    st.info(
        f"ResNet50's ImageNet weights are not here. To have them, {where_to_put_weights()}; or let torchvision download "
        "them. The other spaces need none.",
        icon=":material/download:",
    )
    if st.button(f"Download {WEIGHTS_MB} MB", icon=":material/download:", key="download-weights"):
        with st.spinner("Downloading ResNet50's weights…"):
            download_weights()
        st.rerun()


def page() -> None:
    state, _ = lined_up("pages/alignment.py")
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
    known = [aug for aug in rows(more) if aug.name in augs(question.detector)]
    trained = [replace(spec, augment=aug.name, params=aug.params) for aug in known]
    specs = list(dict.fromkeys([*trained, spec]))
    stored = stored_of(specs)
    baseline = stored.get(spec.baseline().id)
    if encoder == "baseline" and baseline is None:
        name = detector_info(question.detector).baseline
        st.info(
            f"This space is the code of {name}, which is not trained yet: the button above trains it first, and nothing "
            "else is needed for the matrix. The untrained ResNet50 and the pixels need no training at all.",
            icon=":material/join_inner:",
        )
        return
    runs = list(stored.values())
    if encoder == "run" and not runs:
        st.info("Each run's own code is a space once it is trained.", icon=":material/join_inner:")
        return
    alignment = Alignment.of(encoder, spec, dataset, question.anomaly, more=more, baseline=baseline, runs=runs)
    pairs = [(run, baseline) for run in runs if baseline or not detector_info(question.detector).baseline]
    cells = show_matrix(alignment, encoder, pairs, question, dataset, baseline)
    if not alignment.ranked:
        st.info(
            "Each run's own code is another space, so these values are not ranked and not set against success.",
            icon=":material/block:",
        )
        return
    if alignment.is_whole(cells, question.anomaly):
        show_success(alignment, cells, pairs, question, dataset)
    others = [other for other in specs if other not in lineup]
    progress(others, {id_: run for id_, run in stored.items() if run.spec in others}, dataset, "other")


def show_matrix(
    alignment: Alignment,
    encoder: str,
    pairs: Pairs,
    question: Question,
    dataset: Dataset,
    baseline: StoredRun | None,
) -> Cells:
    """The matrix as far as it is known, and the rest on its way."""
    from ssad_core.evaluate import has_results  # torch, which may still be loading

    kept = st.session_state.setdefault("alignments", {})
    cells = kept[alignment.key] if alignment.key in kept else alignment.cells()
    if len(cells) == alignment.size:
        kept[alignment.key] = cells
    space = space_title(encoder, baseline)
    title = f"{task_title(dataset, question.normal_class, question.anomaly)}<br>MMD in {space}"

    def is_done(found: Cells) -> bool:
        return len(found) == alignment.size and all(has_results(run, question.anomaly) for run, _ in pairs)

    def work() -> None:
        filled = alignment.fill(question.anomaly, SLICE)
        if len(filled) == alignment.size:
            outcomes(filled, pairs, alignment.columns, alignment.samples)  # scores what is not scored yet

    def draw(found: Cells) -> None:
        aug = aug_of(question.augment, question.params)
        figure = alignment_matrix(alignment, found, question.anomaly, title, aug)
        figure.update_layout(margin=MARGIN)
        st.plotly_chart(figure, key="matrix", config=NO_MODE_BAR)

    if is_done(cells):
        _say_best(alignment, cells, question)
        draw(cells)
    else:
        name = f"alignment-{alignment.key}-{len(pairs)}"
        job = jobs().compute(name, work)
        if job.done() and (error := job.exception()):
            st.warning(f"Not all of it could be measured: {error}", icon=":material/error:")
            draw(cells)
        else:
            whole = alignment.is_whole(cells, question.anomaly)

            def watch() -> None:
                found = alignment.cells()
                # What failed stays; what has ended and is not all is taken up again, as long as somebody looks.
                over = is_done(found) or jobs().compute(name, work).done()
                if over or alignment.is_whole(found, question.anomaly) != whole:
                    st.rerun(scope="app")
                once = (
                    " ResNet50 looks at each set of images once; that takes a while."
                    if ENCODERS[encoder].network
                    else ""
                )
                st.caption(f"Measuring: {len(found)} of {alignment.size} cells are there.{once}")
                draw(found)

            st.fragment(watch, run_every=POLL)()
    _explain(alignment, encoder, space, dataset)
    _downloads(alignment, cells, question)
    return cells


def _say_best(alignment: Alignment, cells: Cells, question: Question) -> None:
    """Which aug is the best aligned one with the question's anomaly, and how the matched one stands."""
    if not alignment.ranked:
        return
    anomaly = question.anomaly
    order = sorted(alignment.rows, key=lambda aug: cells[aug, anomaly].value)
    first = cells[order[0], anomaly]
    spread = f" ± {first.spread:.2g}" if first.sampled else ""
    text = f"#### Best aligned with {anomaly_name(anomaly)}: {order[0].label}, MMD {first.value:.3g}{spread}"
    near = sum(cells[aug, anomaly].value <= first.value + first.spread for aug in order[1:])
    st.markdown(text)
    if near:
        st.caption(
            f"No clear winner: {near} more {'lies' if near == 1 else 'lie'} within its spread over draws of images."
        )
    same = [aug for aug in order if anomaly.paired and aug == aug_of(anomaly.name, anomaly.params)]
    if same and same[0] != order[0]:
        place, cell = order.index(same[0]) + 1, cells[same[0], anomaly]
        st.caption(
            f"The aug that is the gen, {same[0].label}, comes in place {place} of {len(order)}, with {cell.value:.3g}: the "
            "anomalies are made of test images, aug's of training images, and these differ too."
        )


def _explain(alignment: Alignment, encoder: str, space: str, dataset: Dataset) -> None:
    lines = [
        f"Squared MMD (App. G, Eq. 1) between training images under aug, a row, and anomalies, a column, in {space}: smaller "
        "is better aligned. Each number is the mean over 20 draws of 256 images a set, or of all if there are fewer; hover "
        "for the spread."
    ]
    if alignment.ranked:
        lines.append("A frame marks the best aug of a column. Columns differ in their anomalies; compare within one.")
    lines.append(
        f"≈ stands where a permutation test cannot tell the two sets apart (p of {SIGNIFICANT} or more; 1,000 permutations)."
        if dataset.info.independent
        else "There are no p-values: patches of one photograph overlap, so they are not independent."
    )
    lines.append(
        "This is the paper's encoder; Table 2 averages over all pairs of classes, and does not say how it showed the images."
        if is_published(encoder)
        else "This is not the paper's encoder: nothing here compares with Table 2."
    )
    st.caption(" ".join(lines) + " Measured here.")


def _downloads(alignment: Alignment, cells: Cells, question: Question) -> None:
    def text() -> str:
        file = io.StringIO()
        csv.writer(file).writerows(table(cells))
        return file.getvalue()

    st.download_button(
        "Matrix (CSV)",
        data=text,
        file_name=f"alignment-{question.dataset.rpartition('/')[2]}-{question.normal_class}.csv",
        mime="text/csv",
        icon=":material/download:",
        help="Every cell with its mean, spread, size, number of draws and p-value.",
        key="download-matrix",
        on_click="ignore",
    )


def show_success(alignment: Alignment, cells: Cells, pairs: Pairs, question: Question, dataset: Dataset) -> None:
    """Does alignment predict success here?"""
    relative = detector_info(question.detector).baseline is not None
    measure = "relative AUC" if relative else "AUC"
    st.markdown("#### Does alignment predict success here?")
    ids = tuple(run.id for run, _ in pairs)
    found = _outcomes(alignment.key, len(cells), ids, question.anomaly.key, cells, pairs, alignment)
    chosen = [one for one in found if one.anomaly == question.anomaly]
    if not chosen:
        st.info("No augmentation is trained yet whose success could be set against its MMD.", icon=":material/info:")
        return
    spans = {
        aug_of(run.spec.augment, run.spec.params): gain_of(
            run.id, base and base.id, question.anomaly, run, base, dataset
        )
        for run, base in pairs
        if not run.spec.is_baseline
    }
    about = task_title(dataset, question.normal_class, question.anomaly)
    figure = alignment_scatter(found, question.anomaly, spans, about, relative)
    figure.update_layout(margin=MARGIN)
    st.plotly_chart(figure, height=420, key="scatter", config=NO_MODE_BAR)
    lines = [_verdict(chosen, measure, anomaly_name(question.anomaly)), *_over_all(found)]
    lines.append(
        "Large: the chosen anomaly, with 95% intervals over the test images; small: the same runs on the other columns. If "
        "alignment decided, points would fall from the left to the right. Measured here, one seed."
    )
    st.caption(" ".join(lines))


def _verdict(chosen: Sequence[Outcome], measure: str, anomaly: str) -> str:
    rho = correlation(chosen)
    if len(chosen) < FEWEST:
        return f"Too few to say: a rank correlation wants at least {FEWEST} trained augs, and {len(chosen)} are."
    if rho is None:
        return f"No rank correlation: all {len(chosen)} augs have the same {measure}."
    if rho <= -0.5:
        meaning = "the better aligned gained more"
    elif rho < 0.5:
        meaning = "MMD says little about success"
    else:
        meaning = "the opposite of what alignment predicts"
    return f"Rank correlation of MMD and {measure} on {anomaly}: {rho:+.2f} over {len(chosen)} augs: {meaning} here."


def _over_all(found: Sequence[Outcome]) -> list[str]:
    rho = correlation(found)
    if rho is None:
        return []
    return [f"Over all {len(found)} pairs of aug and anomaly: {rho:+.2f}; an aug's pairs share one training."]


@st.cache_data(max_entries=32, show_spinner=False)
def _outcomes(
    key: str, count: int, ids: tuple[str, ...], anomaly: str, _cells: Cells, _pairs: Pairs, _alignment: Alignment
) -> list[Outcome]:
    return outcomes(_cells, _pairs, _alignment.columns, _alignment.samples, compute=False)


through_app()
try:
    page()
except (BadInput, Damaged) as error:
    st.error(str(error), icon=":material/error:")
