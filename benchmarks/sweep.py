"""Trains many runs, as a page or the command line would; what is stored already is not trained again."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Iterable

from ssad_core.jobs import Jobs
from ssad_core.spec import RunSpec
from ssad_core.store import Store, StoredRun


def train_all(specs: Iterable[RunSpec]) -> Store:
    """The store with all of them, once they are done. Broken off, it goes on where it stopped; a run that failed ends it."""
    specs = list(specs)
    service = Jobs()
    try:
        for spec in specs:
            service.submit(spec)
        while True:
            stati = [service.status(spec.id) for spec in specs]
            waiting = sum(status.going_on for status in stati)
            print(f"{len(specs) - waiting} of {len(specs)} runs ", end="\r", file=sys.stderr, flush=True)
            if not waiting:
                break
            time.sleep(2)
        if failed := [status.message for status in stati if status.state != "done"]:
            raise SystemExit(f"{len(failed)} of {len(specs)} runs are not done: {failed[0]}")
        return service.store
    finally:
        service.close()


def made(run: StoredRun) -> tuple[str, str]:
    """The machine's kind and the date of a run, for a table."""
    machine = run.result["machine"]
    date = time.strftime("%Y-%m-%d", time.localtime(run.result["finished"]))
    return f"{platform.machine()}, {machine['device_type']}, torch {machine['torch']}", date
