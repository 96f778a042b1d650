"""All augmentations side by side on the chosen class: what each does, how strongly, and the way to use it as aug or gen."""

from __future__ import annotations

import streamlit as st

from pages.components.address import State, write_address
from pages.components.controls import ask_params, use_as
from pages.components.part import part
from pages.components.preview import MEASURED, card, change, colour_of
from pages.components.question import asked
from pages.components.router import show
from pages.components.service import prepare_in_background
from ssad_core import augment
from ssad_core.alignment import Aug, aug_of
from ssad_core.data import Dataset
from ssad_core.spec import Params, exact

WIDTH = 460  # pixels of an item: two beside each other on a page of 1,440
CATEGORIES = {
    "geometric": "Geometric: the whole image moves",
    "local": "Local: a patch changes",
    "elementwise": "Elementwise: each pixel by itself, or with its neighbours",
    "color": "Color: values change, objects stay",
    "mixed": "Mixed: several at once",
}


@st.cache_data(max_entries=256, show_spinner=False)
def _picture(fingerprint: str, label: int, name: str, params: Params, profile: str, _dataset: Dataset) -> str:
    from ssad_core.samples import Samples, to_float  # torch: it may still be loading

    samples = Samples(_dataset, label)
    normal = samples.train_normal()[:MEASURED]
    x, changed = to_float(normal), samples.augmented(normal, name, profile, dict(params))
    rows = {"before": x, "after": changed, "difference": (x - changed).abs()}
    return card(augment.label(name, dict(params)), colour_of(name), rows, change(x, changed, "training"))


@part
def item(name: str, state: State, dataset: Dataset) -> None:
    """One augmentation: its pictures, its sliders, and its two uses."""
    info, question = augment.AUGMENTATIONS[name], state.question
    slot = st.container()
    # Without the p of flip and invert, which is for training alone; here every image is changed.
    own = {"aug": aug_of(question.augment, question.params)}
    if question.anomaly.paired:
        own["gen"] = aug_of(question.anomaly.name, question.anomaly.params)
    start = next((each.params for each in own.values() if each.name == name), ())
    # With another start the sliders begin anew, to follow it.
    scope = "-".join(["gallery", *(exact(value) for _, value in start)])
    params = ask_params(name, state.gallery.get(name, start), question.profile, "analysis", scope=scope)
    if params == start:
        state.gallery.pop(name, None)
    else:
        state.gallery[name] = params
    write_address(state)
    label = dataset.info.classes.index(question.normal_class)
    slot.html(_picture(dataset.fingerprint, label, name, params, question.profile, dataset))
    slot.caption(f"{info.help} AP tells K = {info.classes} functions of it apart.")
    with st.container(horizontal=True):
        for role in ("aug", "gen"):
            now = own.get(role) == Aug(name, params)
            if st.button(
                f"Is the {role}" if now else f"Use as {role}",
                icon=":material/check:" if now else None,
                disabled=now,
                key=f"use-{role}-{name}",
                help="With the values of its sliders here.",
                on_click=use_as,
                args=(role, name, params, question),
            ):
                st.rerun(scope="app")


def page() -> None:
    state, _, dataset = asked()
    st.caption(
        "Every augmentation of the paper, applied to each training image of the normal class (flip and invert with p = 1); a "
        "random one may leave some as they are, as a turn by 0 degrees does. Difference: the mean absolute change of each "
        "pixel. The Lab measures the degree of modification on test images."
    )
    st.page_link("pages/lab.py", label="This question in the Lab", icon=":material/science:")
    prepare_in_background()
    for category, title in CATEGORIES.items():
        colour = augment.CATEGORY_COLOURS[category]
        st.html(f'<h3 style="border-bottom:3px solid {colour};padding:.3rem 0">{title}</h3>')
        # As many beside each other as there is room for.
        with st.container(horizontal=True, gap="medium"):
            for name, info in augment.AUGMENTATIONS.items():
                if info.category == category:
                    with st.container(width=WIDTH):
                        item(name, state, dataset)


show(page)
