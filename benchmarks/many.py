"""Nine patch sizes in one go, against one alone: what start-up and loading cost is paid once.

    python -m benchmarks.many [--preset quick] [--dataset photos] [--repeats 2]

The sweep c = .1 ... .9 through the service that the app asks, all submitted at once; then one of them alone through a service
of its own, in turn. Prints the seconds of both and their ratio, of the whole and from the first step of the optimiser until
all are stored, and the images per second of all runs together.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.turns import ratio, spread
from ssad_core.data import load
from ssad_core.detectors import settings_for
from ssad_core.jobs import Jobs
from ssad_core.question import Question
from ssad_core.spec import RunSpec
from ssad_core.store import Store

PATCHES = [k / 10 for k in range(1, 10)]


class Together(NamedTuple):
    seconds: float  # from a new service until all are stored
    after_start: float  # from the first step
    images: int  # that they were trained on
    device: str


def together(specs: list[RunSpec]) -> Together:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        service = Jobs(Store(Path(folder)))
        for spec in specs:
            service.submit(spec)
        while any(service.status(spec.id).going_on for spec in specs):
            time.sleep(0.05)
        seconds = time.perf_counter() - start
        results = [service.store.load(spec.id).result for spec in specs]
        service.close()
    images = sum(result["training_images"] * len(result["loss"]) for result in results)
    steps = max(result["finished"] for result in results) - min(result["began"] for result in results)
    return Together(seconds, steps, images, " and ".join({result["machine"]["device"] for result in results}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--dataset", default="photos")
    parser.add_argument("--repeats", type=int, default=2)
    args = parser.parse_args()
    dataset = load(args.dataset)
    settings = settings_for(args.preset, "dae", args.dataset)
    normal = dataset.info.classes[0]
    specs = [Question(args.dataset, normal, params=(("c", c),), settings=settings).run(dataset) for c in PATCHES]
    turns = [(together(specs), together(specs[k : k + 1])) for k in range(args.repeats)]
    print(turns[0][0].device)
    for what, seconds in {"start-up included": "seconds", "from the first step on": "after_start"}.items():
        nine, one = ([getattr(turn[k], seconds) for turn in turns] for k in (0, 1))
        print(f"{what}: nine {spread(nine, 1)} s, one {spread(one, 1)} s, {ratio(nine, one)} the time of one")
    speed, single = ([turn[k].images / turn[k].seconds for turn in turns] for k in (0, 1))
    print(f"{spread(speed, 0)} images/s in all, one alone {spread(single, 0)}; start-up included")


if __name__ == "__main__":
    main()
