"""The table behind the default: what counts as a win, and the table as the README shows it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from ssad_core.augment import AUGMENTATIONS
from ssad_core.data import DATASETS, class_index
from ssad_core.evidence import TABLE, Row, finding1, markdown

# AUC by aug over three seeds: of gen cutout the matched aug is best on all; of gen flip on none, and above the baseline on
# two (on the third they tie).
AUCS = {
    ("photos", "temple", "cutout"): {"identity": (0.8, 0.81, 0.8), "cutout": (0.9, 0.95, 1.0), "flip": (0.7, 0.9, 0.9)},
    ("digits", "3", "flip"): {"identity": (0.5, 0.5, 0.5), "cutout": (0.9, 0.9, 0.9), "flip": (0.6, 0.6, 0.5)},
}
HEADER = ["dataset", "normal_class", "gen", "aug", "seed", "auc", "preset", "machine", "date"]


def written(path: Path, made: tuple[str, str, str] = ("quick", "x86_64, cpu", "2026-11-24")) -> Path:
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for task, augs in AUCS.items():
            for aug, values in augs.items():
                writer.writerows([*task, aug, seed, f"{value:.4f}", *made] for seed, value in enumerate(values))
    return path


def test_a_win_is_above_the_baseline_and_every_other_aug_on_the_same_seed(tmp_path: Path) -> None:
    rows, made = finding1(written(tmp_path / "table.csv"))
    assert made == "preset quick, x86_64, cpu, 2026-11-24"
    first, second = rows
    assert (first.dataset, first.normal_class, first.gen) == ("photos", "temple", "cutout")
    assert (first.wins, first.above_baseline, first.seeds, first.shows) == (3, 3, 3, True)
    assert first.auc == pytest.approx({"identity": 0.8033, "cutout": 0.95, "flip": 0.8333}, abs=1e-4)
    assert (second.wins, second.above_baseline, second.seeds, second.shows) == (0, 2, 3, False)


def test_only_seeds_that_every_aug_has_are_compared(tmp_path: Path) -> None:
    path = written(tmp_path / "table.csv")
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line for line in lines if not line.startswith("photos,temple,cutout,flip,2")) + "\n")
    rows, _ = finding1(path)
    assert (rows[0].wins, rows[0].seeds) == (2, 2)
    assert rows[0].auc["cutout"] == pytest.approx(0.925)
    assert rows[1].seeds == 3


def test_the_readmes_table_marks_the_best_and_the_matched(tmp_path: Path) -> None:
    rows, _ = finding1(written(tmp_path / "table.csv"))
    assert markdown(rows).splitlines() == [
        "| data set, normal class | gen | identity | cutout | flip | matched best | matched above baseline |",
        "|---|---|---|---|---|---|---|",
        "| photos, temple | cutout | .803 | **.950** (=) | .833 | 3 of 3 | 3 of 3 |",
        "| digits, 3 | flip | .500 | **.900** | .567 (=) | 0 of 3 | 2 of 3 |",
    ]


def test_what_ties_as_it_is_shown_is_all_the_best() -> None:
    row = Row("photos", "flower", "invert", {"identity": 0.9999, "flip": 0.9996, "cutout": 0.9994}, 0, 0, 5)
    assert row.best == {"identity", "flip"}
    assert "| **1.000** | **1.000** | .999 |" in markdown([row])


def test_a_missing_table_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        finding1(tmp_path / "none.csv")


def test_the_table_that_comes_along_is_whole_and_the_readmes() -> None:
    rows, made = finding1()
    assert made.startswith("preset quick, ")
    readme = (TABLE.parents[1] / "README.md").read_text()
    assert markdown(rows) in readme
    for row in rows:
        assert DATASETS[row.dataset].classes[class_index(row.dataset, row.normal_class)] == row.normal_class
        assert {"identity", row.gen} <= set(row.auc) <= set(AUGMENTATIONS)
        assert row.seeds == 5
        assert all(0 <= value <= 1 for value in row.auc.values())
    assert {row.gen for row in rows} == set(rows[0].auc) - {"identity"}  # those that do not show it included
    default = next(row for row in rows if (row.dataset, row.normal_class, row.gen) == ("photos", "temple", "cutout"))
    assert default.shows
    assert not all(row.shows for row in rows)
