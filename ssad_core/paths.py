"""Where things lie: the images that are read and the cache that is written."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import BadInput

ROOT = Path(__file__).resolve().parents[1]


def data_dir() -> Path:
    """The folder of the images: SSAD_DATA_DIR, by default data/ in the checkout. It need not exist."""
    return _folder("SSAD_DATA_DIR", "data")


def cache_dir() -> Path:
    """The folder of runs and decoded images: SSAD_CACHE_DIR, by default cache/ in the checkout. It need not exist."""
    return _folder("SSAD_CACHE_DIR", "cache")


def cannot_write(folder: Path, variable: str, error: OSError) -> BadInput:
    """The error for a folder that cannot be written, naming it and the environment variable that moves it."""
    return BadInput(
        f"cannot write to {folder} ({error.strerror or error}); set {variable} to a folder that can be written"
    )


def _folder(variable: str, default: str) -> Path:
    # Read at every call, so that a test or a notebook may set it late. An empty value counts as not set.
    return Path(os.path.expanduser(os.environ.get(variable) or ROOT / default)).absolute()
