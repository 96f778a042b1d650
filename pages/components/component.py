"""How a component of the browser is put together from the files beside this one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent


def component(
    name: str, root: str, *, css: Sequence[str], js: Sequence[str], isolate: bool = True
) -> Callable[..., Any]:
    """A component whose scripts fill an empty element of the class ``root``: style sheets and scripts by the names of their
    files, one after the other. ``isolate`` keeps its styles and the page's apart."""
    return st.components.v2.component(
        name,
        html=f'<div class="{root}"></div>\n',
        css="".join((_HERE / f"{file}.css").read_text() for file in css),
        js="".join((_HERE / f"{file}.js").read_text() for file in js),
        isolate_styles=isolate,
    )
