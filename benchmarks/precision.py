"""Does bfloat16 change what a run says? The same runs in both precisions, over seeds.

    python -m benchmarks.precision [--preset quick] [--dataset photos --normal-class temple] [--detectors dae deepsad ap]
        [--augs identity cutout flip] [--seeds 5]

Trains what is not stored yet, and prints for each run the AUC on the gens of the controlled testbed, mean +- standard
deviation over the seeds in float32 and in bfloat16, their difference, paired by seed, with its standard error, and the ratio
of the images per second.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.sweep import train_all
from benchmarks.turns import ratio, spread
from ssad_core.data import load
from ssad_core.detectors import augs, settings_for
from ssad_core.question import Question, run_name
from ssad_core.spec import CONTROLLED, PRECISIONS
from ssad_core.store import StoredRun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--dataset", default="photos")
    parser.add_argument("--normal-class", default="temple")
    parser.add_argument("--detectors", nargs="+", default=["dae", "deepsad", "ap"])
    parser.add_argument("--augs", nargs="+", default=["identity", "cutout", "flip"])
    parser.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args()
    dataset = load(args.dataset)
    rows = [
        [
            Question(
                args.dataset,
                args.normal_class,
                detector=detector,
                augment=aug,
                settings=settings_for(args.preset, detector, args.dataset, dataset.info.channels, aug),
                seed=seed,
            ).run(dataset)
            for seed in range(args.seeds)
        ]
        for detector in args.detectors
        for aug in args.augs
        if aug in augs(detector)
    ]
    store = train_all(replace(spec, precision=name) for row in rows for spec in row for name in PRECISIONS)
    for row in rows:
        exact, rough = ([store.load(replace(spec, precision=name).id) for spec in row] for name in PRECISIONS)
        report(exact, rough)


def report(exact: Sequence[StoredRun], rough: Sequence[StoredRun]) -> None:
    speeds = ([run.result["images_per_second"] for run in side] for side in (rough, exact))
    print(f"{run_name(exact[0].spec)}: bfloat16 has {ratio(*speeds)} the images/s of float32")
    for gen in CONTROLLED:
        sides = [[run.result["auc"][gen.key] for run in side] for side in (exact, rough)]
        off = [b - a for a, b in zip(*sides, strict=True)]
        error = statistics.stdev(off) / len(off) ** 0.5 if len(off) > 1 else float("nan")
        print(
            f"  {gen.key:12} {spread(sides[0])}, {spread(sides[1])}: {statistics.mean(off):+.3f} ({error:.3f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
