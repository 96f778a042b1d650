"""Helpers of the tests of pages: the real app through Streamlit's AppTest, on real, tiny runs."""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from pages.components import service
from ssad_core import worker
from ssad_core.data import load
from ssad_core.paths import ROOT
from ssad_core.question import Question, from_query
from ssad_core.store import Store

# Small enough to be trained within a second.
TINY = {"dataset": "digits", "class": "3", "epochs": "2", "features": "4", "hidden": "16"}
TINY |= {"limit": "64", "test_limit": "20"}
LONG = {**TINY, "epochs": "50"}  # steps enough to be judged


def tiny(**changes: str) -> Question:
    question, rejected = from_query({**TINY, **changes})
    assert not rejected
    return question


@cache
def _installed_components() -> BidiComponentManager:
    """Of all packages, whose metadata every AppTest would read anew, which takes as long as a page."""
    manager = BidiComponentManager()
    manager.discover_and_register_components(start_file_watching=False)
    return manager


def open_page(path: str = "pages/lab.py", **query: str) -> AppTest:
    """The app in a new session, at this address."""
    app = AppTest.from_file(ROOT / "app.py", default_timeout=120).switch_page(path)
    app._bidi_component_manager = _installed_components()
    for field, value in query.items():
        app.query_params[field] = value
    return calm(app.run())


def calm(app: AppTest) -> AppTest:
    """Nothing was raised in the last run of the page."""
    assert [error.message for error in app.exception] == []
    return app


def words(app: AppTest) -> str:
    """All text of the page, without the escapes of Markdown."""
    texts = [*app.title, *app.header, *app.subheader, *app.markdown, *app.caption, *app.error, *app.warning, *app.info]
    said = [re.sub(r"\\([^\w\s])", r"\1", element.value) for element in texts]
    return "\n".join(said + [element.proto.body for element in app.get("html")])


def command(app: AppTest) -> str:
    """The command that the page shows."""
    (body,) = (each.proto.body for each in app.get("html") if 'data-testid="command"' in each.proto.body)
    return html.unescape(re.sub("<[^>]+>", "", body))


def charts(app: AppTest) -> list[dict[str, Any]]:
    """The figures of the page, as Plotly is given them."""
    found = (
        json.loads(each.proto.json) for each in app.get("bidi_component") if each.proto.component_name == "ssad_chart"
    )
    return [json.loads(data["figure"]) for data in found]


def places(app: AppTest) -> list[tuple[int, ...]]:
    """Where on the page the charts are, as the browser counts it: the order in each block on the way to them."""

    def within(block: Block, way: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        for i, child in block.children.items():
            if isinstance(child, Block):
                yield from within(child, (*way, i))
            elif child.type == "bidi_component" and child.proto.component_name == "ssad_chart":
                yield (*way, i)

    return list(within(app.main, ()))


def address(app: AppTest) -> dict[str, str]:
    """What the page has put into its address; AppTest gives a text or a list of one."""
    return {name: value if isinstance(value, str) else value[0] for name, value in app.query_params.items()}


def warned(app: AppTest) -> list[str]:
    """What the page warns of, but that trainings as short as `TINY` are hardly any."""
    return [warning.value for warning in app.warning if "steps of the optimiser" not in warning.value]


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def close_service() -> None:
    """Ends what the pages of this process share; the next page starts it again, in its own cache."""
    service._background().join()
    service.jobs().close()
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def no_spares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test that starts the service anew would start two spare processes, which import torch for seconds beside it and
    are ended before they are of use. In the tests in a browser they are there, as for a person."""
    monkeypatch.setattr(service.Jobs, "warm", lambda jobs: None)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache with `tiny()` and its baseline."""
    cache = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSAD_CACHE_DIR", str(cache))
        run = tiny().run(load("digits"))
        for spec in (run.baseline(), run):
            worker.run(spec, Store(), "cpu")
        yield cache
        close_service()


@pytest.fixture
def lab(trained: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shared cache, for tests that leave it as it is."""
    monkeypatch.setenv("SSAD_CACHE_DIR", str(trained))
    return trained


@pytest.fixture
def own_lab(trained: Path, own_cache: Path) -> Iterator[Store]:
    """A copy of the shared cache, for tests that change what is stored."""
    close_service()
    shutil.copytree(trained, own_cache, dirs_exist_ok=True)
    yield Store(own_cache)
    close_service()
