"""Plotly's figures on a page. Not by st.plotly_chart, which builds a figure anew, twice, whenever a number in it changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import plotly
import streamlit as st

from pages.components.component import component
from pages.components.pictures import kept

if TYPE_CHECKING:
    import plotly.graph_objects as go

HEIGHT = 450  # pixels, of a figure that has none of its own
PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"  # of the version that makes the figures

_COMPONENT = component(
    "ssad_chart", "chart", css=["chart"], js=["draw", "colours", "downloads", "chart_files", "chart"], isolate=False
)


def chart(
    figure: go.Figure, *, key: str, height: int | None = None, on_click: Callable[[dict[str, Any]], None] | None = None
) -> None:
    """Shows a figure as wide as there is room, ``height`` pixels high, else as its layout says.

    ``on_click`` is called, before the page's script runs again, with ``x``, ``y`` and ``customdata`` of the point that was
    clicked on.
    """
    tall = height or figure.layout.height or HEIGHT

    def clicked() -> None:
        if on_click:
            on_click(st.session_state[key]["clicked"])

    _COMPONENT(
        key=key,
        height=tall,
        data={
            "figure": figure.to_json(),
            "alt": figure.layout.meta["alt"],
            "library": kept(PLOTLY.name, "text/javascript", PLOTLY.read_bytes),
            "height": tall,
            "clickable": on_click is not None,
            "key": key,
        },
        on_clicked_change=clicked,
    )
