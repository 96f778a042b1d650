"""Stored runs of different data sets on their tasks: the table of AUCs and the ROC curves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ssad_core.report import draw_rocs, draw_tasks, task_aucs
from ssad_core.spec import CONTROLLED, Anomaly, RunSpec, Settings
from ssad_core.statistics import auc
from ssad_core.store import StoredRun, write_arrays

SETTINGS = Settings(epochs=1, features=4, hidden=8, batch_size=32, limit=0, test_limit=0)


def stored(folder: Path, aug: str, dataset: str, shifts: dict[str, float], seed: int) -> StoredRun:
    """A run of 100 steps whose scores of each group are drawn around its shift."""
    rng = np.random.default_rng(seed)
    scores = {"normal": rng.normal(size=60), **{key: rng.normal(shift, size=40) for key, shift in shifts.items()}}
    values = {key: auc(scores["normal"], scores[key]) for key in shifts}
    others = [scores[key] for key in shifts if key.startswith("class:")]
    values["rest"] = auc(scores["normal"], np.concatenate(others))
    path = folder / f"{aug}-{dataset}"
    path.mkdir()
    write_arrays(path / "scores.npz", scores)
    result = {"auc": values, "training_images": 3200}
    return StoredRun(path, RunSpec(dataset, dataset, 0, "dae", aug, (), SETTINGS), result)


GENS = {"gen:cutout": 0.5, "gen:flip": 1.0, "gen:invert": 2.0}


@pytest.fixture
def runs(tmp_path: Path) -> list[StoredRun]:
    """Two of digits and one of photos, which has one other class."""
    return [
        stored(tmp_path, "identity", "digits", {**GENS, "class:1": 0.2, "class:2": 1.5}, 1),
        stored(tmp_path, "flip", "digits", {**GENS, "gen:flip": 3.0, "class:1": 2.0, "class:2": 0.1}, 2),
        stored(tmp_path, "flip", "photos", {**GENS, "class:flower": 1.0}, 3),
    ]


def test_a_run_has_the_tasks_that_it_was_scored_on(runs: list[StoredRun]) -> None:
    classes = [Anomaly("class", "1"), Anomaly("class", "2")]
    assert list(task_aucs(runs[0])) == [*CONTROLLED, *classes, Anomaly("rest")]
    assert list(task_aucs(runs[2])) == [*CONTROLLED, Anomaly("class", "flower")]  # the rest is that class
    assert all(value == runs[0].result["auc"][task.key] for task, value in task_aucs(runs[0]).items())


def test_the_table_has_every_task_and_marks_the_best_run(runs: list[StoredRun]) -> None:
    fig = draw_tasks(runs)
    tasks, columns = list(fig.layout.yaxis.ticktext), list(fig.layout.xaxis.ticktext)
    assert tasks == ["gen: CutOut", "gen: Flip", "gen: Invert", "1", "2", "flower", "all other classes"]
    assert columns == ["AE", "DAE-Flip<br>data set Digits", "DAE-Flip<br>data set Photos"]
    table = fig.data[0]
    for task, key in {"gen: Flip": "gen:flip", "1": "class:1", "flower": "class:flower"}.items():
        row = tasks.index(task)
        expected = [run.result["auc"].get(key, np.nan) for run in runs]
        np.testing.assert_array_equal(table.z[row], expected)
        starred = ["★" in text for text in table.text[row]]
        alone = task == "flower"  # which is no contest
        assert starred == [not alone and value == np.nanmax(expected) for value in expected]
    assert "1: DAE-Flip, data set Digits" in fig.layout.meta["alt"]


def starred(runs: list[StoredRun]) -> list[str]:
    fig = draw_tasks(runs)
    rows = zip(fig.layout.yaxis.ticktext, fig.data[0].text, strict=True)
    return [task for task, texts in rows if "★" in "".join(texts)]


@pytest.mark.parametrize("group", ["class:1", "normal"])
def test_of_too_few_images_none_is_the_best(runs: list[StoredRun], group: str) -> None:
    every = starred(runs)
    for run in runs[:2]:
        write_arrays(run.path / "scores.npz", {**run.scores, group: run.scores["normal"][:9]})
    few = [StoredRun(run.path, run.spec, run.result) for run in runs]  # which have read no scores yet
    assert every == ["gen: CutOut", "gen: Flip", "gen: Invert", "1", "2", "all other classes"]
    assert starred(few) == ([] if group == "normal" else [task for task in every if task != "1"])


def test_a_run_that_cannot_be_judged_competes_with_nobody(runs: list[StoredRun]) -> None:
    short = StoredRun(runs[1].path, runs[1].spec, {**runs[1].result, "training_images": 3168})
    assert starred([runs[0], short]) == []  # the other one is alone


@pytest.mark.parametrize("anomaly", [Anomaly("gen", "invert"), Anomaly("rest")])
def test_the_curves_enclose_the_stored_auc(runs: list[StoredRun], anomaly: Anomaly) -> None:
    *curves, _ = draw_rocs(runs[:2], anomaly).data
    for run, curve in zip(runs[:2], curves, strict=True):
        assert np.trapezoid(curve.y, curve.x) == pytest.approx(run.result["auc"][anomaly.key])
