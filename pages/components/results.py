"""What a trained run says beside its baseline: the verdict, the linked views, MMD, downloads, the replay."""

from __future__ import annotations

import csv
import html
import io
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from pages.components.address import State, write_address
from pages.components.background import compute_missing
from pages.components.encoder import ask_encoder
from pages.components.linked import ViewState
from pages.components.linked_views import DetectorPoints, ViewData, linked_views
from pages.components.markdown import plain
from pages.components.part import part
from pages.components.pictures import Sheet, by_group
from pages.components.service import give_back
from pages.components.taken_for import taken_for
from pages.components.training import describe_training, replay, say_warnings
from ssad_core.alignment import Aug
from ssad_core.cost import can_be_judged
from ssad_core.detectors import detector_info
from ssad_core.encoders import ENCODERS, at_once
from ssad_core.lineup import warnings_of
from ssad_core.mmd import MmdEstimate
from ssad_core.numbers import counted, decimal, number
from ssad_core.question import anomaly_name, run_name
from ssad_core.report import FIGURES, draw, scale_of, title
from ssad_core.sprites import error_tiles
from ssad_core.statistics import FEW, Estimate, TaskMetrics

if TYPE_CHECKING:
    from ssad_core.store import StoredRun
    from ssad_core.views import Comparison, Views


@part
def results(comparison: Comparison, state: State) -> None:
    """Draws it all; ``state`` and the address then have what the views are set to."""
    # All that takes a while before anything is drawn: till then the page keeps what it showed, and nothing jumps.
    metrics, views, *_ = _answer(comparison.key, comparison)
    say_warnings(comparison.runs)
    _verdict(comparison, metrics)
    _figures_of_merit(comparison, metrics, state)
    state.views = _linked(comparison, metrics, state.views)
    write_address(state)
    for detector in views.detectors:
        if detector.functions:
            taken_for(detector, views.group)
    _downloads(comparison, views, state.views)
    _replay(comparison)
    for run in comparison.runs:
        watched = [
            f"{name} {values[0]:.3g} to {values[-1]:.3g}" for name, values in run.result.get("monitor", {}).items()
        ]
        st.caption(
            f"{run_name(run.spec)}: {describe_training(run)}; run {run.id}, seed {run.spec.seed}."
            + (f" From first to last epoch: {', '.join(watched)}." if watched else "")
        )


@part
def _replay(comparison: Comparison) -> None:
    box = st.expander("Replay the training", icon=":material/replay:", on_change="rerun", key="replay-open")
    if box.open:
        with box:
            st.caption("Each evaluated epoch of the training. Only shown: nothing was stopped or chosen by it.")
            replay(list(comparison.runs), comparison.anomaly)


class Answer(NamedTuple):
    """What takes a while to compute of a comparison; ``sheets`` has each detector's explanations and error maps, nothing of
    one that does not explain in pictures."""

    metrics: dict[str, TaskMetrics]
    views: Views
    originals: list[Sheet]
    sheets: list[list[list[Sheet]]]


# A resource, not data: some 20 MB that nobody changes need no copy in every rerun.
@st.cache_resource(max_entries=8, show_spinner=False)
def _answer(key: str, _comparison: Comparison) -> Answer:
    views = _comparison.views()
    with ThreadPoolExecutor() as pool:  # NumPy and WebP let go of the interpreter
        metrics = pool.submit(_comparison.metrics)
        originals = pool.submit(by_group, views.originals, views.group)
        drawn = [
            [pool.submit(by_group, images, views.group) for images in (d.explanations, error_tiles(d.errors))]
            if d.explanations is not None
            else []
            for d in views.detectors
        ]
    sheets = [[each.result() for each in both] for both in drawn]
    give_back()
    return Answer(metrics.result(), views, originals.result(), sheets)


@st.cache_data(max_entries=64, show_spinner=False)
def _mmd(key: str, encoder: str, _comparison: Comparison) -> tuple[MmdEstimate, MmdEstimate | None]:
    """Of aug and, beside a baseline, of none. AP's own code of images without aug would take as long as an evaluation."""
    beside = len(_comparison.runs) > 1
    return _comparison.mmd(encoder), _comparison.mmd(encoder, aug=Aug("identity")) if beside else None


def _verdict(comparison: Comparison, metrics: dict[str, TaskMetrics]) -> None:
    """One sentence: which finds the anomalies better, by how much, and whether the interval says so; none of trainings that
    cannot be judged, or on too few images."""
    run, anomaly = run_name(comparison.run.spec), plain(anomaly_name(comparison.anomaly))
    own, gain = metrics["run"].auc, metrics["run"].relative_auc
    judged = can_be_judged(*comparison.runs) and not own.few
    if gain is None:
        if judged:
            st.markdown(f"#### {run} finds {anomaly} with an AUC of {decimal(own.value)}")
        else:
            said = f"{run} cannot be judged: {decimal(own.value)} AUC on {anomaly}"
            st.markdown(f"#### :material/warning: In this training {said}")
        spec = comparison.run.spec
        info = detector_info(spec.detector)
        if spec.is_baseline:
            why = "This is the unsupervised baseline itself; choose an augmentation to compare it with."
        elif info.baseline:
            why = f"Its baseline {info.baseline} is not trained, so there is no relative AUC."
        else:
            why = f"{info.title} has no unsupervised counterpart, so there is no relative AUC."
        few = f"On fewer than {FEW} test images of a group: too few to say how sure that is. " if own.few else ""
        st.caption((_beside_chance({run: own}) if judged else few) + why)
        return
    baseline, base = run_name(comparison.runs[0].spec), metrics["baseline"].auc
    if not judged:
        word, icon = "cannot be judged", ":material/warning:"
    elif gain.low > 0:
        word, icon = "helps", ":material/trending_up:"
    elif gain.high < 0:
        word, icon = "harms", ":material/trending_down:"
    else:
        word, icon = "makes no clear difference", ":material/trending_flat:"
    st.markdown(
        f"#### {icon} In this training the augmentation {word}: {run} {decimal(own.value)}, {baseline} "
        f"{decimal(base.value)} AUC on {anomaly}"
    )
    paired = "normals and anomalies drawn in pairs" if comparison.anomaly.paired else "each group drawn for itself"
    value, low, high = (decimal(each, sign="+") for each in (gain.value, gain.low, gain.high))
    if gain.few:
        st.caption(
            f"Relative AUC {value}, on fewer than {FEW} test images of a group: too few to say how sure that is."
        )
        return
    note = _beside_chance({baseline: base, run: own}) if judged else ""
    note += f"Relative AUC {value} [{low}, {high}]: 95% interval over test images, {paired}; "
    note += "one seed, so what another training would give is not in it."
    if not comparison.dataset.info.independent:
        note += " Patches overlap, so the true interval is wider, and there are no p-values."
    st.caption(note)


def _beside_chance(aucs: dict[str, Estimate]) -> str:
    """A sentence where no detector tells the anomalies from normal images, or the last one takes them for more normal."""
    name, own = list(aucs.items())[-1]
    if own.high < 0.5:
        return f"{name} is worse than chance, 0.5: it takes the anomalies for more normal than normal images. "
    if all(auc.low <= 0.5 <= auc.high for auc in aucs.values()):
        return f"{'Both are' if len(aucs) > 1 else 'This is'} near chance, 0.5, which the interval includes. "
    return ""


def _figures_of_merit(comparison: Comparison, metrics: dict[str, TaskMetrics], state: State) -> None:
    names = [run_name(run.spec) for run in comparison.runs]
    codes = {"baseline": f"the code of {names[0]}", "run": f"the code of {names[-1]}"}
    known = at_once(len(comparison.runs) > 1)
    slot = st.empty()
    encoder = ask_encoder(
        state,
        {name: codes.get(name, ENCODERS[name].title) for name in known},
        "MMD between aug(train) and the anomalies, measured in",
        "Squared maximum mean discrepancy (App. G, Eq. 1): smaller is better aligned. The baseline's code is one space "
        "for all augmentations; the run's own is another for each, so its values are not to be ranked. The paper's encoder, "
        "ResNet50 with ImageNet weights, is on the page Alignment: these values do not compare with Table 2.",
        f"encoder-{len(known)}",
    )
    order = ["baseline", "run"] if "baseline" in metrics else ["run"]
    found = [(f"AUC, {name}", metrics[which].auc, "") for which, name in zip(order, names, strict=True)]
    gain = metrics["run"].relative_auc
    if gain is not None:
        found.append(("Relative AUC", gain, "+"))
    found += [
        (f"Average precision, {name}", metrics[w].average_precision, "") for w, name in zip(order, names, strict=True)
    ]
    cells = [_cell(*each) for each in found]
    value, nothing = _mmd(comparison.key, encoder, comparison)
    shown, _, spread = value.text.partition(" ± ")
    drawn = f"± {spread}, draws of {value.m}" if value.sampled else f"of the {counted(value.m, 'image')}"
    if nothing:
        drawn += f"; without aug {number(nothing.value)}"
    cells.append(_box("MMD of aug and anomalies", shown, f"{drawn}; smaller is better aligned"))
    slot.html(
        '<div data-testid="merit" style="display:grid;gap:.8rem 1.2rem;'
        f'grid-template-columns:repeat(auto-fit,minmax(9rem,1fr))">{"".join(cells)}</div>'
    )


def _cell(label: str, estimate: Estimate, sign: str) -> str:
    low, high = (decimal(end, sign=sign) for end in (estimate.low, estimate.high))
    # Where the groups are wholly apart every resample gives the same AUC.
    note = f"95%: {low} to {high}" if estimate.low < estimate.high else "no spread: all resamples agree"
    note = "too few images for an interval" if estimate.few else note
    return _box(label, decimal(estimate.value, sign=sign), note)


def _box(label: str, value: str, note: str) -> str:
    return (
        f'<div><div style="font-size:.875rem">{html.escape(label)}</div>'
        f'<div style="font-size:1.9rem;line-height:1.25">{html.escape(value)}</div>'
        f'<div style="font-size:.8rem;opacity:.7">{html.escape(note)}</div></div>'
    )


def _linked(comparison: Comparison, metrics: dict[str, TaskMetrics], state: ViewState) -> ViewState:
    missing = {  # the run's map first: it is the one that is shown
        _map_job(comparison, run): lambda run=run: comparison.map(run)
        for run in comparison.runs[::-1]
        if comparison.map(run, compute=False) is None
    }
    failed = compute_missing(missing)
    status = "t-SNE is at work; the map appears here in some seconds."
    for run in comparison.runs:
        if error := failed.get(_map_job(comparison, run)):
            status = f"No map of {run_name(run.spec)}: {error}"
    return _draw(comparison, metrics, state, status)


def _map_job(comparison: Comparison, run: StoredRun) -> str:
    # With the time of its training: a run that was deleted and trained again starts afresh.
    return f"tsne-{comparison.key}-{run.id}-{run.result['finished']}"


def _draw(comparison: Comparison, metrics: dict[str, TaskMetrics], state: ViewState, status: str) -> ViewState:
    _, views, originals, sheets = _answer(comparison.key, comparison)
    order = ["baseline", "run"] if "baseline" in metrics else ["run"]
    info = detector_info(comparison.run.spec.detector)
    measure = "score" if info.predicts else info.explanation
    detectors = [
        DetectorPoints(
            *(d.name, d.scores, *every, metrics[which].auc.value, measure),
            comparison.map(comparison.runs[i], compute=False),
            *(sheets[i] or ((), ())),
            *(d.functions, d.probabilities),
        )
        for i, (d, every, which) in enumerate(zip(views.detectors, comparison.test_scores(), order, strict=True))
    ]
    data = ViewData(
        id=comparison.key,
        title=title(comparison),
        anomaly=anomaly_name(comparison.anomaly),
        group=views.group,
        pair=views.pair,
        labels=views.labels,
        originals=originals,
        size=comparison.dataset.info.size,
        detectors=detectors,
        scale=scale_of(views),
        map_status=status,
        note=f"{comparison.borrowed} {comparison.shown}".strip(),
    )
    return linked_views(data, state=state, key="views")


def _downloads(comparison: Comparison, views: Views, state: ViewState) -> None:
    """HTML and CSV are made when they are asked for, of what the page shows, with the maps that are there by then: nothing
    is computed, and the runs may have been deleted since."""
    info, spec = comparison.dataset.info, comparison.run.spec
    name = _slug(f"{info.title}-{info.classes[spec.normal_class]}-{run_name(spec)}-{comparison.anomaly.key}")
    buttons = st.container(horizontal=True)
    buttons.download_button(
        "Scores (CSV)",
        data=lambda: _csv(comparison, views),
        file_name=f"{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        key="download-csv",
        help=f"Every point of the views with its group, class, pair, scores and map coordinates. {comparison.borrowed}",
        on_click="ignore",
    )
    buttons.download_button(
        "Figures (HTML)",
        data=lambda: _html(comparison, views, state),
        file_name=f"{name}.html",
        mime="text/html",
        icon=":material/download:",
        key="download-html",
        help="Histograms, ROC, reconstructions and maps as one page for any browser, offline too.",
        on_click="ignore",
    )


def _csv(comparison: Comparison, views: Views) -> str:
    from ssad_core.views import score_table

    text = io.StringIO()
    csv.writer(text).writerows(score_table(views, [comparison.map(run, compute=False) for run in comparison.runs]))
    return text.getvalue()


def _html(comparison: Comparison, views: Views, state: ViewState) -> str:
    from ssad_core.figures import to_html  # Plotly: only here

    look = {
        "fpr": state.fpr,
        "scale": None if state.scale == "auto" else state.scale,
        "by_score": state.colour_by == "score",
    }
    mapped = all(comparison.map(run, compute=False) is not None for run in comparison.runs)
    names = [name for name in FIGURES if name != "map" or mapped]
    figures = [figure for name in names for figure in draw(name, comparison, views, **look)]
    return to_html(*figures, warnings=warnings_of(comparison.runs))


def _slug(text: str) -> str:
    return "".join(c if c.isalnum() or c in ".-" else "-" for c in text.lower()).strip("-")
