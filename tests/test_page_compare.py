"""The pages that lay runs side by side, through Streamlit's AppTest: what they offer, show and keep in the address."""

from __future__ import annotations

import json
import re
from pathlib import Path
from threading import Event

import pytest
from apptest import TINY, address, calm, charts, labels, open_page, tiny, warned, words
from streamlit.testing.v1 import AppTest
from tiny import WIDE, trainer

from pages.components import background, service, training
from pages.components.address import State
from pages.components.lineup import own_place
from ssad_core import worker
from ssad_core.data import load
from ssad_core.spec import Anomaly
from ssad_core.store import Store, write_json
from ssad_core.views import Comparison

pytestmark = pytest.mark.usefixtures("no_spares")

HISTOGRAMS, RECONSTRUCTIONS = "pages/histograms.py", "pages/reconstructions.py"
BOTH = pytest.mark.parametrize("path", [HISTOGRAMS, RECONSTRUCTIONS])


@BOTH
def test_what_is_missing_is_offered_and_what_is_stored_is_shown(path: str, own_lab: Store) -> None:
    app = open_page(path, **TINY, pins="flip~invert")
    assert "Train 2 missing runs" in labels(app)  # CutOut and its baseline are there
    assert "Measured here." in words(app)
    worker.run(tiny(aug="flip").run(load("digits")), own_lab, "cpu")
    calm(app.run())
    assert "Train 1 missing run" in labels(app)
    calm(app.multiselect(key="ask-pins-cutout").set_value(["flip"]).run())
    assert "train-missing" not in [button.key for button in app.button]
    assert address(app)["pins"] == "flip"


@BOTH
def test_pins_are_kept_and_bad_ones_said(path: str, lab: Path) -> None:
    own = tiny().run(load("digits")).id
    app = open_page(path, **TINY, pins=f"cutout(c=0.4)~{own}~0123456789abcdef")
    said = words(app) + "".join(warning.value for warning in app.warning)
    assert "Left out: no run '0123456789abcdef' is stored" in said
    assert address(app)["pins"] == f"cutout(c=0.4)~{own}~0123456789abcdef"
    assert "Train 1 missing run" in labels(app)
    calm(app.multiselect(key="ask-pins-cutout").set_value(["cutout(c=0.4)", "cutoff"]).run())
    assert "'cutoff'" in "".join(error.value for error in app.error)
    assert address(app)["pins"] == "cutout(c=0.4)"


def test_another_aug_has_other_pins_beside_it_and_its_own_stays_one(lab: Path) -> None:
    app = open_page(HISTOGRAMS, **TINY)
    calm(app.selectbox(key="ask-aug").select("flip").run())
    assert app.multiselect(key="ask-pins-flip").value == ["cutout", "invert"]
    assert address(app)["pins"] == "cutout~flip~invert"
    calm(app.multiselect(key="ask-pins-flip").set_value(["cutout", "invert", "blur"]).run())
    assert not app.error
    calm(app.switch_page("pages/runs.py").run())
    calm(app.button(key="unpin-invert").click().run())
    assert address(app)["pins"] == "cutout~blur~flip"
    calm(app.switch_page(HISTOGRAMS).run())
    calm(app.selectbox(key="ask-aug").select("blur").run())
    assert app.multiselect(key="ask-pins-blur").value == ["cutout", "flip"]


def test_more_pins_than_there_is_room_for_are_said_and_stay(lab: Path) -> None:
    pins = "~".join(f"cutout(c=0.{k})" for k in range(1, 6))
    app = open_page(HISTOGRAMS, **TINY, pins=pins)
    assert "DAE-CutOut-0.5 is one too many: 6 runs lie side by side" in words(app)
    assert address(app)["pins"] == pins
    # Once another is taken away it comes in.
    (box,) = app.multiselect
    assert box.value == pins.split("~")[:4]
    calm(box.set_value(box.value[1:]).run())
    (box,) = app.multiselect
    assert box.value == pins.split("~")[1:]
    assert address(app)["pins"].split("~") == pins.split("~")[1:]
    assert not warned(app)
    # And what is taken away then is away.
    calm(box.set_value(box.value[1:]).run())
    assert address(app)["pins"].split("~") == pins.split("~")[2:]


def test_runs_of_one_name_are_told_apart(own_lab: Store) -> None:
    other = worker.run(tiny(seed="3").run(load("digits")), own_lab, "cpu")
    worker.run(other.spec.baseline(), own_lab, "cpu")
    app = open_page(HISTOGRAMS, **TINY, pins=other.id)
    (figure,) = charts(app)
    *titles, axis = (note["text"] for note in figure["layout"]["annotations"])
    assert [title.split("<br>")[0] for title in titles] == [
        *("<b>AE</b>", "<b>DAE-CutOut, seed 0</b>", "<b>DAE-CutOut, seed 3</b>")
    ]
    assert axis == "reconstruction error (mean squared error)"  # once, in the middle
    assert ["MMD" in title for title in titles] == [False, True, True]  # a baseline has no augmented images
    app = open_page("pages/error_bias.py", **TINY, pins=other.id)
    (control,) = (group for group in app.button_group if group.label == "Run")
    assert control.options == ["AE", "DAE-CutOut, seed 0", "DAE-CutOut, seed 3"][1:]


def test_a_training_that_went_wrong_is_said_wherever_it_is_shown(own_lab: Store) -> None:
    run = own_lab.load(tiny().run(load("digits")).id)
    write_json(run.path / "result.json", {**run.result, "warning": "The training collapsed."})
    for path in ("pages/lab.py", HISTOGRAMS, RECONSTRUCTIONS, "pages/error_bias.py"):
        app = open_page(path, **TINY, pins="")
        assert warned(app) == ["DAE-CutOut: The training collapsed."]
    app = open_page("pages/lab.py", **TINY)
    assert "In this training the augmentation cannot be judged" in words(app)
    for path, aug in {"pages/what_if.py": "cutout(c=0.2)", "pages/alignment.py": "noise"}.items():  # among many others
        run = worker.run(tiny(aug=aug).run(load("digits")), own_lab, "cpu")
        write_json(run.path / "result.json", {**run.result, "warning": "Nothing was learned."})
        app = open_page(path, **TINY, pins="")
        assert any(warning.value.endswith(": Nothing was learned.") for warning in app.warning)
    app = open_page("pages/runs.py", **TINY)
    assert "The training collapsed." in set(app.dataframe[0].value["Warning"])


def test_a_missing_run_is_trained_in_the_background(own_lab: Store) -> None:
    app = open_page(HISTOGRAMS, **{**TINY, "epochs": "10000"}, pins="flip")
    assert "Measured here." not in words(app)
    calm(app.button(key="train-missing").click().run())
    assert len(service.jobs().going_on()) == 3
    calm(app.button(key="cancel-missing").click().run())
    assert service.jobs().going_on() == []


def bar(app: AppTest) -> str:
    """What the page says of the runs that go on."""
    (progress,) = app.get("progress")
    return progress.proto.text


def test_beside_what_goes_on_the_rest_can_be_asked_for(own_lab: Store) -> None:
    long = {**TINY, "epochs": "10000"}
    service.jobs().submit(tiny(**long).run(load("digits")))  # somebody else, who has no other aug beside it
    app = open_page(HISTOGRAMS, **long, pins="flip")
    assert bar(app).startswith("0 of 3 runs are there, 1 is on the way")
    assert "Train 2 missing runs" in labels(app)
    calm(app.button(key="train-missing").click().run())
    assert re.match(r"0 of 3 runs are there[;.]", bar(app))
    assert "train-missing" not in [button.key for button in app.button]
    # What was cancelled is no longer on the way, and can be asked for again.
    service.jobs().cancel(tiny(**long, aug="flip").run(load("digits")).id)
    calm(app.run())
    assert bar(app).startswith("0 of 3 runs are there, 2 are on the way")
    assert "Train 1 missing run" in labels(app)
    # What is also asked for in the Lab is not this page's to end, unless nothing else goes on.
    for left in (1, 0):
        for spec, _ in service.jobs().going_on()[:left]:
            service.jobs().cancel(spec.id)
            service.jobs().submit(spec, priority=training.INTERACTIVE)
        calm(app.run().button(key="cancel-missing").click().run())
        assert [status.priority for _, status in service.jobs().going_on()] == [training.INTERACTIVE] * left
    assert "Train 3 missing runs" in labels(app)


def test_what_waits_says_its_place_in_the_line(own_lab: Store) -> None:
    long = {**TINY, "epochs": "10000"}
    ahead = [tiny(**long, batch_size=str(WIDE["batch_size"]), seed=seed).run(load("digits")) for seed in "123"]
    for spec in ahead:
        service.jobs().submit(spec)
    trainer(own_lab, ahead[0].id)
    app = open_page(HISTOGRAMS, **long, pins="")
    assert any("as one sweep after 2 that wait;" in caption.value for caption in app.caption)
    calm(app.button(key="train-missing").click().run())
    assert re.fullmatch(r"0 of 2 runs are there\. Waiting, number 3 in line; about .+ to go from then on\.", bar(app))
    for spec in ahead[1:]:
        service.jobs().cancel(spec.id)
    assert "Waiting, next in line" in bar(calm(app.run()))
    service.jobs().cancel(ahead[0].id)
    trainer(own_lab, tiny(**long).run(load("digits")).baseline().id)
    assert re.search(r"to go\. Now: AE[,.]", bar(calm(app.run())))


def test_what_is_to_go_counts_down_as_a_run_is_trained(own_lab: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "in_words", str)
    long = {**TINY, "epochs": "10000"}
    run, to_go = tiny(**long).run(load("digits")), []
    for done in (0.0, 0.5):
        with own_lab.begin(run) as work:
            work.progress(state="training", done=done)
            to_go.append(float(re.search("about (.+) to go", bar(open_page(HISTOGRAMS, **long, pins="")))[1]))
    measured = own_lab.load(tiny().run(load("digits")).id).result
    evaluation = measured["seconds"] - measured["train_seconds"]
    assert to_go[1] - evaluation == pytest.approx(0.5 * (to_go[0] - evaluation))


def test_what_is_to_go_is_at_the_speed_of_what_is_trained(own_lab: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "in_words", str)
    long = {**TINY, "epochs": "10000"}
    usual, to_go = own_lab.load(tiny().run(load("digits")).id).result["images_per_second"], []
    for speed in (usual, usual / 10):
        with own_lab.begin(tiny(**long).run(load("digits"))) as work:
            work.progress(state="training", done=0.5, images_per_second=speed)
            to_go.append(float(re.search("about (.+) to go", bar(open_page(HISTOGRAMS, **long, pins="flip")))[1]))
    assert to_go[1] == pytest.approx(10 * to_go[0])


@pytest.mark.parametrize("anomaly", ["gen:cutout", "gen:rotate", "class:8", "rest"])
def test_any_anomaly_is_drawn_from_what_is_stored(anomaly: str, lab: Path) -> None:
    for path in (HISTOGRAMS, RECONSTRUCTIONS):
        app = open_page(path, **TINY, pins="", anomaly=anomaly)
        assert not app.error
        assert "Measured here." in words(app)


def test_the_looks_of_histograms_are_in_the_address(lab: Path) -> None:
    app = open_page(HISTOGRAMS, **TINY, pins="")
    (figure,) = charts(app)
    *notes, axis = (note["text"] for note in figure["layout"]["annotations"])
    assert notes
    assert all(re.search(r"AUC \d\.\d{3}<br>TPR \d+\.\d%", note) for note in notes)
    assert axis == "reconstruction error (mean squared error)"
    calm(app.slider(key="ask-fpr").set_value(0.25).run())
    groups = {group.label: group for group in app.button_group}
    calm(groups["Score axis"].set_value("log").run())
    groups = {group.label: group for group in app.button_group}
    calm(groups["MMD measured in"].set_value("pixels").run())
    assert address(app) | {"fpr": "0.25", "scale": "log", "encoder": "pixels"} == address(app)


def test_detectors_without_a_common_unit_get_a_figure_each(own_lab: Store) -> None:
    other = tiny(detector="deepsad").run(load("digits"))
    for spec in (other.baseline(), other):
        worker.run(spec, own_lab, "cpu")
    app = open_page(HISTOGRAMS, **TINY, pins=other.id)
    assert len(charts(app)) == 2
    assert not warned(app)
    assert open_page(RECONSTRUCTIONS, **TINY, pins=other.id).get("bidi_component")


def test_the_questions_own_run_leads_wherever_it_stands(lab: Path) -> None:
    digits, store = load("digits"), Store()
    run = tiny().run(digits)
    baseline, trained = store.load(run.baseline().id), store.load(run.id)
    pair = [Comparison(each, baseline, Anomaly("rest"), digits) for each in (baseline, trained)]
    assert own_place(State(tiny()), pair) == 1
    assert own_place(State(tiny(aug="identity")), pair) == 0
    assert own_place(State(tiny(aug="identity")), pair[::-1]) == 1
    assert own_place(State(tiny(aug="flip")), pair) == 0  # not trained yet


def test_images_and_the_made_anomaly_are_in_the_address(lab: Path) -> None:
    query = {"order": "missed", "start": "3", "images": "0.4", "errors": "1", "made": "2~cutout(c=0.5)~7~0.25~1"}
    app = open_page(RECONSTRUCTIONS, **TINY, pins="", **query)
    assert address(app) | query == address(app)
    assert app.number_input(key="made-image").value == 3
    assert app.slider(key="ask-made-gen:cutout-cutout-c").value == 0.5
    assert app.slider(key="made-across").value == 1.0
    calm(app.selectbox(key="made-gen-gen:cutout").set_value("noise").run())
    assert "made-across" not in [slider.key for slider in app.slider]  # there is no patch to place
    calm(app.number_input(key="made-draw").set_value(8).run())
    assert address(app)["made"] == "2~noise~8~0.25~1"


def test_an_address_with_all_images_pinned_shows_some_and_says_so(lab: Path) -> None:
    app = open_page(RECONSTRUCTIONS, **TINY, pins="", images="0-799")
    (warning,) = warned(app)
    assert "images: 20 are pinned at most; 780 more are left out" in warning
    assert address(app)["images"] == "0-19"


@BOTH
def test_what_is_chosen_of_images_goes_with_them(path: str, lab: Path) -> None:
    chosen = {"lasso": "3-5.9", "images": "0.4"}
    app = calm(open_page(path, **TINY, pins="", **chosen).run())
    assert address(app) | chosen == address(app)
    calm(app.selectbox(key="ask-aug").set_value("flip").run())
    assert address(app) | chosen == address(app)  # the images are the same
    calm(app.selectbox(key="ask-anomaly-digits-3").set_value(Anomaly("gen", "flip")).run())
    assert address(app) | {"lasso": "", "images": "0.4"} == address(app)
    calm(app.selectbox(key="ask-class-digits").set_value("7").run())
    assert address(app) | {"lasso": "", "images": ""} == address(app)


def test_the_made_anomaly_follows_the_question_until_another_is_chosen(lab: Path) -> None:
    app = open_page(RECONSTRUCTIONS, **TINY, pins="")
    calm(app.selectbox(key="ask-anomaly-digits-3").set_value(Anomaly("gen", "flip")).run())
    assert app.selectbox(key="made-gen-gen:flip").value == "flip"
    assert "made" not in address(app)
    calm(app.selectbox(key="made-gen-gen:flip").set_value("noise").run())
    assert address(app)["made"].startswith("0~noise~")
    calm(app.selectbox(key="ask-anomaly-digits-3").set_value(Anomaly("gen", "invert")).run())
    assert app.selectbox(key="made-gen-gen:invert").value == "noise"
    calm(app.selectbox(key="made-gen-gen:invert").set_value("invert").run())
    assert "made" not in address(app)  # it is the question's own again


def test_the_scores_of_a_made_anomaly_have_three_digits(own_lab: Store) -> None:
    worker.run(tiny(detector="ap", aug="flip").run(load("digits")), own_lab)
    app = open_page("pages/reconstructions.py", **TINY, detector="ap", aug="flip", pins="")
    tables = [each.proto.json for each in app.get("bidi_component") if each.proto.component_name.endswith("_table")]
    scores = re.findall(r"([^\s<>]+) \(\d+%\)", json.loads(tables[-1])["content"])
    assert len(scores) == 2
    for score in scores:
        assert re.fullmatch(r"−\d\.\d{2,3}", score)


def test_with_fewer_images_the_start_is_among_them(own_lab: Store) -> None:
    fewer = tiny(test_limit="10").run(load("digits"))
    for spec in (fewer.baseline(), fewer):
        worker.run(spec, own_lab, "cpu")
    app = open_page(RECONSTRUCTIONS, **TINY, pins="")
    calm(app.number_input(key="ask-start").set_value(16).run())
    assert address(app)["start"] == "15"
    session = app.session_state["lab"]
    session.question = tiny(test_limit="10")
    calm(app.run())
    begin = app.number_input(key="ask-start")
    assert (begin.value, begin.max) == (10, 10)


@pytest.mark.parametrize("start", ["19", "5000"])
def test_beyond_the_last_image_the_last_ones_are_shown(start: str, lab: Path) -> None:
    app = open_page(RECONSTRUCTIONS, **TINY, pins="", start=start, images="0.9998")
    assert not app.error
    assert len(app.get("bidi_component")) >= 2
    begin = app.number_input(key="ask-start")
    assert (begin.value, begin.max) == (20, 20)  # so many images there are


def test_what_nobody_looks_at_any_more_is_not_computed_whatever_else_is(
    own_lab: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background.st, "session_state", {})
    monkeypatch.setattr(background.st, "fragment", lambda look, run_every: lambda *given: None)
    go, begun = Event(), []
    service.jobs().compute("at work", lambda: go.wait(30))
    background.compute_missing({"surface": lambda: begun.append("surface")}, "surface")
    for perplexity in ("map of 30", "map of 40"):
        background.compute_missing({perplexity: lambda name=perplexity: begun.append(name)})
    go.set()
    service.jobs()._pool.submit(lambda: None).result()
    assert begun == ["surface", "map of 40"]
