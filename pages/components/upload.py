"""A person's own images: the path of a folder or zip on the server, or an upload, which becomes such a path."""

from __future__ import annotations

import streamlit as st

from pages.components.markdown import plain
from ssad_core.data import (
    SIZES,
    DatasetInfo,
    SeveralSets,
    dataset_info,
    is_own,
    keep_upload,
    own_name,
    path_and_size,
)
from ssad_core.errors import BadInput

PATH, SET = "ask-own-path", "ask-own-set"
SETS = "own sets"  # in the session: the paths of the data sets, by their names, of which one is chosen
REFUSED = "own refused"  # in the session: why uploads could not be read, by their paths; they are not kept
LAYOUTS = """
Images (PNG, JPEG, BMP, TIFF, WebP) of any size lie in class folders:

- `train/<class>/*` and `test/<class>/*`, or
- `<class>/*`, which are then split 2 : 1, or
- as in MVTec: `train/good/*` and `test/<defect>/*`; such a defect is an anomaly without training images.
"""


def ask_own(last: str) -> tuple[str, DatasetInfo]:
    """Asks where own images are; ``last`` is the data set so far, and stays it until there are some."""
    known, known_size = path_and_size(last) if is_own(last) else ("", SIZES[0])
    if PATH not in st.session_state:
        st.session_state[PATH] = known
    st.file_uploader(
        "Upload a zip",
        type="zip",
        help="It is kept on the server, once, so that a link to these images goes on working." + LAYOUTS,
        key="ask-own-upload",
        on_change=_take,
    )
    # A browser that misses a first answer shows the field empty: what is known stays what it is about.
    path = st.text_input(
        "Folder or zip",
        placeholder=known or "/home/me/screws or /home/me/screws.zip",
        help="A path on the server; where a zip holds several data sets, with the folder in it: screws.zip/large."
        + LAYOUTS,
        key=PATH,
    )
    path = path.strip() or known
    size = st.segmented_control(
        "Resized to",
        SIZES,
        default=known_size,
        required=True,
        format_func=lambda side: f"{side} x {side}",
        help="Pixels. The paper's images have 32 x 32; 64 x 64 show more, and a training takes some four times as long.",
        key="ask-own-size",
    )
    if trouble := st.session_state.pop("own-trouble", None):
        st.error(plain(trouble), icon=":material/error:")
    slot = st.empty()
    missing = "your images are here"
    if path:
        try:
            name = own_name(path, size)
            info = dataset_info(name, lambda done, text: slot.progress(min(done, 1.0), plain(text)))
        except SeveralSets as several:
            slot.empty()
            st.session_state[SETS], missing = several.paths, "one of them is chosen"
            _ask_set(None)
        except BadInput as error:
            slot.empty()
            why, refused = str(error), st.session_state.get(REFUSED, {})
            if path in refused:
                why = refused[path] = refused[path] or why
            st.error(plain(why), icon=":material/error:")
        else:
            slot.empty()
            chosen = [name for name, place in st.session_state.get(SETS, {}).items() if place == path]
            if chosen:
                _ask_set(chosen[0])
            return name, info
    info = dataset_info(last)
    st.info(f"Until {missing}, this is {plain(info.title)}.", icon=":material/upload:")
    return last, info


def _ask_set(chosen: str | None) -> None:
    paths = st.session_state[SETS]
    st.session_state[SET] = chosen
    st.selectbox(f"It holds {len(paths)} data sets", paths, placeholder="Choose one", key=SET, on_change=_choose)


def _choose() -> None:
    st.session_state[PATH] = st.session_state[SETS][st.session_state[SET]]


def _take() -> None:
    file = st.session_state["ask-own-upload"]
    if file is not None:
        try:
            path = st.session_state[PATH] = str(keep_upload(file.name, file))
            st.session_state.setdefault(REFUSED, {})[path] = ""  # until it is read
        except BadInput as error:
            st.session_state["own-trouble"] = str(error)
