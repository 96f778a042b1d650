"""What benchmarks/ hands to the documents, the measured tables as they were measured, the published ones as published; and
that a comparison is a fair one."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import torch

from benchmarks import textbook
from benchmarks.reproduction import OUT, PUBLISHED, TASKS, grouped, markdown, matched_over_others, missing, read
from ssad_core.spec import RunSpec, Settings
from ssad_core.statistics import pseudo_median, wilcoxon_greater


def test_the_document_has_every_table_that_was_measured() -> None:
    text = OUT.with_suffix(".md").read_text()
    tables = grouped(read())
    assert tables
    for kind, rows in tables.items():
        assert markdown(*kind, rows) in text


def test_the_matched_aug_is_held_against_the_best_other_one_of_each_class() -> None:
    classes = list("abcdef")
    aucs = {
        "identity": (0.5, 0.9, 0.5, 0.5, 0.5, 0.5),
        "cutout": (0.6, 0.6, 0.7, 0.8, 0.9, 0.8),
        "flip": (0.7, 0.4, 0.4, 0.4, 0.4, 0.4),
        "invert": (0.4, 0.5, 0.4, 0.4, 0.4, 0.4),
    }
    rows = [
        {"normal_class": label, "aug": aug, "task": task, "auc": str(auc)}
        for task in TASKS
        for aug, values in aucs.items()
        for label, auc in zip(classes, values, strict=True)
    ]
    above = [-0.1, -0.3, 0.2, 0.3, 0.4, 0.3]  # CutOut's, as the best other one is another in a and b
    estimate, low, high = pseudo_median(above)
    said = f"CutOut +{estimate:.3f} [−{-low:.3f}, +{high:.3f}], p = {wilcoxon_greater(above):.3f};".replace("0.", ".")
    assert f"Matched aug over the best other one: {said} Flip" in matched_over_others(classes, rows)


def test_what_another_version_of_the_method_made_is_not_there() -> None:
    settings = Settings(epochs=1, features=2, hidden=2, batch_size=2, limit=4, test_limit=0)
    spec = RunSpec("cifar10", "0" * 16, 1, "dae", "flip", (), settings, method=1)
    assert missing(spec, "quick", read()) == []
    assert len(missing(replace(spec, method=2), "quick", read())) == len(TASKS)
    rows = [row for row in read() if row["detector"] == "dae" and row["preset"] == "quick"]
    assert len(grouped(rows)) == 1
    assert len(grouped([*rows, {**rows[0], "method": "2"}])) == 2


def test_the_published_table_is_the_papers(shared_data: Path) -> None:
    lines = (shared_data.parent / "METHOD.md").read_text().splitlines()
    for name, aug in {"CutOut": "cutout", "Flip": "flip", "Invert": "invert", "GEOM": "geom"}.items():
        line = next(line for line in lines if line.startswith(f"| {name} | ."))
        for detector, cell in zip(PUBLISHED, line.split("|")[2:5], strict=True):
            assert tuple(map(float, cell.split())) == PUBLISHED[detector][aug]


def test_the_peer_of_our_trainings_computes_in_float32_as_they_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)  # torch's default
    settings = Settings(epochs=1, features=2, hidden=2, batch_size=2, limit=4, test_limit=0)
    images = np.zeros((4, 3, 32, 32), np.uint8)
    textbook.train_dae(images, "flip", settings, seed=0, device=torch.device("cpu"), workers=1)
    assert not torch.backends.cudnn.allow_tf32


def test_a_process_that_has_ended_is_no_training_child() -> None:
    memory = pytest.importorskip("benchmarks.memory")
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        ended = psutil.Process(child.pid)
    assert memory.children_of(SimpleNamespace(children=lambda recursive: [ended])) == []
