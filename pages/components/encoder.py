"""In whose space MMD is measured, asked for on a page."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages.components.address import State
from ssad_core.detectors import detector_info
from ssad_core.encoders import ENCODERS, WEIGHTS_MB, download_weights, resnet50, where_to_put_weights
from ssad_core.spec import RunSpec


def ask_encoder(state: State, known: Mapping[str, str], label: str, help_text: str, key: str) -> str:
    """Asks for one of the ``known`` encoders, which have a label each; "resnet50" stands for however it is shown images. One
    that another page has set and this one does not offer stays set, and the first stands in."""
    kind = state.encoder.partition("-")[0]
    shown = kind if kind in known else next(iter(known))
    chosen = st.segmented_control(
        label,
        list(known),
        default=shown,
        required=True,
        format_func=known.__getitem__,
        help=help_text,
        key=key,
    )
    if chosen != shown:
        state.encoder = chosen
    return chosen


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
