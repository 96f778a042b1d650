"""An anomaly made on the spot: an image, a gen, a patch put where one likes, and what every detector says at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from pages.components.address import State, write_address
from pages.components.controls import GENS, ask_params
from pages.components.part import part
from pages.components.picture_table import Column, Row, picture_table
from ssad_core import augment
from ssad_core.detectors import detector_info
from ssad_core.histogram import false_positive_rates, threshold_at_fpr
from ssad_core.numbers import number
from ssad_core.question import anomaly_name
from ssad_core.reconstruction import Made, make
from ssad_core.spec import Anomaly

if TYPE_CHECKING:
    from torch import Tensor

    from ssad_core.evaluate import Examination
    from ssad_core.store import StoredRun
    from ssad_core.views import Comparison


@part
def made_anomaly(state: State, comparisons: list[Comparison]) -> None:
    """Draws the controls and the images; what is asked for is kept in ``state`` and the address."""
    st.subheader("Make an anomaly")
    controls, shown = st.columns([1, 2], gap="large")
    with controls:
        made = ask_made(state, comparisons[0])
    write_address(state)
    images = make(made, comparisons[0].samples, comparisons[0].run.spec.profile)
    from ssad_core.evaluate import to_bytes

    gen = anomaly_name(made.gen)
    columns = [
        Column(None, f"test normal {made.image + 1}", "Normal", False),
        Column(None, f"{gen} of it", f"Anomalous: {gen}", True),
    ]
    rows = [Row("Original", pictures=to_bytes(images))]
    for comparison in comparisons:
        found = _examined(comparison.run.id, made, comparison.run, images)
        rows.append(_made_row(comparison, found, state.views.fpr))
    with shown:
        picture_table(columns, rows, key="made", tile=96)
        st.caption(
            "Score, and in brackets the share of test normals that score at least as high: the false-positive rate at which "
            "the image would just be flagged. Computed here as the sliders move; nothing trains."
        )


# Kept, since each rerun, of a moved threshold too, shows it again, and reads the weights of every run.
@st.cache_resource(max_entries=64, show_spinner=False)
def _examined(run_id: str, made: Made, _run: StoredRun, _images: Tensor) -> Examination:
    from ssad_core.evaluate import examine_stored

    return examine_stored(_run, _images)


def ask_made(state: State, comparison: Comparison) -> Made:
    """The image, gen and place; what was asked for last is where they start, and till then the question's own gen."""
    anomaly, total = comparison.anomaly, len(comparison.run.scores["normal"])
    own = anomaly if anomaly.paired else Anomaly("gen", "cutout")
    default = Made(0, own)
    last = state.pictures.made or default
    image = st.number_input(
        "Test image", 1, total, min(last.image + 1, total), help=f"Of {total} test normals.", key="made-image"
    )
    name = st.selectbox(
        "gen",
        GENS,
        index=GENS.index(last.gen.name),
        format_func=lambda name: augment.AUGMENTATIONS[name].title,
        help="What is done to the image.",
        key=f"made-gen-{own.key}",  # with another question's gen it starts anew, to follow it
    )
    known = last.gen.params if name == last.gen.name else ()
    params = ask_params(name, known, comparison.run.spec.profile, "gen", scope=f"made-{own.key}")
    down, across = last.down, last.across
    if augment.AUGMENTATIONS[name].category == "local":
        across = st.slider(
            "Patch: left to right", 0.0, 1.0, across, 0.05, help="0 is the left edge.", key="made-across"
        )
        down = st.slider("Patch: top to bottom", 0.0, 1.0, down, 0.05, help="0 is the upper edge.", key="made-down")
    draw = st.number_input(
        "Random draw", 0, 9999, last.draw, help="Another draw of what is random in the gen.", key="made-draw"
    )
    made = Made(image - 1, Anomaly("gen", name, params), draw, down, across)
    state.pictures = replace(state.pictures, made=None if made == default else made)
    return made


def _made_row(comparison: Comparison, found: Examination, fpr: float) -> Row:
    from ssad_core.evaluate import to_bytes

    normal, scores = comparison.run.scores["normal"], found.scores.numpy()
    rates = false_positive_rates(normal, scores)
    flagged = scores >= threshold_at_fpr(normal, fpr)
    info = detector_info(comparison.run.spec.detector)
    pictures = to_bytes(found.explanation) if info.pictures else None
    texts = [f"{number(score)} ({rate:.0%})" for score, rate in zip(scores, rates, strict=True)]
    return Row(comparison.name, "", pictures, texts, [bool(not flagged[0]), bool(flagged[1])])
