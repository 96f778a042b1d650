"""Sees to it that app.py runs before any page."""

from collections.abc import Callable

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from pages.components.part import said


def show(page: Callable[[], None]) -> None:
    """Draws a page."""
    _through_app()
    said(page)()


def _through_app() -> None:
    """Before anything of a page. Streamlit takes a folder pages/ for an app of its older kind until app.py has called
    st.navigation once; on a new server a page's own address would show the page without the app around it, to everybody."""
    # Once a session, when it is new: a click would be lost.
    if PagesManager.uses_pages_directory and "through app" not in st.session_state:
        st.session_state["through app"] = True
        PagesManager.uses_pages_directory = False
        st.rerun()
