"""Files that the browser fetches by their address instead of getting them in messages: sheets of images, and scripts.

An address names a file by its content, so what the browser has is not sent again, whatever else has changed.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from typing import NamedTuple

import numpy as np
import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx

from ssad_core.sprites import sheet

COLUMNS = 20  # tiles in a row of a sheet
RECENT = 100  # files


class Sheet(NamedTuple):
    """A WebP sheet (`ssad_core.sprites`) of ``tiles`` images, `COLUMNS` in a row."""

    webp: bytes
    tiles: int


def sheet_of(images: np.ndarray) -> Sheet:
    """The sheet of uint8 images (N, C, H, W), N >= 1, encoded once."""
    digest = hashlib.blake2b(np.ascontiguousarray(images), digest_size=16).hexdigest()
    return Sheet(_encoded(digest, images.shape, images), len(images))


@st.cache_resource(max_entries=256, show_spinner=False)
def _encoded(digest: str, shape: tuple[int, ...], _images: np.ndarray) -> bytes:
    return sheet(_images, COLUMNS)


def by_group(images: np.ndarray, group: np.ndarray) -> list[Sheet]:
    """A sheet for each group of images, whose indices ``group`` (N,) ascend: another anomaly or aug changes one or two."""
    return [sheet_of(part) for part in np.split(images, np.flatnonzero(np.diff(group)) + 1)]


def served(file: bytes, place: str, kind: str = "image/webp") -> str:
    """The address of a file, relative to the page's. Another file at the same ``place`` of a page takes its place."""
    _recent().hold(file, kind)
    return runtime.get_instance().media_file_mgr.add(file, kind, place).removeprefix("/")


@st.cache_resource(show_spinner=False)
def kept(name: str, kind: str, _read: Callable[[], bytes]) -> str:
    """The address of a file that stays as it is, by its name: read once and held for good."""
    return _hold(_read(), kind, name).removeprefix("/")


def _hold(file: bytes, kind: str, place: str) -> str:
    """Adds it for a session of its own, so that it is only dropped when another takes its place."""
    own = copy(get_script_run_ctx())
    own.session_id = "held files"
    with ThreadPoolExecutor(1, initializer=lambda: add_script_run_ctx(ctx=own)) as thread:
        return thread.submit(runtime.get_instance().media_file_mgr.add, file, kind, place).result()


class _Recent:
    """The files that were asked for last, held beyond the page that shows them. When the script of a page runs, Streamlit
    drops what the run before had, also if the browser has only just been told of it; a page that is drawn again and again,
    as when a sweep fills in, would be without pictures."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places: OrderedDict[bytes, int] = OrderedDict()  # the latest last

    def hold(self, file: bytes, kind: str) -> None:
        with self._lock:
            place = self._places.pop(file, None)
            if place is None:
                place = len(self._places) if len(self._places) < RECENT else self._places.popitem(last=False)[1]
                _hold(file, kind, str(place))
            self._places[file] = place


@st.cache_resource(show_spinner=False)
def _recent() -> _Recent:
    return _Recent()
