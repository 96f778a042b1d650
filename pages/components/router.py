"""What every page has around it: app.py, which runs before it, and the browser's ways from it to the others."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.components.part import said

_NAVIGATION = f"<script>{Path(__file__).with_name('browser').joinpath('navigation.js').read_text()}</script>"


def show(page: Callable[[], None]) -> None:
    """Draws a page."""
    _through_app()
    _arrive()
    said(page)()
    st.html(_NAVIGATION, unsafe_allow_javascript=True)  # after the page, which keeps its place


def _arrive() -> None:
    """What is kept in `st.session_state.visit` is there as long as its page is shown."""
    page = get_script_run_ctx().page_script_hash
    if st.session_state.get("visit", {}).get("page") != page:
        st.session_state.visit = {"page": page}


def _through_app() -> None:
    """Before anything of a page. Streamlit takes a folder pages/ for an app of its older kind until app.py has called
    st.navigation once; on a new server a page's own address would show the page without the app around it, to everybody."""
    # Once a session, when it is new: a click would be lost.
    if PagesManager.uses_pages_directory and "through app" not in st.session_state:
        st.session_state["through app"] = True
        PagesManager.uses_pages_directory = False
        st.rerun()
