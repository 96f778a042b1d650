"""Parts of a page: one that is drawn anew by itself when something in it is used, or again and again; one that keeps its
place."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.components.markdown import plain
from ssad_core.errors import BadInput
from ssad_core.store import Damaged, Gone

P = ParamSpec("P")
T = TypeVar("T")


def said(draw: Callable[P, None]) -> Callable[P, None]:
    """What cannot be done is one message, in its place."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            draw(*args, **kwargs)
        except (BadInput, Damaged) as error:
            st.error(plain(str(error)), icon=":material/error:")

    return drawn


def part(draw: Callable[P, None]) -> Callable[P, None]:
    """Draws a part of a page. What it is given stays as it is until the whole page is drawn anew; what it changes in the
    state it must write into the address itself."""
    return st.fragment(said(_looking_anew(draw, Damaged, Gone)))


def polled(draw: Callable[P, None], every: float) -> Callable[P, None]:
    """Draws a part of a page again every so many seconds. What is damaged is said in its place: it stays so, and the whole
    page would be drawn anew with every look."""
    return st.fragment(said(_looking_anew(draw, Gone)), run_every=every)


def _looking_anew(draw: Callable[P, None], *errors: type[Exception]) -> Callable[P, None]:
    """Has the whole page look anew where one of the errors comes later: a run that it was given may have been deleted."""

    @wraps(draw)
    def by_itself(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            draw(*args, **kwargs)
        except errors:
            if not get_script_run_ctx().fragment_ids_this_run:
                raise
            st.rerun(scope="app")

    return by_itself


def in_place(draw: Callable[P, T]) -> Callable[P, T]:
    """Draws what is sometimes nothing in a place of its own. The browser tells elements apart by their order: without it all
    below would move up by one, be drawn anew, and be seen twice until the page is done."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> T:
        with st.container():
            return draw(*args, **kwargs)

    return drawn
