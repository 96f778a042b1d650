"""Buttons that copy: the page's link, or a text such as the exact command of a run."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
_COMPONENT = st.components.v2.component(
    "ssad_copy",
    html='<div class="copy"></div>\n',
    css=(_HERE / "copy_link.css").read_text(),
    js=(_HERE / "copy_link.js").read_text(),
)


def copy_link(label: str = "Copy link", *, key: str) -> None:
    """Copies the address that the browser shows when the button is pressed; the page has written its state there."""
    _COMPONENT(key=key, data={"label": label, "text": None, "what": "Link"}, width="content")


def copy_text(text: str, label: str = "Copy", *, key: str) -> None:
    """Copies the given text."""
    _COMPONENT(key=key, data={"label": label, "text": text, "what": "Text"}, width="content")
