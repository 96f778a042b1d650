"""The page Over settings through AppTest, on real, tiny runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from apptest import LONG, TINY, address, calm, charts, labels, open_page, words

from ssad_core import worker
from ssad_core.data import load
from ssad_core.numbers import decimal
from ssad_core.question import Question, from_query
from ssad_core.report import draw_settings
from ssad_core.store import Store
from ssad_core.testbed import agreement_of, gains, spreads, trainings_of

pytestmark = pytest.mark.usefixtures("no_spares")

PAGE = "pages/settings.py"


def asked(**more: str) -> Question:
    return from_query({**TINY, **more})[0]


def test_it_draws_what_is_there_and_offers_the_rest(own_lab: Store) -> None:
    app = open_page(PAGE, **TINY, anomaly="rest")
    assert "4 combinations: epochs 1 or 2; features 2 or 4." in words(app)
    assert "Train 54 missing runs" in labels(app)  # of 56; the fixture's run and its baseline are there
    digits = load("digits")
    specs = trainings_of(asked(), digits, ["cutout", "flip", "noise", "invert"], ["epochs"])
    for spec in specs:
        worker.run(spec, own_lab, "cpu")
    app = calm(app.pills(key="vary").set_value(["epochs"]).run())
    assert app.query_params["vary"] == "epochs"
    assert "2 combinations: epochs 1 or 2." in words(app)
    assert "Train 18 missing runs" in labels(app)  # of 28
    found = [gain for gain in gains(own_lab.load(spec.id) for spec in specs) if gain.task == "rest"]
    rows = spreads(found)
    (drawn,) = charts(app)
    assert drawn["layout"]["meta"]["alt"] == draw_settings(rows, "").layout.meta["alt"]
    assert "On all other classes, the augs cannot be judged" in words(app)
    assert "Nothing is concluded of these trainings" in words(app)
    assert "is first with" not in words(app)
    assert ("correlate by **" in words(app)) == (agreement_of(found, "rest") is not None)

    # Another anomaly is of the same trainings, another class is not.
    other = open_page(PAGE, **TINY, anomaly="class:5", vary="epochs")
    assert "Train 18 missing runs" in labels(other)
    assert "On 5, " in words(other)
    assert not charts(open_page(PAGE, **{**TINY, "class": "7"}, anomaly="rest", vary="epochs"))


def test_of_steps_enough_it_says_which_aug_leads(own_lab: Store) -> None:
    specs = trainings_of(asked(**LONG), load("digits"), ["cutout", "noise"], ["features"])
    for spec in specs:
        worker.run(spec, own_lab, "cpu")
    app = open_page(PAGE, **LONG, anomaly="rest", vary="features")
    first = spreads([gain for gain in gains(own_lab.load(spec.id) for spec in specs) if gain.task == "rest"])[0]
    assert decimal(first.median, sign="+") in words(app)
    assert f"is first with {first.first} of 2 combinations" in words(app)
    assert "cannot be judged" not in words(app)


def test_without_what_varies_it_is_the_sidebars_settings(own_lab: Store) -> None:
    app = open_page(PAGE, **TINY, anomaly="rest", vary="")
    assert "None varies" in words(app)
    assert "Train 12 missing runs" in labels(app)
    assert "is first with" not in words(app)
    assert "correlate" not in words(app)
    assert len(charts(app)) == 1  # CutOut's alone


def test_what_has_no_place_here_is_said(own_lab: Store) -> None:
    app = open_page(PAGE, **TINY, anomaly="gen:rotate")
    assert "Choose one of the gens CutOut, Flip, Invert as the anomaly, or any class" in words(app)
    app = open_page(PAGE, **{**TINY, "detector": "ap", "aug": "flip"}, anomaly="rest")
    assert not app.error
    assert "Choose DAE or DeepSAD as the detector in the sidebar" in words(app)
    app = open_page(PAGE, **{**TINY, "epochs": "1"}, anomaly="rest")
    assert [error.value for error in app.error] == ["epochs of 1 cannot be halved: 1 is the least that it may be"]
    app = calm(app.pills(key="vary").set_value(["features"]).run())
    assert "2 combinations: features 2 or 4." in words(app)


def test_back_from_a_dots_run_the_settings_are_those_that_varied_unless_they_were_changed(own_lab: Store) -> None:
    question = asked(anomaly="rest")
    half = replace(question, settings=replace(question.settings, epochs=1)).with_aug("flip")
    app = open_page(PAGE, **TINY, anomaly="rest")
    app.session_state["visit"]["opened"] = half  # as a click on a dot does, which AppTest has not
    calm(app.run())
    assert half.to_query().items() <= address(app).items()
    calm(app.switch_page("pages/runs.py").run())
    calm(app.switch_page(PAGE).run())
    assert "epochs 1 or 2; features 2 or 4." in words(app)
    assert (address(app)["epochs"], address(app)["aug"]) == ("2", "flip")

    app.session_state["visit"]["opened"] = half
    calm(app.run())
    calm(app.button_group(key="ask-preset").set_value("paper").run())
    chosen = address(app)
    calm(app.switch_page(PAGE).run())
    assert address(app).items() >= {name: chosen[name] for name in ("epochs", "features", "hidden")}.items()
