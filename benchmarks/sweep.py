"""Trains many runs, as a page or the command line would; what is stored already is not trained again."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Iterable

from ssad_core import jobs
from ssad_core.spec import RunSpec
from ssad_core.store import Store, StoredRun


def train_all(specs: Iterable[RunSpec]) -> Store:
    """The store with all of them, once they are done. Broken off, it goes on where it stopped; one line says why a run
    failed."""
    try:
        return jobs.train_all(
            specs, lambda done, total: print(f"{done} of {total} runs ", end="\r", file=sys.stderr, flush=True)
        )
    except RuntimeError as error:
        raise SystemExit(str(error)) from error


def made(run: StoredRun) -> tuple[str, str]:
    """The machine's kind and the date of a run, for a table."""
    machine = run.result["machine"]
    date = time.strftime("%Y-%m-%d", time.localtime(run.result["finished"]))
    return f"{platform.machine()}, {machine['device_type']}, torch {machine['torch']}", date
