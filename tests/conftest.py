"""What the tests share: where the real images are, a store of their own, and how torch is set up."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn import functional as F

from ssad_core.data import load
from ssad_core.train import prepared

# The fixtures of the tests of pages; a machine that only trains needs no Streamlit, and tests the core without it.
pytest_plugins = ["apptest"] if find_spec("streamlit") else []

if TYPE_CHECKING:
    from browser import Server, Visitor
    from playwright.sync_api import Browser

# A shell that starts the tests in the background has them ignore Ctrl-C, and so whatever they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"


def missing(what: str) -> None:
    """Skip for want of ``what``; on CI, where it must be there, fail instead."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and CI must have it")
    pytest.skip(f"{what} is missing here")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with cifar10.zip, mnist.zip, ... that lies beside the checkout."""
    if not (SHARED_DATA / "cifar10.zip").is_file():
        missing("../shared/data")
    return SHARED_DATA


@pytest.fixture(scope="session")
def cifar10_cache(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache in which the whole of cifar10.zip is decoded, which takes five seconds."""
    cache = tmp_path_factory.mktemp("cifar10")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSAD_DATA_DIR", str(shared_data))
        patch.setenv("SSAD_CACHE_DIR", str(cache))
        load("cifar10")
    return cache


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test gets a cache of its own, so that none answers from another's runs."""
    monkeypatch.setenv("SSAD_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty SSAD_DATA_DIR."""
    monkeypatch.setenv("SSAD_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture(scope="session")
def images() -> Tensor:
    """float32 (64, 1, 32, 32) in [0, 1]: handwritten digits."""
    small = torch.from_numpy(load_digits().images[:64]).float()[:, None] / 16
    return F.interpolate(small, size=(32, 32), mode="bilinear").clamp(0, 1)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """As a training process is set up, so that the same training gives the same bits."""
    with prepared(torch.device("cpu"), 1):
        yield


@pytest.fixture
def double() -> Iterator[None]:
    """Float64 throughout: Adam turns what rounding leaves of a vanishing gradient into whole steps."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from browser import chromium

    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One app for all tests in a browser; in the end it must have had nothing to complain about."""
    from browser import serve

    with serve(tmp_path_factory.mktemp("server")) as server:
        yield server
    said = server.log.read_text()
    for word in ("Traceback", "Warning", "WARNING", "Error", "deprecated", "missing ScriptRunContext"):
        assert word not in said, said


@pytest.fixture
def someone(browser: Browser, server: Server) -> Iterator[Visitor]:
    from browser import visitor

    with visitor(browser, server) as someone:
        yield someone
