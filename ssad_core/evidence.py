"""The measured table behind the Lab's default: where Finding 1 shows, and where it does not (docs/finding1.csv)."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from .numbers import highest

TABLE = Path(__file__).resolve().parents[1] / "docs" / "finding1.csv"


@dataclass(frozen=True)
class Row:
    """One task (data set, normal class, gen) over all seeds.

    ``auc`` has each aug's mean over the seeds; ``wins`` counts, of ``seeds`` paired ones, those on which the matched aug
    (aug = gen) beat the baseline and every other aug, and ``above_baseline`` those on which it beat the baseline.
    """

    dataset: str
    normal_class: str
    gen: str
    auc: dict[str, float]
    wins: int
    above_baseline: int
    seeds: int

    @property
    def best(self) -> set[str]:
        """The augs of the highest AUC, as it is shown, with three digits: several where they tie in these."""
        return set(highest(self.auc))

    @property
    def shows(self) -> bool:
        """Whether the matched aug is best on every seed."""
        return self.wins == self.seeds


def finding1(path: Path = TABLE) -> tuple[list[Row], str]:
    """The rows in the file's order, and how they were made in one line. FileNotFoundError when it is not there."""
    values: dict[tuple[str, str, str], dict[str, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    made = set()
    with open(path, newline="") as file:
        for line in csv.DictReader(file):
            task = line["dataset"], line["normal_class"], line["gen"]
            values[task][line["aug"]][int(line["seed"])] = float(line["auc"])
            made.add((line["preset"], line["machine"], line["date"]))
    rows = []
    for (dataset, normal, gen), augs in values.items():
        seeds = sorted(set.intersection(*(set(found) for found in augs.values())))
        others = [aug for aug in augs if aug != gen]
        wins = sum(all(augs[gen][seed] > augs[aug][seed] for aug in others) for seed in seeds)
        above = sum(augs[gen][seed] > augs["identity"][seed] for seed in seeds)
        means = {aug: sum(found[seed] for seed in seeds) / len(seeds) for aug, found in augs.items()}
        rows.append(Row(dataset, normal, gen, means, wins, above, len(seeds)))
    return rows, "; ".join(sorted(f"preset {preset}, {machine}, {date}" for preset, machine, date in made))


def markdown(rows: list[Row]) -> str:
    """The table as the README has it: the best aug of each row in bold, the matched one marked."""
    augs = list(rows[0].auc)
    lines = ["| data set, normal class | gen | " + " | ".join(augs) + " | matched best | matched above baseline |"]
    lines.append("|---|---|" + "---|" * (len(augs) + 2))
    for row in rows:
        cells = []
        for aug in augs:
            text = f"{row.auc[aug]:.3f}".lstrip("0")
            text = f"**{text}**" if aug in row.best else text
            cells.append(text + (" (=)" if aug == row.gen else ""))
        score = f"{row.wins} of {row.seeds} | {row.above_baseline} of {row.seeds}"
        lines.append(f"| {row.dataset}, {row.normal_class} | {row.gen} | " + " | ".join(cells) + f" | {score} |")
    return "\n".join(lines)
