"""How a component of the browser is put together from the files in browser/."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from pages.components.pictures import kept

_BROWSER = Path(__file__).parent / "browser"

# Streamlit sends a component's script with every change of its data, up to 80 kB; so it gets this, and fetches that once.
# While it waits, Streamlit may call it again for newer data, and have the call before cleaned up after that: the last counts.
_LOADER = """
export default async function (given) {{
  const place = given.parentElement
  const turn = (place.turn = (place.turn ?? 0) + 1)
  const script = await import(new URL("{address}", document.baseURI))
  const clean = script.default(given)
  return () => turn === place.turn && clean?.()
}}
"""


def component(
    name: str, root: str, *, css: Sequence[str], js: Sequence[str], isolate: bool = True
) -> Callable[..., Any]:
    """A component whose scripts fill an empty element of the class ``root``: style sheets and scripts by the names of their
    files, one after the other. ``isolate`` keeps its styles and the page's apart. To be called as Streamlit's are."""
    styles = "".join((_BROWSER / f"{file}.css").read_text() for file in css)
    script = "".join((_BROWSER / f"{file}.js").read_text() for file in js).encode()
    file = f"{name}-{hashlib.sha256(script).hexdigest()[:16]}.js"

    @cache
    def loading(address: str) -> Callable[..., Any]:
        html, loader = f'<div class="{root}"></div>\n', _LOADER.format(address=address)
        return st.components.v2.component(name, html=html, css=styles, js=loader, isolate_styles=isolate)

    def show(**options: Any) -> Any:
        return loading(kept(file, "text/javascript", lambda: script))(**options)

    return show
