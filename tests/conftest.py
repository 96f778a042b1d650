"""What the tests share: where the real images are, and a store of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test gets a cache of its own, so that none answers from another's runs."""
    monkeypatch.setenv("SSAD_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"
