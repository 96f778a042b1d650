"""Table 1 of the paper measured: CIFAR-10C and CIFAR-10, mean AUC over normal classes, beside the published values.

    python -m benchmarks.reproduction --detector dae [--preset standard] [--classes 0 1 ...] [--table]

Appends to docs/reproduction.csv one line a run and task; runs that are stored or in the file already are not trained
again, so it can be broken off and goes on where it stopped. What an earlier version of the method made is neither counted
as there nor mixed with the present one's. --table prints the file's tables and trains nothing.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from pathlib import Path

from benchmarks.sweep import made, train_all
from ssad_core.data import dataset_info, load
from ssad_core.detectors import augs, settings_for
from ssad_core.numbers import decimal
from ssad_core.question import Question
from ssad_core.spec import RunSpec
from ssad_core.statistics import pseudo_median, wilcoxon_greater

AUGS = ("identity", "cutout", "flip", "invert", "geom")  # identity: AE and DeepSVDD; AP has none
TASKS = {"gen:cutout": "CutOut", "gen:flip": "Flip", "gen:invert": "Invert", "rest": "semantic"}
# Table 1: rows are augs, columns the gens and the semantic classes.
PUBLISHED = {
    "dae": {
        "cutout": (0.974, 0.593, 0.654, 0.604),
        "flip": (0.771, 0.865, 0.772, 0.691),
        "invert": (0.746, 0.663, 0.970, 0.690),
        "geom": (0.813, 0.726, 0.724, 0.621),
    },
    "deepsad": {
        "cutout": (0.999, 0.580, 0.556, 0.592),
        "flip": (0.727, 0.876, 0.731, 0.691),
        "invert": (0.674, 0.659, 0.973, 0.695),
        "geom": (0.938, 0.758, 0.699, 0.682),
    },
    "ap": {
        "cutout": (0.797, 0.503, 0.508, 0.505),
        "flip": (0.639, 0.959, 0.836, 0.780),
        "invert": (0.645, 0.717, 0.994, 0.753),
        "geom": (0.760, 0.944, 0.881, 0.863),
    },
}
KEY = ("detector", "profile", "preset", "normal_class", "aug", "task", "seed", "method")
COLUMNS = [*KEY, "auc", "machine", "date"]
OUT = Path(__file__).resolve().parents[1] / "docs" / "reproduction.csv"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--detector", default="dae", choices=list(PUBLISHED))
    parser.add_argument("--profile", default="paper")
    parser.add_argument("--preset", default="standard")
    parser.add_argument("--classes", type=int, nargs="*", default=list(range(10)))
    parser.add_argument("--table", action="store_true")
    args = parser.parse_args()
    if not args.table:
        measure(args.detector, args.profile, args.preset, args.classes)
    for kind, lines in grouped(read()).items():
        print(markdown(*kind, lines), end="\n\n")


def measure(detector: str, profile: str, preset: str, classes: list[int]) -> None:
    dataset = load("cifar10")
    # Class by class, so that a part is a smaller table, not a table with holes.
    specs: list[RunSpec] = [
        Question(
            "cifar10",
            dataset.info.classes[label],
            detector=detector,
            augment=aug,
            profile=profile,
            settings=settings_for(preset, detector, "cifar10", aug=aug),
        ).run(dataset)
        for label in classes
        for aug in AUGS
        if aug in augs(detector)
    ]
    rows = read()
    asked = {spec: missing(spec, preset, rows) for spec in specs}
    specs = [spec for spec in specs if asked[spec]]
    store = train_all(specs)
    for spec in specs:
        run = store.load(spec.id)
        for key in asked[spec]:
            auc = run.result["auc"][key[KEY.index("task")]]
            rows.append(dict(zip(COLUMNS, [*key, f"{auc:.4f}", *made(run)], strict=True)))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    with open(OUT, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def missing(spec: RunSpec, preset: str, rows: list[dict[str, str]]) -> list[tuple[str, ...]]:
    """The keys, one a task, that the rows lack of a run."""
    seen = {tuple(row[name] for name in KEY) for row in rows}
    run = spec.detector, spec.profile, preset, dataset_info(spec.dataset).classes[spec.normal_class], spec.augment
    keys = [(*run, task, str(spec.seed), str(spec.method)) for task in TASKS]
    return [key for key in keys if key not in seen]


def read() -> list[dict[str, str]]:
    if not OUT.exists():
        return []
    with open(OUT, newline="") as file:
        return list(csv.DictReader(file))


def grouped(rows: list[dict[str, str]]) -> dict[tuple[str, str, str, str], list[dict[str, str]]]:
    """By detector, profile, preset and method version."""
    found: dict[tuple[str, str, str, str], list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        found[row["detector"], row["profile"], row["preset"], row["method"]].append(row)
    return found


def markdown(detector: str, profile: str, preset: str, method: str, rows: list[dict[str, str]]) -> str:
    """One detector's table: measured and published side by side; bold is the best aug of each column."""
    classes = list(dict.fromkeys(row["normal_class"] for row in rows))
    over = "ten normal classes" if len(classes) == 10 else f"the normal classes {', '.join(classes)}"
    means = mean_aucs(rows, "aug", "task")
    machines, dates = sorted({row["machine"] for row in rows}), sorted({row["date"] for row in rows})
    lines = [
        f"{detector}, profile {profile}, preset {preset}, method {method}, mean over {over}, measured (published). "
        f"{'; '.join(machines)}, {' to '.join(dict.fromkeys([dates[0], dates[-1]]))}.",
        "",
        "| aug | " + " | ".join(TASKS.values()) + " |",
        "|---|" + "---|" * len(TASKS),
    ]
    rows_of = [aug for aug in AUGS if aug in augs(detector)]
    for aug in rows_of:
        texts = []
        for k, task in enumerate(TASKS):
            text = short(means[aug, task])
            if means[aug, task] == max(means[other, task] for other in rows_of):
                text = f"**{text}**"
            published = PUBLISHED[detector].get(aug)
            texts.append(text + (f" ({short(published[k])})" if published else ""))
        lines.append(f"| {aug} | " + " | ".join(texts) + " |")
    if len(classes) > 5:  # fewer cannot give a 95% interval
        lines += ["", matched_over_others(classes, rows)]
    return "\n".join(lines)


def matched_over_others(classes: list[str], rows: list[dict[str, str]]) -> str:
    """By how much the matched aug's AUC is above the best other one's, identity included, class by class: the pseudo-median
    over the classes with its 95% interval, and p of the one-sided Wilcoxon signed-rank test, for each gen.

    The classes count as independent: they share no model and, with a gen, no test image.
    """
    aucs, texts = mean_aucs(rows, "task", "normal_class", "aug"), []
    for task in (key for key in TASKS if key != "rest"):
        above = []
        for label in classes:
            others = {aug: auc for (*where, aug), auc in aucs.items() if where == [task, label]}
            above.append(others.pop(task.removeprefix("gen:")) - max(others.values()))
        estimate, *interval = (short(value, "+") for value in pseudo_median(above))
        texts.append(f"{TASKS[task]} {estimate} [{', '.join(interval)}], p = {short(wilcoxon_greater(above))}")
    return f"Matched aug over the best other one: {'; '.join(texts)}."


def mean_aucs(rows: list[dict[str, str]], *by: str) -> dict[tuple[str, ...], float]:
    """The mean AUC of the rows that agree in some columns."""
    found: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for row in rows:
        found[tuple(row[name] for name in by)].append(float(row["auc"]))
    return {key: sum(values) / len(values) for key, values in found.items()}


def short(value: float, sign: str = "") -> str:
    """An AUC or a difference of two as the paper writes them.

    >>> short(0.597), short(1.0), short(-0.0071, "+")
    ('.597', '1.000', '−.007')
    """
    return decimal(value, sign=sign).replace("0.", ".", 1)


if __name__ == "__main__":
    main()
