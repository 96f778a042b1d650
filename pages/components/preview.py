"""Real images with what gen and aug make of them, and the difference; drawn anew whenever a slider moves."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.components.markdown import plain
from ssad_core import augment
from ssad_core.augment import modification
from ssad_core.data import Dataset, contact_sheet, counts, is_own
from ssad_core.detectors import detector_info
from ssad_core.numbers import counted
from ssad_core.question import Question, anomaly_name
from ssad_core.sprites import ERROR_CEILING, error_tiles, sheet

if TYPE_CHECKING:
    from torch import Tensor

SHOWN = 8
MOST_CLASSES = 10  # that are shown unasked, so that what follows is not screens away
MEASURED = 500  # images that the degree of modification is measured on


def preview(question: Question, dataset: Dataset) -> None:
    """Two cards: the normal images beside the anomalies, and beside their augmentations."""
    st.html(_cards(question.run(dataset).id, question.anomaly.key, question, dataset))


# Kept, since each rerun, of a moved threshold too, shows it again: gen and aug of hundreds of images take a while.
@st.cache_data(max_entries=64, show_spinner=False)
def _cards(run_id: str, anomaly_key: str, _question: Question, _dataset: Dataset) -> str:
    from ssad_core.samples import Samples, to_float  # torch: it may still be loading when the first lines are drawn

    question = _question
    samples = Samples.of(question.run(_dataset), _dataset)
    # The same images under gen and under aug, to be compared; aug is drawn for as many as there are to train on.
    normal = samples.test_normal()[: min(MEASURED, len(samples.train_normal()))]
    anomalous = samples.anomalous(question.anomaly, question.profile, len(normal))
    augmented = samples.augmented(normal, question.augment, question.profile, dict(question.params))
    x = to_float(normal)
    name = anomaly_name(question.anomaly)
    if question.anomaly.paired:
        rows = {"normal": x, "gen(normal)": anomalous, "difference": (x - anomalous).abs()}
        anomaly = card(f"Anomaly: gen {name}", colour_of(question.anomaly.name), rows, change(x, anomalous, "test"))
    else:
        rows = {"normal": x, "anomalous": anomalous}
        anomaly = card(f"Anomaly: {name}", "currentColor", rows, "Other images: there is no pair to compare.")
    label = augment.label(question.augment, dict(question.params))
    rows = {"normal": x, "aug(normal)": augmented, "difference": (x - augmented).abs()}
    note = change(x, augmented, "test")
    values = augment.check(question.augment, **dict(question.params))
    for parameter in augment.AUGMENTATIONS[question.augment].parameters:
        if parameter.training_only and detector_info(question.detector).role == "aug":
            note += f" Every image is changed here; in training each is with probability {values[parameter.name]:g}."
    aug = card(f"Augmentation: aug {label}", colour_of(question.augment), rows, note)
    # As many cards beside each other as there is room for, else one below the other.
    return (
        '<div style="display:grid;gap:1rem 1.5rem;grid-template-columns:repeat(auto-fit,minmax(min(26rem,100%),1fr))">'
        f"{anomaly}{aug}</div>"
    )


@st.fragment
def data_sheet(dataset: Dataset, normal_class: str) -> None:
    """The classes with their counts and some of their images, before anything is trained; of many at first the normal class
    and some others. Own images are shown unasked: whether they were understood is seen here."""
    own = is_own(dataset.info.name)
    icon, key = ":material/grid_view:", f"data-open-{own}"
    box = st.expander("Look at the data", expanded=own, icon=icon, on_change="rerun", key=key)
    if box.open:
        box.caption(
            f"{plain(dataset.info.note)} Each class with its numbers of training and test images, and some of each."
        )
        names = dataset.info.classes
        if len(names) > MOST_CLASSES and not box.toggle(f"All {len(names)} classes", key="data-all"):
            names = (normal_class, *(name for name in names if name != normal_class))[:MOST_CLASSES]
        box.html(_classes(dataset.fingerprint, names, dataset))


@st.cache_data(max_entries=16, show_spinner=False)
def _classes(fingerprint: str, names: Sequence[str], _dataset: Dataset) -> str:
    lines, numbers = [], counts(_dataset)
    for name in names:
        for split, title, count in zip(("train", "test"), ("training", "test"), numbers[name], strict=True):
            if count:
                images = contact_sheet(_dataset, name, split, n=2 * SHOWN)
                lines.append(_row(f"{name}: {count:,} {title}", images, width="11rem"))
    return "".join(lines)


def change(x: Tensor, other: Tensor, kind: str) -> str:
    """How much was changed of images of a ``kind``: training or test."""
    degree, unchanged = modification(x, other)
    measured = counted(len(x), f"{kind} image")
    note = f"Degree of modification: {degree:.3f}, the mean absolute pixel change (0 to 1) of {measured}."
    return note + (f" {unchanged:.1%} of them are left unchanged." if unchanged else "")


def colour_of(name: str) -> str:
    return augment.CATEGORY_COLOURS[augment.AUGMENTATIONS[name].category]


def card(title: str, colour: str, rows: dict[str, Tensor], note: str) -> str:
    """The first images of each row; a difference is drawn as an error map, with its scale beside it."""
    from ssad_core.evaluate import to_bytes

    tiles = {}
    for name, images in rows.items():
        if name == "difference":
            tiles[f"difference, white from {ERROR_CEILING:g} on"] = error_tiles(images[:SHOWN].mean(1).numpy())
        else:
            tiles[name] = to_bytes(images[:SHOWN])
    lines = "".join(_row(name, images, width="5.6rem", of=title) for name, images in tiles.items())
    return (
        f'<div style="border-left:4px solid {colour};padding-left:.7rem;min-width:0;overflow-wrap:anywhere">'
        f'<div style="font-weight:600;margin-bottom:.2rem">{html.escape(title)}</div>{lines}'
        f'<div style="font-size:.8rem;opacity:.75;margin-top:.2rem">{html.escape(note)}</div></div>'
    )


def _row(name: str, images: np.ndarray, width: str, of: str = "") -> str:
    """A label and the images beside it, each of them at most twice its size; ``of`` is what they belong to. Lines between
    them show where one ends."""
    picture, alt = base64.b64encode(sheet(images, columns=len(images))).decode(), f"{of}, {name}" if of else name
    share = f"{100 / len(images):.6g}%"
    return (
        f'<div style="display:flex;align-items:center;gap:.6rem;margin:.15rem 0">'
        f'<span style="flex:0 0 {width};min-width:0;overflow-wrap:anywhere;font-size:.8rem;opacity:.75;text-align:right">'
        f"{html.escape(name)}</span>"
        f'<span style="flex:1 1 auto;min-width:0;max-width:{len(images) * 64}px;line-height:0;border-radius:4px;'
        'overflow:hidden;background:#808080">'
        f'<img alt="{counted(len(images), "image")}: {html.escape(alt)}" src="data:image/webp;base64,{picture}" '
        f'style="width:100%;aspect-ratio:{len(images)};image-rendering:pixelated;'
        f'mask-image:repeating-linear-gradient(90deg,#000 0 calc({share} - 2px),#0000 0 {share})"></span></div>'
    )
