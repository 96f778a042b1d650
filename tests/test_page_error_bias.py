"""The page Error bias through AppTest, and its figures from stored runs."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from apptest import LONG, TINY, address, calm, charts, open_page, tiny, words

from ssad_core import worker
from ssad_core.data import load
from ssad_core.histogram import threshold_at_fpr
from ssad_core.report import draw_side_by_side
from ssad_core.spec import Anomaly
from ssad_core.statistics import auc
from ssad_core.store import Store, write_arrays
from ssad_core.views import Comparison

pytestmark = pytest.mark.usefixtures("no_spares")


@pytest.fixture
def comparison(lab: Path) -> Comparison:
    run = tiny().run(load("digits"))
    store = Store()
    return Comparison(store.load(run.id), store.load(run.baseline().id), Anomaly("gen", "cutout"), load("digits"))


def test_the_bias_of_a_stored_run_is_of_its_stored_scores(comparison: Comparison) -> None:
    bias = comparison.bias()
    assert (bias.run, bias.baseline) == ("DAE-CutOut", "AE")
    assert sorted(row.name for row in bias.classes) == sorted(set("0123456789") - {"3"})
    for row in bias.classes:
        key = f"class:{row.name}"
        assert row.auc.value == pytest.approx(comparison.run.result["auc"][key])
        assert row.baseline == pytest.approx(comparison.baseline.result["auc"][key])
    # 20 test images of each class are used.
    assert bias.auc == pytest.approx(comparison.run.result["auc"]["rest"])


def test_a_class_has_its_own_images_and_scores(comparison: Comparison) -> None:
    seen = comparison.class_scores("7", 0.1)
    labels = comparison.dataset.test_labels
    sevens = {image.tobytes() for image in comparison.dataset.test_images[labels == 7]}
    assert len(seen.images) == 20
    assert all(image.tobytes() in sevens for image in seen.images)
    assert list(seen.scores) == ["DAE-CutOut", "AE"]
    for run in comparison.runs:
        name = "AE" if run.spec.is_baseline else "DAE-CutOut"
        assert np.array_equal(seen.scores[name], run.scores["class:7"])
        assert seen.thresholds[name] == threshold_at_fpr(run.scores["normal"], 0.1)
    assert auc(comparison.run.scores["normal"], seen.scores["DAE-CutOut"]) == comparison.run.result["auc"]["class:7"]


def test_the_figures_of_a_lineup_leave_the_baseline_to_the_others(comparison: Comparison) -> None:
    alone = Comparison(comparison.baseline, comparison.baseline, comparison.anomaly, comparison.dataset)
    figures = draw_side_by_side("bias", [alone, comparison])
    assert [figure.layout.title.text for figure in figures] == ["Digits, 3: DAE-CutOut against AE, by class"]
    (figure,) = draw_side_by_side("bias", [alone])
    assert figure.layout.title.text == "Digits, 3: AE, by class"


def test_a_class_is_chosen_and_the_address_has_it(lab: Path) -> None:
    app = open_page("pages/error_bias.py", **TINY, pins="")
    assert "DAE-CutOut beside AE: " in words(app)
    box = app.selectbox(key="ask-bias-class")
    assert len(box.options) == 9
    assert address(app)["bias_class"] == ""
    assert words(app).count('data-testid="class-image"') == 16
    calm(box.set_value("7").run())
    assert "**7**: of 20 test images DAE-CutOut finds" in words(app)
    assert address(app)["bias_class"] == "7"
    again = open_page("pages/error_bias.py", **address(app))
    assert again.selectbox(key="ask-bias-class").value == "7"
    # Once it is the normal class it makes way.
    calm(again.selectbox(key="ask-class-digits").set_value("7").run())
    assert address(again)["class"] == "7"


def test_the_images_that_are_found_are_counted(comparison: Comparison) -> None:
    seen = comparison.class_scores("7", 0.1)
    found = ", ".join(f"{name} finds {(scores >= seen.thresholds[name]).sum()}" for name, scores in seen.scores.items())
    app = open_page("pages/error_bias.py", **TINY, pins="", bias_class="7", fpr="0.1")
    assert f"**7**: of 20 test images {found}, at a false-positive rate of at most 10.0%." in words(app)


@pytest.mark.parametrize(("count", "said", "shown"), [("1", "1 test image", (1, 0)), ("3", "3 test images", (2, 1))])
def test_of_few_images_of_a_class_each_is_shown(own_lab: Store, count: str, said: str, shown: tuple[int, int]) -> None:
    few = {"test_limit": count}
    for aug in ("identity", "cutout"):
        worker.run(tiny(**few, aug=aug).run(load("digits")), own_lab, "cpu")
    text = words(open_page("pages/error_bias.py", **TINY | few, pins="", bias_class="7"))
    assert f"**7**: of {said} DAE-CutOut finds" in text
    lowest, highest = re.search("Scored lowest by DAE-CutOut(.*)", text)[1], ""
    if shown[1]:
        lowest, _, highest = lowest.partition("Scored highest by DAE-CutOut")
    assert "Scored highest" not in lowest
    images = [re.findall('src="(.*?)"', strip) for strip in (lowest, highest)]
    assert tuple(map(len, images)) == shown
    assert len({*images[0], *images[1]}) == int(count)


def test_the_only_other_class_is_not_counted(own_lab: Store) -> None:
    few = {"dataset": "photos", "class": "temple", "test_limit": "4"}
    for aug in ("identity", "cutout"):
        worker.run(tiny(**few, aug=aug).run(load("photos")), own_lab, "cpu")
    assert "The class cannot be judged: " in words(open_page("pages/error_bias.py", **TINY | few, pins=""))


def test_one_of_several_runs_is_looked_at(own_lab: Store) -> None:
    other = tiny(aug="flip").run(load("digits"))
    worker.run(other, own_lab)
    app = open_page("pages/error_bias.py", **TINY, pins="flip")
    assert address(app)["bias_of"] == ""
    (control,) = (group for group in app.button_group if group.label == "Run")
    calm(control.set_value(other.id).run())
    assert "DAE-Flip beside AE: " in words(app)
    assert address(app)["bias_of"] == other.id
    assert "DAE-Flip beside AE: " in words(open_page("pages/error_bias.py", **address(app)))


def test_the_class_is_the_most_telling_one_of_each_run_until_one_is_chosen(own_lab: Store) -> None:
    other = worker.run(tiny(aug="flip").run(load("digits")), own_lab)
    for run, hidden in ((own_lab.load(tiny().run(load("digits")).id), "8"), (other, "5")):
        scores = {
            **run.scores,
            f"class:{hidden}": np.zeros(20, np.float32),
        }  # a class that the run does not find at all
        write_arrays(run.path / "scores.npz", scores)
    app = open_page("pages/error_bias.py", **TINY, pins="flip")
    assert (app.selectbox(key="ask-bias-class").value, address(app)["bias_class"]) == ("8", "")
    (control,) = (group for group in app.button_group if group.label == "Run")
    calm(control.set_value(other.id).run())
    assert (app.selectbox(key="ask-bias-class").value, address(app)["bias_class"]) == ("5", "")
    calm(app.selectbox(key="ask-bias-class").set_value("7").run())
    (control,) = (group for group in app.button_group if group.label == "Run")
    calm(control.set_value(tiny().run(load("digits")).id).run())
    assert (app.selectbox(key="ask-bias-class").value, address(app)["bias_class"]) == ("7", "7")


def test_a_run_is_called_by_what_lies_beside_it_now(own_lab: Store) -> None:
    other = worker.run(tiny(seed="3").run(load("digits")), own_lab)
    for pins, name in {"": "DAE-CutOut", other.id: "DAE-CutOut, seed 0"}.items():
        assert f"{name} beside AE: " in words(open_page("pages/error_bias.py", **TINY, pins=pins))


def test_a_detector_without_a_baseline_has_its_auc_alone(own_lab: Store) -> None:
    for sizes, said in ((LONG, "finds the classes with a mean AUC of "), (TINY, "cannot be judged: mean AUC ")):
        ap = {**sizes, "detector": "ap", "aug": "flip"}
        worker.run(tiny(**ap).run(load("digits")), own_lab)
        app = open_page("pages/error_bias.py", **ap, pins="")
        assert f"AP-Flip {said}" in words(app)
        assert all(", AUC " in option for option in app.selectbox(key="ask-bias-class").options)


def test_a_class_is_better_or_worse_only_of_trainings_that_can_be_judged(own_lab: Store) -> None:
    for aug in ("identity", "cutout"):
        worker.run(tiny(**LONG, aug=aug).run(load("digits")), own_lab)
    for sizes, judged in ((TINY, False), (LONG, True)):
        run = own_lab.load(tiny(**sizes).run(load("digits")).id)
        write_arrays(run.path / "scores.npz", {**run.scores, "class:8": np.zeros(20, np.float32)})  # not found at all
        app = open_page("pages/error_bias.py", **sizes, pins="")
        assert bool(re.search(r"AE: \d of 9 classes better, [1-9] worse; mean AUC", words(app))) == judged
        assert ("DAE-CutOut beside AE: mean AUC" in words(app)) != judged
        assert ("Nothing is concluded of these trainings" in words(app)) != judged
        (drawn,) = charts(app)
        (grey,) = (trace for trace in drawn["data"] if trace.get("name") == "cannot be judged")
        assert len(grey["x"]) == (0 if judged else 9)


def test_two_classes_are_too_few_and_digits_are_offered(own_lab: Store) -> None:
    photos = {"dataset": "photos", "epochs": "1", "features": "4", "hidden": "8", "limit": "40", "test_limit": "20"}
    run = tiny(**{**photos, "class": "temple"}).run(load("photos"))
    for spec in (run.baseline(), run):
        worker.run(spec, own_lab)
    app = open_page("pages/error_bias.py", **photos, pins="")
    assert "Photos has one other class only" in words(app)
    calm(app.button(key="to-digits").click().run())
    assert address(app)["dataset"] == "digits"
    assert "Photos" not in words(app)
