"""The page Runs through AppTest: listed, found, pinned beside each other, cloned, deleted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from apptest import LONG, TINY, address, calm, charts, close_service, labels, open_page, tiny, words
from streamlit.testing.v1 import AppTest
from tiny import wait

from pages.components.service import jobs
from ssad_core import encoders, worker
from ssad_core.data import load
from ssad_core.errors import BadInput
from ssad_core.store import Store, write_json

pytestmark = pytest.mark.usefixtures("no_spares")

OTHERS = ({"aug": "flip"}, {"aug": "flip", "seed": "3"}, {"class": "7"})  # beside `tiny()` and its baseline


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The shared cache of this module, with more in it than those of the others."""
    cache = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSAD_CACHE_DIR", str(cache))
        questions = tiny(), tiny(aug="identity"), *(tiny(**changes) for changes in OTHERS)
        for question in questions:
            worker.run(question.run(load("digits")), Store(), "cpu")
        yield cache
        close_service()


def select_rows(app: AppTest, *rows: int) -> AppTest:
    """What a click on the table's check boxes does; AppTest has no such click."""
    app.session_state["runs-table"] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    return calm(app.run())


def rows_of(app: AppTest, **wanted: object) -> list[int]:
    """The rows of the table that have these values."""
    table = app.dataframe[0].value
    return [i for i in range(len(table)) if all(table[name][i] == value for name, value in wanted.items())]


# Listed


def test_runs_are_listed_with_their_numbers(lab: Path) -> None:
    app = open_page("pages/runs.py")
    table = app.dataframe[0].value
    assert sorted(table["Detector"]) == ["AE", "DAE-CutOut", "DAE-CutOut", "DAE-Flip", "DAE-Flip"]
    assert set(table["Data set"]) == {"Digits"}
    assert table["AUC CutOut"].between(0, 1).all()
    assert "5 runs stored" in words(app)
    assert app.button(key="open").disabled
    assert app.button(key="delete").disabled


@pytest.mark.parametrize(("name", "aug"), [("AE", "identity"), ("DAE-CutOut", "cutout")])
def test_a_run_opens_in_the_lab(lab: Path, name: str, aug: str) -> None:
    app = open_page("pages/runs.py")
    select_rows(app, *rows_of(app, Detector=name, Normal="3"))
    calm(app.button(key="open").click().run())
    assert "AUC, AE" in words(app)
    assert {**TINY, "aug": aug}.items() <= app.query_params.items()


def test_runs_are_deleted_once_that_is_confirmed(own_lab: Store) -> None:
    app = select_rows(open_page("pages/runs.py"), 0, 1)
    calm(app.button(key="delete").click().run())
    calm(app.button(key="delete-not").click().run())
    assert len(own_lab.list()) == 5
    calm(select_rows(app, 0).button(key="delete").click().run())
    doomed = app.dataframe[0].value["Run"][0]
    assert doomed in words(app)
    calm(app.button(key="delete-sure").click().run())
    assert len(own_lab.list()) == 4
    assert not own_lab.has(doomed)
    assert "4 runs stored" in words(app)
    assert app.button(key="delete").disabled  # what took the deleted run's place is not picked


def test_whoever_leaves_without_an_answer_is_not_asked_again(lab: Path) -> None:
    app = select_rows(open_page("pages/runs.py"), 0)
    calm(app.button(key="delete").click().run())
    assert "delete-sure" in [button.key for button in calm(app.run()).button]
    for path in ("pages/lab.py", "pages/runs.py"):
        calm(app.switch_page(path).run())
    assert "delete-sure" not in [button.key for button in app.button]


def test_a_damaged_run_can_only_be_deleted(own_lab: Store) -> None:
    damaged = tiny().run(load("digits")).id
    (own_lab.run(damaged) / "result.json").write_text("{")
    app = open_page("pages/runs.py", **TINY, pins=damaged)  # though it is the question's own, and pinned
    assert "4 runs stored" in words(app)
    assert damaged in words(app)
    calm(app.button(key="delete-damaged").click().run())
    calm(app.button(key="delete-sure").click().run())
    assert not [warning for warning in app.warning if "Damaged" in warning.value]
    assert "train" in [button.key for button in open_page(**TINY).button]


def test_damaged_runs_are_deleted_though_there_is_no_other(own_lab: Store) -> None:
    for run in own_lab.list():
        (run.path / "result.json").write_text("{")
    app = open_page("pages/runs.py")
    assert "0 runs stored" in words(app)
    calm(app.button(key="delete-damaged").click().run())
    calm(app.button(key="delete-sure").click().run())
    assert own_lab.damaged() == []


def test_a_training_is_started_listed_and_cancelled(own_lab: Store) -> None:
    endless = {**TINY, "epochs": "10000"}
    app = open_page(**endless)
    calm(app.button(key="train").click().run())
    runs = open_page("pages/runs.py")
    assert "Going on" in words(runs)
    for spec in (tiny(**endless).run(load("digits")).baseline(), tiny(**endless).run(load("digits"))):
        calm(runs.button(key=f"cancel-{spec.id}").click().run())
    assert "Going on" not in words(runs)
    app = open_page(**endless)
    assert "Cancelled: " in words(app)
    assert app.button(key="train").label.startswith("Train again: ")


def test_of_a_long_queue_the_first_are_listed_and_all_that_wait_can_be_cancelled(own_lab: Store) -> None:
    open_page("pages/runs.py")
    service = jobs()
    asked = [tiny(epochs="10000", seed=str(seed)).run(load("digits")) for seed in range(30)]
    for spec in asked[:-1]:
        service.submit(spec)
    wait(lambda: any(status.state == "training" for _, status in service.going_on()))
    service.submit(asked[-1], priority=1)
    at_work = {spec.id for spec, status in service.going_on() if not status.position}
    rest = [asked[-1], *asked[:-1]]
    queue = [*(spec for spec in rest if spec.id in at_work), *(spec for spec in rest if spec.id not in at_work)]

    app = open_page("pages/runs.py")
    cancels = [button.key for button in app.button if button.label == "Cancel"]
    assert cancels == [f"cancel-{spec.id}" for spec in queue[:10]]
    assert "and 20 more, waiting." in words(app)
    assert app.button(key="cancel-waiting").label == f"Cancel {30 - len(at_work)} runs that wait"
    calm(app.button(key="cancel-waiting").click().run())
    assert {spec.id for spec, _ in service.going_on()} == at_work
    assert {button.key for button in app.button if button.label == "Cancel"} == {f"cancel-{run}" for run in at_work}
    assert "more, waiting" not in words(app)


def test_what_did_not_finish_is_counted_and_deleted(own_lab: Store) -> None:
    assert "unfinished" not in words(open_page("pages/runs.py"))
    stranger = replace(tiny().run(load("digits")), fingerprint="0" * 16)
    with pytest.raises(BadInput):
        worker.run(stranger, own_lab, "cpu")
    assert own_lab.unfinished() == [stranger.id]
    with own_lab.lock(stranger.id):  # somebody tries it again
        assert own_lab.unfinished() == []
    app = open_page("pages/runs.py")
    assert "5 runs stored and 1 unfinished, " in words(app)
    calm(app.button(key="delete-unfinished").click().run())
    assert "5 runs stored, " in words(app)
    assert own_lab.unfinished() == []


def test_what_else_the_cache_holds_is_counted_and_embeddings_are_deleted(own_lab: Store) -> None:
    assert "forget" not in [button.key for button in open_page("pages/runs.py").button]
    encoders.embed("untrained", torch.zeros(1, 3, 32, 32))
    kept = own_lab.beside()["embeddings"]
    app = open_page("pages/runs.py")
    assert f"embeddings {kept / 1e6:.1f} MB" in words(app)
    calm(app.button(key="forget").click().run())
    assert "embeddings" not in own_lab.beside()
    assert "forget" not in [button.key for button in app.button]
    assert len(own_lab.list()) == 5


# Finding


def test_runs_are_found_by_words_and_by_what_they_have(lab: Path) -> None:
    app = open_page("pages/runs.py")
    assert len(app.dataframe[0].value) == 5
    calm(app.text_input(key="find-text").set_value("FLIP seed-3").run())
    assert list(app.dataframe[0].value["Seed"]) == [3]
    calm(app.text_input(key="find-text").set_value("").run())
    calm(app.selectbox(key="find-augment").set_value("flip").run())
    assert set(app.dataframe[0].value["Detector"]) == {"DAE-Flip"}
    assert address(app)["find_aug"] == "flip"
    again = open_page("pages/runs.py", **address(app))
    assert list(again.dataframe[0].value["Run"]) == list(app.dataframe[0].value["Run"])
    calm(app.selectbox(key="find-dataset").set_value("digits").run())
    assert len(app.dataframe[0].value) == 2
    calm(app.text_input(key="find-text").set_value("photos").run())
    assert "No stored run matches" in words(app)


def test_what_is_picked_stays_so_while_it_is_listed(lab: Path) -> None:
    app = open_page("pages/runs.py")
    kept, lost = rows_of(app, Detector="DAE-Flip", Seed=3) + rows_of(app, Detector="DAE-CutOut", Normal="3")
    kept_id = app.dataframe[0].value["Run"][kept]
    select_rows(app, kept, lost)
    assert app.button(key="delete").label == "Delete 2 runs"
    calm(app.selectbox(key="find-augment").set_value("flip").run())
    assert app.button(key="delete").label == "Delete 1 run"
    calm(app.selectbox(key="find-augment").set_value("").run())
    calm(app.button(key="delete").click().run())  # in a longer list its number is another
    assert f"DAE-Flip ({kept_id}). It can be trained again." in words(app)
    calm(app.button(key="delete-not").click().run())
    calm(app.button(key="pin").click().run())
    assert app.button(key="delete").disabled


# Pinning


def pinned_buttons(app: AppTest) -> list[str]:
    return [
        button.label for button in app.button if (button.key or "").startswith("unpin-") and button.key != "unpin-all"
    ]


def test_picked_runs_of_another_question_become_the_question_and_its_pins(lab: Path) -> None:
    app = open_page("pages/runs.py")  # the question is about photos
    three = rows_of(app, Normal="3", Detector="DAE-CutOut") + rows_of(app, Normal="3", Detector="DAE-Flip")
    calm(select_rows(app, *three).button(key="pin").click().run())
    assert {**TINY, "aug": "cutout"}.items() <= address(app).items()
    assert any("The question is now DAE-CutOut's" in toast.value for toast in app.toast)
    other = tiny(aug="flip", seed="3").run(load("digits")).id
    assert set(address(app)["pins"].split("~")) == {"flip", other}
    assert set(pinned_buttons(app)) == {"Flip", "DAE-Flip, seed 3"}
    marked = app.dataframe[0].value
    assert set(marked["Detector"][marked["Pinned"] != ""]) == {"AE", "DAE-CutOut", "DAE-Flip"}
    # Each of them, and all of them, can be taken away.
    calm(app.button(key="unpin-flip").click().run())
    assert address(app)["pins"] == other
    calm(app.button(key="unpin-all").click().run())
    assert address(app)["pins"] == ""
    assert pinned_buttons(app) == []
    assert len(Store(lab).list()) == 5


def test_the_pins_that_nobody_chose_make_way_and_that_is_said(lab: Path) -> None:
    app = open_page("pages/runs.py", **TINY)
    assert pinned_buttons(app) == ["Flip", "Invert"]
    flip = rows_of(app, Detector="DAE-Flip", Normal="3", Seed=0)
    calm(select_rows(app, *flip).button(key="pin").click().run())
    assert [toast.value for toast in app.toast] == [
        "Pinned instead of CutOut, Flip, Invert, which are there until something is pinned."
    ]
    assert pinned_buttons(app) == ["Flip"]
    app = open_page("pages/runs.py", **TINY, pins="flip")
    calm(select_rows(app, *rows_of(app, Detector="DAE-Flip", Seed=3)).button(key="pin").click().run())
    assert not app.toast
    assert len(pinned_buttons(app)) == 2


def test_a_pin_that_an_address_has_twice_is_there_once(lab: Path) -> None:
    app = open_page("pages/runs.py", **TINY, pins="flip~flip(p=0.5)~flip")
    assert pinned_buttons(app) == ["Flip"]
    assert address(app)["pins"] == "flip"


def test_a_run_that_was_scored_on_other_images_is_not_pinned_beside(lab: Path) -> None:
    app = open_page("pages/runs.py", **TINY, pins="")
    calm(select_rows(app, *rows_of(app, Normal="3"), *rows_of(app, Normal="7")).button(key="pin").click().run())
    assert any("was scored on other images" in toast.value for toast in app.toast)
    assert tiny(**{"class": "7"}).run(load("digits")).id not in address(app)["pins"]


def test_what_is_picked_is_opened_on_a_comparing_page(lab: Path) -> None:
    app = open_page("pages/runs.py")
    own, other = rows_of(app, Detector="DAE-CutOut", Normal="3"), rows_of(app, Detector="DAE-Flip", Seed=3)
    select_rows(app, *own, *other)
    calm(app.button(key="to-pages/histograms.py").click().run())
    assert {**TINY, "aug": "cutout"}.items() <= address(app).items()
    assert address(app)["pins"] == tiny(aug="flip", seed="3").run(load("digits")).id
    assert len(charts(app)) == 1


def test_a_run_whose_images_are_gone_is_only_listed_compared_and_deleted(own_lab: Store) -> None:
    here = own_lab.load(tiny().run(load("digits")).id)
    spec = replace(here.spec, dataset="folder:0123456789abcdef", fingerprint="0123456789abcdef")
    shutil.copytree(here.path, own_lab.run(spec.id))
    write_json(own_lab.run(spec.id) / "spec.json", spec.to_dict())
    app = open_page("pages/runs.py")
    select_rows(app, *rows_of(app, Run=spec.id))
    assert "0123456789abcdef" in app.error[0].value  # in the popover of Clone
    assert len(charts(app)) == 2
    for key in ("pin", "open"):
        calm(app.button(key=key).click().run())
        assert address(app)["dataset"] == "photos"
        assert len({error.value for error in app.error}) == 1
    calm(app.button(key="delete").click().run())
    calm(app.button(key="delete-sure").click().run())
    assert not own_lab.has(spec.id)


# Side by side


def test_picked_runs_lie_side_by_side_with_what_differs(lab: Path) -> None:
    app = select_rows(open_page("pages/runs.py", **TINY, pins=""), 0)
    flips = rows_of(app, Detector="DAE-Flip")
    select_rows(app, *flips)
    assert "Picked, side by side" in words(app)
    table = app.table[0].value
    assert set(table.columns) == {"Run", "Seed"}
    assert set(table["Run"]) == {"DAE-Flip, seed 0", "DAE-Flip, seed 3"}
    assert len(charts(app)) == 2
    # What is not picked makes way for what is pinned: the question's run and its baseline.
    select_rows(app)
    assert "Pinned, side by side" in words(app)
    assert set(app.table[0].value["Run"]) == {"AE", "DAE-CutOut"}
    assert "not trained yet" not in words(app)


def test_no_run_is_the_best_that_cannot_be_judged(own_lab: Store) -> None:
    few = {**LONG, "test_limit": "6"}
    for sizes in (LONG, few):
        for aug in ("identity", "cutout"):
            worker.run(tiny(**sizes, aug=aug).run(load("digits")), own_lab, "cpu")
    for sizes, starred in ((LONG, True), (TINY, False), (few, False)):
        app = open_page("pages/runs.py", **sizes, pins="")
        (table, _) = charts(app)
        assert ("★" in str(table["data"])) == starred
        assert ("Best: " in table["layout"]["meta"]["alt"]) == starred
        assert ("AE, DAE-CutOut: only 4 steps of the optimiser" in words(app)) == (sizes == TINY)
        assert "on the same images, 10 or more of a group; a training that a warning names has none." in words(app)


def test_what_is_pinned_and_not_trained_is_said(lab: Path) -> None:
    app = open_page("pages/runs.py", **TINY, pins="flip~invert~cutout(c=0.4)")
    assert "Pinned, but not trained yet: DAE-Invert, DAE-CutOut-0.4." in words(app)
    assert set(app.table[0].value["Run"]) == {"AE", "DAE-CutOut", "DAE-Flip"}
    assert "not trained yet" not in words(select_rows(app, 0))  # what is picked lies side by side


def test_the_anomaly_of_the_roc_curves_is_the_questions(lab: Path) -> None:
    app = open_page("pages/runs.py", **TINY, anomaly="gen:rotate", pins="")
    (box,) = (box for box in app.selectbox if box.label == "ROC curves on")
    assert box.options[0] == "gen: CutOut"
    assert len(box.options) == 3 + 9 + 1
    assert address(app)["anomaly"] == "gen:rotate"  # looking changes nothing
    calm(box.select("class: 7").run())
    assert address(app)["anomaly"] == "class:7"


# Cloning


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("seed", "5", {"seed": "5"}),
        ("epochs", "3", {"epochs": "3"}),
        ("aug", "invert", {"aug": "invert"}),
        ("class", "4", {"class": "4"}),
        ("detector", "deepsad", {"detector": "deepsad"}),
    ],
)
def test_a_run_is_cloned_with_one_thing_changed(lab: Path, field: str, value: str, expected: dict[str, str]) -> None:
    app = open_page("pages/runs.py")
    select_rows(app, *rows_of(app, Detector="DAE-CutOut", Normal="3"))
    calm(app.selectbox(key="clone-field").set_value(field).run())
    answer(app, field).set_value(value)
    calm(app.button(key="clone-open").click().run())
    assert {**TINY, "aug": "cutout", **expected}.items() <= address(app).items()
    assert "Train: " in "".join(labels(app))
    assert len(Store(lab).list()) == 5


def test_what_a_clone_may_be_is_named_as_everywhere(own_lab: Store) -> None:
    worker.run(tiny(aug="cutout(c=0.8)").run(load("digits")), own_lab, "cpu")
    app = open_page("pages/runs.py")
    select_rows(app, *rows_of(app, Detector="DAE-CutOut-0.8"))
    calm(app.selectbox(key="clone-field").set_value("aug").run())
    assert answer(app, "aug").options[:4] == ["CutOut-0.8", "Identity", "Rotate", "Crop"]
    calm(app.selectbox(key="clone-field").set_value("detector").run())
    assert answer(app, "detector").options == ["DAE", "DeepSAD", "AP"]


@pytest.mark.parametrize(("field", "value"), [("seed", "-1"), ("epochs", "many"), ("learning_rate", "inf")])
def test_a_clone_that_cannot_be_is_one_message(lab: Path, field: str, value: str) -> None:
    app = open_page("pages/runs.py")
    select_rows(app, *rows_of(app, Detector="DAE-CutOut", Normal="3"))
    calm(app.selectbox(key="clone-field").set_value(field).run())
    answer(app, field).set_value(value)
    calm(app.button(key="clone-open").click().run())
    (error,) = app.error
    assert error.value.startswith(f"{field}: ")
    assert app.title[0].value == "Runs"


def answer(app: AppTest, field: str) -> object:
    (box,) = (box for box in [*app.text_input, *app.selectbox] if (box.key or "").startswith(f"clone-{field}-"))
    return box
