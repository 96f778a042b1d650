"""Does Finding 1 show? Every embedded task at the quick preset, over seeds 0 to 4, into docs/finding1.csv.

    python -m benchmarks.finding1 [--out docs/finding1.csv]

Runs that are stored already are not trained again, so it can be broken off and goes on where it stopped.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from benchmarks.sweep import made, train_all
from ssad_core.data import class_index, load
from ssad_core.detectors import settings_for
from ssad_core.evaluate import anomaly_results
from ssad_core.question import Question
from ssad_core.spec import Anomaly, RunSpec
from ssad_core.statistics import auc

TASKS = [("photos", "temple"), ("photos", "flower"), ("digits", "0"), ("digits", "3"), ("digits", "8")]
AUGS = ("identity", "cutout", "flip", "invert", "rotate")
SEEDS = range(5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/finding1.csv"))
    args = parser.parse_args()
    specs: dict[tuple[str, str, str, int], RunSpec] = {}
    for name, label in TASKS:
        dataset = load(name)
        label = dataset.info.classes[class_index(dataset.info, label)]
        settings = settings_for("quick", "dae", name, dataset.info.channels)
        for aug in AUGS:
            for seed in SEEDS:
                question = Question(dataset=name, normal_class=label, augment=aug, settings=settings, seed=seed)
                specs[name, label, aug, seed] = question.run(dataset)
    store = train_all(specs.values())
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with open(args.out, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["dataset", "normal_class", "gen", "aug", "seed", "auc", "preset", "machine", "date"])
        for (name, label, aug, seed), spec in specs.items():
            run = store.load(spec.id)
            for gen in AUGS[1:]:
                scores, _ = anomaly_results(run, Anomaly("gen", gen), load(name))
                value = auc(run.scores["normal"], scores)
                writer.writerow([name, label, gen, aug, seed, f"{value:.4f}", "quick", *made(run)])


if __name__ == "__main__":
    main()
