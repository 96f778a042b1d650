"""Files that the browser fetches by their address instead of getting them in messages: sheets of images, above all.

An address names a file by its content, so what the browser has is not sent again, whatever else has changed.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np
import streamlit as st
from streamlit import runtime

from ssad_core.sprites import sheet

COLUMNS = 20  # tiles in a row of a sheet


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
    return runtime.get_instance().media_file_mgr.add(file, kind, place).removeprefix("/")
