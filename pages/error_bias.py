"""Error bias: which classes of anomalies an augmentation helps to find, and which it hides (Fig. 3)."""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from pages.components.address import State, write_address
from pages.components.chart import chart
from pages.components.lineup import lined_up
from pages.components.markdown import plain
from pages.components.part import part
from pages.components.router import show
from pages.components.training import UNJUDGED
from ssad_core.bias import Bias, ClassResult, ClassScores
from ssad_core.numbers import counted, decimal, number
from ssad_core.report import augmented, draw_bias
from ssad_core.sprites import sheet
from ssad_core.statistics import FEW

if TYPE_CHECKING:
    from ssad_core.views import Comparison

SHOWN = 8  # images at either end of a run's scores
CLASS = "ask-bias-class"  # key of the widget


@st.cache_data(max_entries=32, show_spinner="Drawing test images again and again for the intervals …")
def _bias(key: str, _comparison: Comparison) -> Bias:
    return _comparison.bias()


def ask_run(state: State, comparisons: list[Comparison]) -> Comparison:
    """Whose bias is looked at: the question's own unless another is chosen."""
    known = {comparison.run.id: comparison for comparison in comparisons}
    own = next(iter(known))
    chosen = st.segmented_control(
        "Run",
        list(known),
        default=state.bias_of if state.bias_of in known else own,
        required=True,
        format_func=lambda run_id: known[run_id].name,
        help="Each run is shown beside its own unsupervised baseline.",
        key=f"ask-bias-of-{'-'.join(known)}",
    )
    state.bias_of = "" if chosen == own else chosen
    return known[chosen]


def ask_class(state: State, bias: Bias) -> ClassResult:
    """The class whose images are shown: as long as nobody has chosen one, the most telling one of the run."""
    rows = {row.name: row for row in bias.classes}
    if state.bias_class not in rows:  # another data set or normal class
        state.bias_class = ""

    def choose() -> None:
        state.bias_class = st.session_state[CLASS]

    st.session_state[CLASS] = state.bias_class or bias.telling.name
    shown = st.selectbox(
        "Class to look at",
        list(rows),
        format_func=lambda name: f"{name}, {_word(rows[name])}",
        help="Or click a mark of the chart.",
        key=CLASS,
        on_change=choose,
        width=360,
    )
    return rows[shown]


def _word(row: ClassResult) -> str:
    return f"AUC {row.auc.value:.3f}" if row.gain is None else f"relative AUC {decimal(row.gain.value, sign='+')}"


def summary(bias: Bias) -> None:
    """What aug did to the mean and to how many classes, in a sentence."""
    if bias.baseline_auc is None:
        said = "finds the classes with a mean AUC of" if bias.judged else "cannot be judged: mean AUC"
        st.markdown(f"#### {bias.run} {said} {bias.auc:.3f}")
        return
    if len(bias.classes) == 1:
        return
    judged = [row for row in bias.classes if row.judged and not row.gain.few]
    better, worse = (sum(getattr(row, way) for row in judged) for way in ("better", "worse"))
    counts = f"{better} of {len(judged)} classes better, {worse} worse; " if judged else ""
    st.markdown(
        f"#### {bias.run} beside {bias.baseline}: {counts}mean AUC {bias.auc:.3f} instead of {bias.baseline_auc:.3f}"
    )


def say_unjudged(bias: Bias) -> None:
    """Why nothing is called better or worse, or of how many classes."""
    if not bias.judged:
        st.caption(UNJUDGED)
    few = sum(row.auc.few for row in bias.classes)
    if few:
        which = "The class" if len(bias.classes) == 1 else f"{few} of {len(bias.classes)} classes"
        st.caption(f"{which} cannot be judged: fewer than {FEW} test images of a group are too few for an interval.")


def images(row: ClassResult, seen: ClassScores, fpr: float) -> None:
    """The images of a class that the run scores lowest and highest, each with what the detectors make of it."""
    counts = ", ".join(f"{name} finds {seen.found(name).sum()}" for name in seen.scores)
    st.markdown(
        f"**{plain(row.name)}**: of {counted(len(seen.images), 'test image')} {counts}, at a false-positive rate of at "
        f"most {fpr:.1%}."
    )
    run, half = next(iter(seen.scores)), -(-len(seen.order) // 2)  # of an odd number the middle one is with the lowest
    ends = {"lowest": seen.order[:half], "highest": seen.order[half:][::-1]}
    st.html("".join(_strip(f"Scored {end} by {run}", seen, some[:SHOWN]) for end, some in ends.items() if len(some)))
    st.caption(
        "Below each image the scores, ✓ where one lies above the detector's threshold and ✗ where it does not. The false-"
        "positive rate is set on Histograms and in the Lab."
    )


def _strip(title: str, seen: ClassScores, some: np.ndarray) -> str:
    names = "".join(f"<div>{html.escape(name)}</div>" for name in seen.scores)
    tiles = "".join(_tile(seen, int(i)) for i in some)
    return (
        f'<div style="font-weight:600;margin:.4rem 0 .2rem">{html.escape(title)}</div>'
        '<div style="display:grid;gap:.6rem;font-size:.75rem;line-height:1.3;align-items:end;white-space:nowrap;'
        f'overflow-x:auto;grid-template-columns:auto repeat({SHOWN},minmax(max-content,1fr))">'
        f'<div style="opacity:.75;text-align:right">{names}</div>{tiles}</div>'
    )


def _tile(seen: ClassScores, i: int) -> str:
    picture = base64.b64encode(sheet(seen.images[i : i + 1], columns=1)).decode()
    lines, said = [], []
    for name, scores in seen.scores.items():
        found = seen.found(name)[i]
        said.append(f"{name} {number(scores[i])}, {'found' if found else 'missed'}")
        lines.append(f'<div title="{html.escape(said[-1])}">{"✓" if found else "✗"} {number(scores[i])}</div>')
    return (
        f'<div data-testid="class-image"><img alt="{html.escape("; ".join(said))}" '
        f'src="data:image/webp;base64,{picture}" '
        f'style="width:100%;max-width:96px;image-rendering:pixelated;border-radius:4px">{"".join(lines)}</div>'
    )


def _other_classes() -> None:
    st.session_state["ask-dataset"] = "digits"


@part
def error_bias(state: State, comparisons: list[Comparison]) -> None:
    """The chart of a run's classes, and the images of one of them."""

    def clicked(point: dict[str, Any]) -> None:
        """A click on a mark chooses its class."""
        if point.get("customdata"):
            state.bias_class = point["customdata"][0]

    comparison = ask_run(state, augmented(comparisons))
    bias = _bias("-".join([*(run.id for run in comparison.runs), comparison.name]), comparison)
    summary(bias)
    say_unjudged(bias)
    above = st.container()
    row = ask_class(state, bias)
    write_address(state)
    with above:
        chart(draw_bias(comparison, bias, row.name), key="bias-chart", on_click=clicked)
    images(row, comparison.class_scores(row.name, state.views.fpr), state.views.fpr)
    st.caption(
        "Every other class against the normal one, on all test images that are used, whichever anomaly is asked about. Bars "
        "are 95% intervals, over test images, of the difference to the baseline, drawn from its ring on (without a baseline, "
        "of the AUC). What another training would give is not in them, and of many classes some stand out by chance. "
        "Measured here."
    )


def page() -> None:
    state, comparisons = lined_up()
    if not comparisons:
        return
    if len(comparisons[0].dataset.info.classes) < 3:
        title = plain(comparisons[0].dataset.info.title)
        st.info(f"{title} has one other class only; a bias between classes needs more.", icon=":material/category:")
        st.button(
            "Ask about Digits, which has ten classes",
            icon=":material/dialpad:",
            on_click=_other_classes,
            key="to-digits",
            help="Sets the data set in the sidebar; its own runs are trained with one click.",
        )
    error_bias(state, comparisons)


show(page)
