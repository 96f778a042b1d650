"""Buttons that copy: the page's link, or a text such as the exact command of a run."""

from __future__ import annotations

import html

import streamlit as st

from pages.components.component import component

_COMPONENT = component("ssad_copy", "copy", css=["copying"], js=["copying"])


def copy_link(*, key: str) -> None:
    """Copies the address that the browser shows when the button is pressed; the page has written its state there."""
    _COMPONENT(key=key, data={"label": "Copy link", "text": None, "what": "Link"}, width="content")


def command(text: str, *, key: str) -> None:
    """A command for the shell, to be read and copied. Not by st.code: its highlighter of 1.6 MB held up the first paint of
    the whole page for a second."""
    st.html(
        '<pre data-testid="command" style="margin:0;padding:.8rem 1rem;white-space:pre-wrap;font-size:.875rem;'
        f'background:rgba(128,128,128,.12);border-radius:.5rem">{html.escape(text, quote=False)}</pre>'
    )
    _COMPONENT(key=key, data={"label": "Copy command", "text": text, "what": "Command"}, width="content")
