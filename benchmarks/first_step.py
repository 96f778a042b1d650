"""From asking for a run to its first optimiser step, through the service that the app asks.

    python -m benchmarks.first_step [--repeats 3]

Cold: the service has just been made, so a training process has to start. Warm: a spare one waits. The run is the Lab's
default (preset quick), cut to two batches, of another seed each time.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.turns import spread
from ssad_core.data import load
from ssad_core.detectors import settings_for
from ssad_core.jobs import Jobs
from ssad_core.question import Question
from ssad_core.store import Store

# One epoch of two batches, hardly evaluated: what comes after the first step does not matter here.
SHORT = replace(settings_for("quick"), epochs=1, limit=64, test_limit=8)
PAUSE = 15  # seconds in which spare processes get ready


def first_step(service: Jobs, seed: int) -> float:
    """Seconds until the first step of a run that nobody asked for before."""
    spec = Question(settings=SHORT, seed=seed).run(load("photos"))
    start = time.time()
    service.submit(spec)
    while service.status(spec.id).going_on:
        time.sleep(0.01)
    return service.store.load(spec.id).result["began"] - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    load("photos")  # the page has shown it before anybody can press the button
    found: dict[str, list[float]] = {"cold": [], "warm": []}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            service = Jobs(Store(Path(folder)))
            found["cold"].append(first_step(service, 0))
            service.warm()
            for seed in (1, 2):
                time.sleep(PAUSE)
                found["warm"].append(first_step(service, seed))
            service.close()
    for kind, seconds in found.items():
        print(f"{kind}: {spread(seconds, 2)} s, at most {max(seconds):.2f} s of {len(seconds)}")


if __name__ == "__main__":
    main()
