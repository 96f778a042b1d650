"""The page Over all classes through AppTest, on real, tiny runs."""

from __future__ import annotations

import pytest
from apptest import TINY, calm, charts, labels, open_page, tiny, words

from ssad_core import worker
from ssad_core.data import load
from ssad_core.numbers import decimal
from ssad_core.report import draw_gains
from ssad_core.store import Store
from ssad_core.testbed import WILD, gains, summaries

pytestmark = pytest.mark.usefixtures("no_spares")

PAGE = "pages/testbed.py"


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
    assert {(row.aug, row.tasks, row.models) for row in rows} == {("cutout", 18, 2), ("noise", 18, 2)}
    best = {"cutout": "CutOut", "noise": "Noise"}[rows[0].aug]
    assert f"Digits, in the wild: {best} gains most, {decimal(rows[0].median, sign='+')}" in words(app)
    help, harm = (sum(row.verdict == verdict for row in rows) for verdict in ("helpful", "harmful"))
    assert f"Of 2 augs **{help} help** and **{harm} harm** over these tasks." in words(app)
    (drawn,) = charts(app)
    assert drawn["layout"]["meta"]["alt"] == draw_gains(rows, "").layout.meta["alt"]

    # The other normal class and aug of the sidebar change nothing; a gen is another family, of too few tasks here.
    other = open_page(PAGE, **{**TINY, "class": "7"}, aug="blur", anomaly="class:2")
    assert charts(other)[0]["layout"]["meta"] == drawn["layout"]["meta"]
    few = open_page(PAGE, **TINY, anomaly="gen:flip")
    assert "Digits, gen Flip: " in words(few)
    assert "There are 2 tasks: too few to say which augs help and which harm." in words(few)


def test_what_has_no_place_here_is_said(own_lab: Store) -> None:
    app = open_page(PAGE, **TINY, anomaly="gen:rotate")
    assert "choose one of these as the anomaly, not Rotate" in words(app)
    assert not charts(app)
    app = open_page(PAGE, **{**TINY, "detector": "ap", "aug": "flip"}, anomaly="rest")
    assert "AP has no baseline, so no relative AUC" in words(app)
