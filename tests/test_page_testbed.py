"""The page Over all classes through AppTest, on real, tiny runs."""

from __future__ import annotations

import re

import numpy as np
import pytest
from apptest import LONG, TINY, calm, charts, labels, open_page, tiny, words

from ssad_core import worker
from ssad_core.data import load
from ssad_core.numbers import decimal
from ssad_core.report import draw_gains
from ssad_core.store import Store, write_json
from ssad_core.testbed import WILD, gains, summaries

pytestmark = pytest.mark.usefixtures("no_spares")

PAGE = "pages/testbed.py"


def test_a_set_of_few_normal_classes_is_not_asked_for_more(own_lab: Store) -> None:
    photos = load("photos")
    asked = {"dataset": "photos", "class": "temple", "anomaly": "gen:flip"}
    for aug in ("identity", "cutout"):
        worker.run(tiny(**asked, aug=aug).run(photos), own_lab, "cpu")
    said = words(open_page(PAGE, **TINY | asked))
    assert "that takes 6 normal classes, and this set has 2." in said


def test_it_draws_what_is_there_and_offers_the_rest(own_lab: Store) -> None:
    app = open_page(PAGE, **TINY, anomaly="rest")
    assert "Train 138 missing runs" in labels(app)  # of 140; the fixture's run and its baseline are there
    digits = load("digits")
    for label in ("3", "5"):
        for aug in ("identity", "cutout", "noise"):
            worker.run(tiny(**{"class": label}, aug=aug).run(digits), own_lab, "cpu")
    app = calm(app.run())
    assert "Train 134 missing runs" in labels(app)
    rows = summaries(gains(own_lab.list()), WILD)
    assert {(row.aug, row.tasks, row.classes) for row in rows} == {("cutout", 18, 2), ("noise", 18, 2)}
    assert "Digits, in the wild: cannot be judged" in words(app)
    assert "2 of 2 augs cannot be judged; a warning on this page says why." in words(app)
    assert "that takes 6 normal classes, and 2 are trained" in words(app)
    assert not any(word in words(app) for word in ("95%", "Wilcoxon", "thin interval"))
    (drawn,) = charts(app)
    assert drawn["layout"]["meta"]["alt"] == draw_gains(rows, "").layout.meta["alt"]

    # The other normal class and aug of the sidebar change nothing; a gen is another family, of too few tasks here.
    other = open_page(PAGE, **{**TINY, "class": "7"}, aug="blur", anomaly="class:2")
    assert charts(other)[0]["layout"]["meta"] == drawn["layout"]["meta"]
    few = open_page(PAGE, **TINY, anomaly="gen:flip")
    assert "Digits, gen Flip: " in words(few)
    assert "that takes 6 normal classes" in words(few)


def test_what_has_no_place_here_is_said(own_lab: Store) -> None:
    app = open_page(PAGE, **TINY, anomaly="gen:rotate")
    assert "Choose one of the gens CutOut, Flip, Invert as the anomaly, or any class" in words(app)
    assert not charts(app)
    app = open_page(PAGE, **{**TINY, "detector": "ap", "aug": "flip"}, anomaly="rest")
    assert not app.error
    assert "Choose DAE or DeepSAD as the detector in the sidebar" in words(app)


def test_of_six_classes_it_says_what_helps(own_lab: Store) -> None:
    digits = load("digits")
    for label in "012345":
        for aug in ("identity", "invert", "noise", *(["cutout"] if label == "3" else [])):
            worker.run(tiny(**LONG | {"class": label}, aug=aug).run(digits), own_lab, "cpu")
    app = open_page(PAGE, **LONG, anomaly="rest")
    runs = [run for run in own_lab.list() if str(run.spec.settings.epochs) == LONG["epochs"]]
    rows = summaries(gains(runs), WILD)[:2]
    assert {(row.aug, row.tasks, row.classes) for row in rows} == {("invert", 54, 6), ("noise", 54, 6)}
    names = {"invert": "Invert", "noise": "Noise"}
    shown = decimal(rows[0].median, sign="+")
    best = [names[row.aug] for row in rows if decimal(row.median, sign="+") == shown]  # as far as the digits tell
    s = "s" if len(best) == 1 else ""
    leads = {1: f"gain{s} most", 0: f"lose{s} nothing", -1: f"lose{s} least"}[int(np.sign(rows[0].median))]
    assert f"Digits, in the wild: {' and '.join(best)} {leads}, {shown}" in words(app)
    counts = [sum(row.verdict == verdict for row in rows) for verdict in ("helpful", "harmful")]
    assert re.search(r"Of 3 augs \*\*{} help\*\* and \*\*{} harm\*\* by the paper's test".format(*counts), words(app))
    assert "cannot be judged" not in words(app)
    assert all(word in words(app) for word in ("With 95% intervals", "Wilcoxon", "the thin interval is of whole"))
    assert "1 of 6 classes" in [note["text"] for note in charts(app)[0]["layout"]["annotations"]]  # CutOut


def test_of_six_classes_that_are_hardly_trained_it_says_of_none_that_it_helps(own_lab: Store) -> None:
    for label in "012345":
        for aug in ("identity", "invert"):
            worker.run(tiny(**{"class": label}, aug=aug).run(load("digits")), own_lab, "cpu")
    app = open_page(PAGE, **TINY, anomaly="rest")
    assert "Digits, in the wild: cannot be judged" in words(app)
    assert "2 of 2 augs cannot be judged; a warning on this page says why." in words(app)
    assert "by the paper's test" not in words(app)
    (drawn,) = charts(app)
    assert ": hardly trained" in drawn["layout"]["meta"]["alt"]
    # One such run is one too many, and none of a verdict on the other aug.
    for label in "012345":
        for aug in ("identity", "invert", "noise"):
            worker.run(tiny(**LONG | {"class": label}, aug=aug).run(load("digits")), own_lab, "cpu")
    run = own_lab.load(tiny(**LONG, aug="noise").run(load("digits")).id)
    write_json(run.path / "result.json", {**run.result, "training_images": 32})
    app = open_page(PAGE, **LONG, anomaly="rest")
    assert "Digits, in the wild: cannot be judged" in words(app)
    assert "1 of 2 augs cannot be judged; a warning on this page says why." in words(app)
    assert "Of 1 augs **" in words(app)
