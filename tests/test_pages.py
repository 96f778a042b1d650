"""Every page through Streamlit's AppTest, on the real app with real, tiny runs: no exception, and what it says."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from apptest import (
    LONG,
    TINY,
    address,
    calm,
    charts,
    close_service,
    command,
    labels,
    open_page,
    places,
    tiny,
    warned,
    words,
)
from streamlit.testing.v1 import AppTest
from tiny import FOREVER, WIDE, trainer, wait
from tiny import tiny as short

from pages.components import service
from ssad_core import augment, worker
from ssad_core.alignment import Aug
from ssad_core.data import load
from ssad_core.detectors import PRESETS, settings_for, with_baseline
from ssad_core.protocol import PROFILES, SWITCHES
from ssad_core.question import Question
from ssad_core.spec import Anomaly, exact
from ssad_core.store import Store, write_arrays
from ssad_core.views import Comparison
from ssad_core.whatif import Sweep

pytestmark = pytest.mark.usefixtures("no_spares")

PAGES = (
    "pages/lab.py",
    "pages/gallery.py",
    "pages/what_if.py",
    "pages/runs.py",
    "pages/evidence.py",
    "pages/testbed.py",
    "pages/settings.py",
    "pages/reconstructions.py",
    "pages/histograms.py",
    "pages/embeddings.py",
    "pages/alignment.py",
    "pages/error_bias.py",
)


# Nothing trained


@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_with_nothing_trained(path: str, own_cache: Path) -> None:
    close_service()
    app = open_page(path)
    assert not app.error
    assert not app.warning
    close_service()


def test_the_first_screen_asks_its_question_and_names_the_cost(lab: Path) -> None:
    app = open_page()
    for part in ("Normal: **temple (Photos)**. Anomaly: ", "**CutOut**", ". Augmentation: ", ". Detector: **DAE**."):
        assert part in words(app)
    assert app.button(key="train").label == "Train: DAE-CutOut and its baseline AE"
    assert "About " in words(app)
    assert words(app).count("data:image/webp;base64,") >= 6  # previews of gen and aug, three rows each
    assert command(app).startswith("python -m ssad_core train --dataset photos --normal-class temple")


def test_the_address_has_every_value_defaults_included(lab: Path) -> None:
    app = open_page()
    assert {field: app.query_params[field] for field in Question().to_query()} == Question().to_query()
    views = {"fpr": "0.1", "scale": "auto", "map_of": "run", "colour_by": "category", "sort": "nearest", "lasso": ""}
    views |= {"hidden_bars": "0", "hidden_points": ""}
    assert {field: app.query_params[field] for field in views} == views


# The controls


@pytest.mark.parametrize("dataset", ["digits", "photos"])
def test_every_anomaly_and_augmentation_is_previewed(lab: Path, dataset: str) -> None:
    app = open_page(dataset=dataset)
    (anomalies,) = (box for box in app.selectbox if box.label == "gen, or a class")
    for option in anomalies.options:
        (anomalies,) = (box for box in app.selectbox if box.label == "gen, or a class")
        calm(anomalies.select(option).run())
        assert f"Anomaly: {'gen ' if option.startswith('gen') else ''}{option.partition(': ')[2]}" in words(app)
    for option in app.selectbox(key="ask-aug").options:
        calm(app.selectbox(key="ask-aug").select(option).run())
        assert f"Augmentation: aug {option.partition(' (')[0]}" in words(app)


def test_another_data_set_has_its_own_classes(lab: Path) -> None:
    app = open_page()
    calm(app.selectbox(key="ask-dataset").select("digits").run())
    assert app.selectbox(key="ask-class-digits").options == [str(digit) for digit in range(10)]
    calm(app.selectbox(key="ask-class-digits").select("7").run())
    assert "7 (Digits)" in words(app)
    assert app.query_params["dataset"] == "digits"
    assert app.query_params["class"] == "7"


def test_an_anomaly_that_becomes_the_normal_class_gives_way(lab: Path) -> None:
    app = open_page(**{**TINY, "anomaly": "class:5"})
    assert "Anomaly: 5" in words(app)
    calm(app.selectbox(key="ask-class-digits").select("5").run())
    assert app.query_params["anomaly"] == "gen:cutout"


def test_a_fixed_parameter_is_previewed_and_written_to_the_address(lab: Path) -> None:
    app = open_page()
    random = words(app)
    calm(app.toggle(key="ask-aug-cutout-c-on").set_value(True).run())
    calm(app.slider(key="ask-aug-cutout-c").set_value(0.8).run())
    assert app.query_params["aug"] == "cutout(c=0.8)"
    assert "Augmentation: aug CutOut-0.8" in words(app)
    assert words(app) != random
    assert "--param c=0.8" in command(app)
    calm(app.toggle(key="ask-gen-cutout-c-on").set_value(True).run())
    calm(app.slider(key="ask-gen-cutout-c").set_value(0.2).run())
    assert app.query_params["anomaly"] == "gen:cutout(c=0.2)"
    calm(app.toggle(key="ask-aug-cutout-c-on").set_value(False).run())
    assert app.query_params["aug"] == "cutout"


def open_settings(app: AppTest, now: bool = True) -> AppTest:
    """What a click on the head of the sidebar's Settings does; AppTest has no such click."""
    app.session_state["settings-open"] = now
    return calm(app.run())


def setting(app: AppTest, label: str) -> Any:
    (found,) = (box for box in app.number_input if box.label == label)
    return found


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_fills_the_settings(lab: Path, preset: str) -> None:
    app = open_page()
    (control,) = (group for group in app.button_group if group.label == "Preset")
    open_settings(calm(control.set_value(preset).run()))
    settings = settings_for(preset)
    assert app.query_params["epochs"] == str(settings.epochs)
    assert app.query_params["batch_size"] == str(settings.batch_size)
    assert setting(app, "Features").value == settings.features


def test_another_detector_or_network_starts_from_its_own_preset(lab: Path) -> None:
    app = open_settings(open_page())
    calm(setting(app, "Epochs").set_value(3).run())
    for control, chosen in (("detector", "deepsad"), ("dataset", "digits"), ("dataset", "photos")):
        calm(app.selectbox(key=f"ask-{control}").select(chosen).run())
        dataset, channels = ("digits", 1) if chosen == "digits" else ("photos", 3)
        settings = settings_for("quick", "deepsad", dataset, channels)
        assert {name: app.query_params[name] for name in asdict(settings)} == {
            name: exact(value) for name, value in asdict(settings).items()
        }
        assert setting(app, "Code size").value == settings.hidden
    assert "--detector deepsad" in command(app)
    assert command(app).endswith("--preset quick --seed 0")


@pytest.mark.parametrize("preset", PRESETS)
def test_settings_and_seed_reach_address_and_command(lab: Path, preset: str) -> None:
    app = open_page()
    (control,) = (group for group in app.button_group if group.label == "Preset")
    app = open_settings(calm(control.set_value(preset).run()))
    for switch in SWITCHES:
        assert " / ".join(switch.says(profile) for profile in PROFILES.values()) in words(app)
    changed = f"{preset.capitalize()}, changed: Epochs 3."
    assert changed not in words(app)
    calm(setting(app, "Epochs").set_value(3).run())
    assert changed in words(app)
    calm(app.number_input(key="ask-seed").set_value(4).run())
    calm(app.selectbox(key="ask-precision").select("bfloat16").run())
    calm(app.selectbox(key="ask-profile").select("reference").run())
    open_settings(app, False)  # what is hidden stays as it was set
    assert not [box for box in app.number_input if box.label == "Epochs"]
    expected = {
        **{"epochs": "3", "seed": "4", "profile": "reference", "precision": "bfloat16"},
        "features": str(settings_for(preset).features),
    }
    assert expected.items() <= address(app).items()
    assert f"--profile reference --preset {preset} --epochs 3 --precision" in command(app)
    assert command(app).endswith("--precision bfloat16 --seed 4")
    for page in ("gallery", "lab"):
        calm(app.switch_page(f"pages/{page}.py").run())
        assert expected.items() <= address(app).items()
    (control,) = (group for group in app.button_group if group.label == "Preset")
    assert control.value == preset
    assert changed in words(open_page(**address(app)))  # as whoever is given the link sees it


# The address


@pytest.mark.parametrize(
    "query",
    [
        {**TINY, "anomaly": "rest", "aug": "cutout(c=0.4)", "seed": "7", "profile": "reference", "hidden": "17"},
        {**TINY, "anomaly": "class:9", "aug": "flip(p=0.3)", "fpr": "0.05", "scale": "log", "sort": "highest"},
        {"dataset": "photos", "class": "flower", "anomaly": "class:temple", "aug": "identity", "lasso": "3-5.9"},
        {**TINY, "hidden_bars": "", "hidden_points": "0-1.3"},
    ],
)
def test_what_an_address_says_is_asked_and_stays(lab: Path, query: dict[str, str]) -> None:
    app = open_page(**query)
    assert not warned(app)
    assert {field: app.query_params[field] for field in query} == query
    calm(app.run())
    assert {field: app.query_params[field] for field in query} == query


NONSENSE = {
    "dataset": "nope",
    "class": "mountain",
    "anomaly": "gen:fog",
    "detector": "oracle",
    "aug": "cutout(c=9)",
    "profile": "mine",
    "epochs": "-1",
    "features": "1e99",
    "hidden": "nan",
    "batch_size": "many",
    "limit": "1.5",
    "test_limit": "",
    "learning_rate": "inf",
    "weight_decay": "2",
    "seed": "-3",
    "precision": "float8",
    "fpr": "7",
    "scale": "cubic",
    "map_of": "moon",
    "colour_by": "taste",
    "sort": "random",
    "encoder": "resnet34",
    "lasso": "9-1",
    "hidden_bars": "4",
    "hidden_points": "train",
    "perplexity": "4",
    "map_seed": "-1",
    "two_seeds": "maybe",
    "pins": "flip~fog",
    "vary": "epochs~fog",
    "order": "alphabetical",
    "over": "the moon",
    "start": "-1",
    "images": "x",
    "errors": "maybe",
    "made": "0~cutout",
    "bias_of": "the first",
    "bias_class": "mountain",
    "gallery": "noise(sigma=0.3)~blur(sigma=-1)",
    "find_dataset": "nope",
    "find_detector": "oracle",
    "find_aug": "fog",
    "colour": "<b>red</b>",
}


def test_each_bad_value_of_an_address_gets_one_line(lab: Path) -> None:
    app = open_page(**NONSENSE)
    (warning,) = app.warning
    lines = [line for line in warning.value.splitlines() if line.startswith("- ")]
    assert len(lines) == len(NONSENSE)
    for field in NONSENSE:
        assert sum(line.startswith((f"- {field}: ", f"- unknown field '{field}'")) for line in lines) == 1
    assert app.button(key="train").label == "Train: DAE-CutOut and its baseline AE"
    calm(app.button(key="rejected-seen").click().run())
    assert not app.warning
    assert app.query_params["dataset"] == "photos"


def test_a_bad_value_leaves_the_others_alone(lab: Path) -> None:
    app = open_page(**{**TINY, "anomaly": "gen:invert", "aug": "cutoff"})
    (warning,) = warned(app)
    assert "'cutoff'" in warning
    assert "cutout" in warning  # the nearest known one
    assert app.query_params["anomaly"] == "gen:invert"
    assert app.query_params["epochs"] == "2"


# What cannot be read or written


def test_a_truncated_data_set_is_one_message_and_the_page_goes_on(
    lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cifar10.zip").write_bytes(b"PK\x03\x04 cut off")
    monkeypatch.setenv("SSAD_DATA_DIR", str(tmp_path))
    app = open_page(dataset="cifar10")
    (error,) = app.error
    assert "cifar10.zip cannot be read" in error.value
    assert "\n" not in error.value
    calm(app.selectbox(key="ask-dataset").select("digits").run())
    assert not app.error
    assert "(Digits)" in words(app)


def test_a_data_set_that_is_nowhere_says_where_to_put_it(
    lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing can be downloaded into a file.
    (tmp_path / "data").write_text("")
    monkeypatch.setenv("SSAD_DATA_DIR", str(tmp_path / "data"))
    app = open_page(dataset="mnist")
    (error,) = app.error
    assert "mnist.zip" in error.value
    assert "SSAD_DATA_DIR" in error.value


@pytest.mark.parametrize("path", PAGES[:2])
def test_a_cache_that_cannot_be_written_is_one_message(
    path: str, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_service()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SSAD_CACHE_DIR", str(tmp_path / "file"))
    app = open_page(path)
    (error,) = app.error
    assert "SSAD_CACHE_DIR" in error.value


@pytest.mark.parametrize("file", ["scores.npz", "weights.safetensors", "history.npz", "result.json", "spec.json"])
def test_a_damaged_run_is_one_message(own_lab: Store, file: str) -> None:
    damaged = own_lab.run(tiny().run(load("digits")).id) / file
    damaged.write_bytes(damaged.read_bytes()[:20])
    app = open_page(**TINY)
    if file == "history.npz":  # is for the replay alone, which is closed at first
        app.session_state["replay-open"] = True
        app.run()
    (error,) = app.error
    assert "delete" in error.value
    assert "train it again" in error.value
    open_page("pages/runs.py")


def test_a_damaged_run_is_one_message_beside_one_that_is_trained(own_lab: Store) -> None:
    run = tiny(aug="invert").run(load("digits"))
    history = own_lab.run(run.baseline().id) / "history.npz"
    history.write_bytes(history.read_bytes()[:20])
    with own_lab.begin(run) as work:
        work.progress(state="training")
        app = open_page(**TINY, aug="invert")
    (error,) = app.error
    assert "history.npz cannot be read" in error.value.replace("\\", "")
    assert "cancel" in [button.key for button in app.button]


# Trained


def test_a_stored_run_shows_everything_beside_its_baseline(lab: Path) -> None:
    app = open_page(**TINY)
    assert "train" not in [button.key for button in app.button]
    said = words(app)
    for part in ("AUC, AE", "AUC, DAE-CutOut", "Relative AUC", "Average precision", "MMD of aug and anomalies"):
        assert part in said
    assert re.search(r": DAE-CutOut 0\.\d{3}, AE 0\.\d{3} AUC on CutOut", said)
    assert "measured here" in said
    assert {button.label for button in app.get("download_button")} >= {"Scores (CSV)", "Figures (HTML)"}


@pytest.mark.parametrize("anomaly", ["gen:flip", "gen:invert", "gen:rotate", "gen:cutout(c=0.6)", "class:8", "rest"])
def test_another_anomaly_of_a_stored_run_needs_no_training(lab: Path, anomaly: str) -> None:
    app = open_page(**{**TINY, "anomaly": anomaly})
    assert "Relative AUC" in words(app)
    assert "train" not in [button.key for button in app.button]


def test_the_baseline_itself_has_nothing_to_be_compared_with(lab: Path) -> None:
    app = open_page(**{**TINY, "aug": "identity"})
    assert "AUC, AE" in words(app)
    assert "This is the unsupervised baseline itself" in words(app)
    assert "Relative AUC" not in words(app)


@pytest.mark.parametrize("encoder", ["baseline", "run", "pixels"])
def test_the_mmd_of_aug_stands_beside_that_of_none(lab: Path, encoder: str) -> None:
    digits, store = load("digits"), Store()
    run = store.load(tiny().run(digits).id)
    baseline = store.load(run.spec.baseline().id)
    comparison = Comparison(run, baseline, Anomaly("gen", "cutout"), digits)
    value, nothing = comparison.mmd(encoder), comparison.mmd(encoder, aug=Aug("identity"))
    assert value.value != nothing.value
    said = words(open_page(**TINY, encoder=encoder))
    assert f">{value.text}<" in said
    assert f"; without aug {nothing.text}; smaller is better aligned" in said
    assert "without aug" not in words(open_page(**TINY | {"aug": "identity"}, encoder=encoder))


@pytest.mark.parametrize("encoder", ["run", "pixels"])
def test_the_encoder_of_the_mmd_is_chosen_and_kept(lab: Path, encoder: str) -> None:
    app = open_page(**TINY)
    before = words(app)
    (control,) = (group for group in app.button_group if group.label.startswith("MMD"))
    calm(control.set_value(encoder).run())
    assert app.query_params["encoder"] == encoder
    assert words(app) != before


def test_a_guess_whose_ends_read_alike_is_one_time(lab: Path) -> None:
    (line,) = (each.value for each in open_page(**{**TINY, "features": "5"}).caption if "About" in each.value)
    assert line.startswith("About 1 s, a guess from runs of another size.")


def test_a_run_beside_a_stored_baseline_costs_one_training(lab: Path) -> None:
    app = open_page(**{**TINY, "aug": "invert"})
    assert app.button(key="train").label == "Train: DAE-Invert"
    assert "stored already" in words(app)


# Augmentations


@pytest.mark.parametrize("dataset", ["digits", "photos"])
def test_the_gallery_shows_all_augmentations_in_their_categories(lab: Path, dataset: str) -> None:
    text = words(open_page("pages/gallery.py", dataset=dataset))
    shown = [info for info in augment.AUGMENTATIONS.values() if info.category != "none"]
    assert len(shown) == 13 == text.count("Degree of modification:") == text.count(">difference, white from 0.5 on<")
    for info in shown:
        assert f">{info.title}<" in text
        assert info.help in text
        assert text.count(f"border-left:4px solid {augment.CATEGORY_COLOURS[info.category]}") == sum(
            other.category == info.category for other in shown
        )


def test_what_the_gallery_shows_is_used_as_aug_or_gen(lab: Path) -> None:
    app = open_page("pages/gallery.py", **TINY)
    assert app.button(key="use-aug-cutout").label == "Is the aug"
    calm(app.toggle(key="ask-gallery-cutout-c-on").set_value(True).run())
    calm(app.slider(key="ask-gallery-cutout-c").set_value(0.3).run())
    assert ">CutOut-0.3<" in words(app)
    calm(app.button(key="use-gen-cutout").click().run())
    calm(app.slider(key="ask-gallery-noise-sigma").set_value(0.4).run())
    calm(app.button(key="use-aug-noise").click().run())
    assert app.button(key="use-aug-noise").label == "Is the aug"
    assert app.button(key="use-gen-cutout").label == "Is the gen"
    assert address(app) | {"aug": "noise(sigma=0.4)", "anomaly": "gen:cutout(c=0.3)"} == address(app)
    # Back at its default it is the plain one again.
    calm(app.toggle(key="ask-gallery-0.3-cutout-c-on").set_value(False).run())
    calm(app.button(key="use-gen-cutout").click().run())
    calm(app.button(key="use-aug-flip").click().run())
    assert address(app) | {"aug": "flip", "anomaly": "gen:cutout"} == address(app)


def test_the_gallery_shows_the_questions_own_parameters_and_knows_them(lab: Path) -> None:
    app = open_page("pages/gallery.py", **TINY, aug="cutout(c=0.4)", anomaly="gen:blur(sigma=0.7)")
    assert ">CutOut-0.4<" in words(app)
    assert app.slider(key="ask-gallery-0.7-blur-sigma").value == 0.7
    says = {key: app.button(key=f"use-{key}").label for key in ("aug-cutout", "gen-cutout", "gen-blur")}
    assert says == {"aug-cutout": "Is the aug", "gen-cutout": "Use as gen", "gen-blur": "Is the gen"}
    calm(app.slider(key="ask-gallery-0.4-cutout-c").set_value(0.5).run())
    assert app.button(key="use-aug-cutout").label == "Use as aug"
    # What an augmentation has for training alone makes no other one of it.
    assert open_page("pages/gallery.py", **TINY, aug="flip(p=0.3)").button(key="use-aug-flip").disabled


def test_what_the_gallery_is_set_to_is_in_the_address_and_stays(lab: Path) -> None:
    app = open_page("pages/gallery.py", **TINY)
    assert "gallery" not in address(app)
    calm(app.slider(key="ask-gallery-noise-sigma").set_value(0.35).run())
    calm(app.toggle(key="ask-gallery-cutout-c-on").set_value(True).run())
    calm(app.slider(key="ask-gallery-cutout-c").set_value(0.3).run())
    shown = {"gallery": "noise(sigma=0.35)~cutout(c=0.3)"}
    assert address(app) | shown == address(app)
    assert address(app) | {"aug": "cutout", "anomaly": "gen:cutout"} == address(app)
    calm(app.switch_page("pages/lab.py").run())
    assert address(app) | shown == address(app)
    for there in (calm(app.switch_page("pages/gallery.py").run()), open_page("pages/gallery.py", **TINY, **shown)):
        assert ">CutOut-0.3<" in words(there)
        assert there.slider(key="ask-gallery-noise-sigma").value == 0.35
        # What the question has, and what is the default, is not written.
        calm(there.button(key="use-aug-cutout").click().run())
        assert address(there) | {"aug": "cutout(c=0.3)", "gallery": "noise(sigma=0.35)"} == address(there)
        calm(there.slider(key="ask-gallery-noise-sigma").set_value(0.1).run())
        assert "gallery" not in address(there)
    # What nobody has set follows the question.
    calm(there.slider(key="ask-aug-cutout-c").set_value(0.4).run())
    assert ">CutOut-0.4<" in words(there)
    assert "gallery" not in address(there)
    # Its default, where the question has another value.
    app = open_page("pages/gallery.py", **TINY, aug="noise(sigma=0.4)", gallery="noise")
    assert app.slider(key="ask-gallery-0.4-noise-sigma").value == 0.1
    assert address(app)["gallery"] == "noise"


# What if?


def test_a_what_if_shows_what_is_stored_and_offers_the_rest(own_lab: Store) -> None:
    app = open_page("pages/what_if.py", **TINY, aug="cutout(c=0.5)")
    assert "Train 9 missing runs" in labels(app)  # the baseline is there
    assert app.select_slider(key="vary-cutout").value == 0.5
    sweep = Sweep(tiny().run(load("digits")), (0,))
    for value in (0.2, 0.5):
        worker.run(sweep.spec(value, 0), own_lab, "cpu")
    calm(app.run())
    assert "Train 7 missing runs" in labels(app)
    assert "DAE-CutOut-0.5" in words(app)
    assert "nearest" not in words(app)
    assert len(charts(app)) in (1, 2)  # the surface may still be at work
    service.jobs()._pool.submit(lambda: None).result()  # after what is at work
    calm(app.run())
    assert len(charts(app)) == 2
    assert "Nothing is concluded of these trainings" in words(app)
    assert "the best aug of each column" not in words(app)
    curve, surface = (chart["layout"] for chart in charts(app))
    assert "gen: 0.14 to 0.57" in [note["text"] for note in curve["annotations"]]
    assert surface["meta"]["alt"].endswith("Chosen: aug 0.5.")
    assert "Fig. 4a" in words(app)

    calm(app.select_slider(key="vary-cutout").set_value(0.9).run())
    assert "0.9 is not trained yet; below is the nearest that is, 0.5." in words(app)
    assert address(app)["aug"] == "cutout(c=0.9)"
    # Another anomaly needs no training, and one without a strength has no surface.
    calm(app.selectbox(key="ask-anomaly-digits-3").set_value(Anomaly("gen", "flip")).run())
    assert "Train 7 missing runs" in labels(app)
    (chart,) = charts(app)
    assert not [note for note in chart["layout"].get("annotations", ()) if note["text"].startswith("gen")]
    assert "Fig. 4a" not in words(app)
    # A second seed is another baseline and nine more.
    calm(app.number_input(key="seeds").set_value(2).run())
    assert "Train 17 missing runs" in labels(app)
    assert address(app)["seeds"] == "2"
    # Over the normal classes it is one sweep for each of the ten.
    calm(app.selectbox(key="over").set_value("classes").run())
    assert "Train 97 missing runs" in labels(app)
    assert address(app)["over"] == "classes"
    calm(app.selectbox(key="ask-anomaly-digits-3").set_value(Anomaly("class", "8")).run())
    assert "Train 7 missing runs" in labels(app)


def test_a_surface_of_steps_enough_says_where_the_best_lies(own_lab: Store) -> None:
    sweep = Sweep(tiny(**LONG).run(load("digits")), (0,))
    for spec in (sweep.run.baseline(), sweep.spec(0.2, 0), sweep.spec(0.5, 0)):
        worker.run(spec, own_lab, "cpu")
    app = open_page("pages/what_if.py", **LONG, aug="cutout(c=0.5)")
    service.jobs()._pool.submit(lambda: None).result()  # after what is at work
    calm(app.run())
    assert "A red frame marks the best aug of each column, the grey one what is chosen." in words(app)
    assert "Nothing is concluded" not in words(app)


def test_a_what_if_says_what_its_band_is_of(own_lab: Store) -> None:
    sweep = Sweep(tiny().run(load("digits")), (0, 1))

    def drawn(*stored: tuple[float, int], seeds: str) -> tuple[str, list[str]]:
        for value, seed in stored:
            for spec in with_baseline(sweep.spec(value, seed)):
                worker.run(spec, own_lab, "cpu")
        app = open_page("pages/what_if.py", **TINY, aug="cutout(c=0.5)", seeds=seeds)
        (mean,) = (trace for trace in charts(app)[0]["data"] if trace.get("mode") == "lines+markers")
        (said,) = (caption.value for caption in app.caption if "A click on a point" in caption.value)
        return said, [symbol for symbol, y in zip(mean["marker"]["symbol"], mean["y"], strict=True) if y is not None]

    assert "band" not in drawn(seeds="2")[0]
    said, points = drawn((0.2, 0), (0.5, 0), seeds="2")
    assert "1 of 2 seeds is trained: the band is the 95% interval over the test images, of one training." in said
    assert points == ["circle-open", "circle-open"]
    said, points = drawn(seeds="1")
    assert "helps. The band is the 95% interval over the test images, of one training." in said
    assert points == ["circle", "circle"]
    said, points = drawn((0.2, 1), seeds="2")
    assert "The band is the range over seeds. Open points have not all 2 yet." in said
    assert points == ["circle", "circle-open"]
    said, points = drawn((0.5, 1), seeds="2")
    assert "Open" not in said
    assert points == ["circle", "circle"]


def test_to_ask_what_if_changes_nothing_until_the_slider_does(own_lab: Store) -> None:
    app = open_page("pages/what_if.py", **TINY, aug="cutout(c=0.25)")
    assert address(app)["aug"] == "cutout(c=0.25)"
    assert app.select_slider(key="vary-cutout").value == 0.25
    worker.run(tiny(aug="cutout(c=0.25)").run(load("digits")), own_lab, "cpu")
    calm(app.run())
    assert "Train 9 missing runs" in labels(app)  # the sweep has none of this value
    assert "AUC, DAE-CutOut-0.25" in words(app)
    assert not app.info
    calm(app.select_slider(key="vary-cutout").set_value(0.3).run())
    assert address(app)["aug"] == "cutout(c=0.3)"
    assert "0.25" not in calm(app.run()).select_slider(key="vary-cutout").options


def test_a_what_if_says_where_the_questions_parameter_is_not_fixed(lab: Path) -> None:
    said = "Elsewhere this question's patch size c is not fixed"
    app = open_page("pages/what_if.py", **TINY, aug="cutout")
    assert said in words(app)
    assert address(app)["aug"] == "cutout"
    calm(app.select_slider(key="vary-cutout").set_value(0.4).run())
    assert said not in words(app)
    assert said not in words(open_page("pages/what_if.py", **TINY, aug="cutout(c=0.4)"))


def test_nothing_moves_as_a_sweep_fills(own_lab: Store) -> None:
    """What moves is drawn anew by the browser, and is there twice until the page is done."""
    sweep = Sweep(tiny().run(load("digits")), (0,))
    app = open_page("pages/what_if.py", **TINY, aug="cutout(c=0.1)")
    (curve,) = places(app)
    for value in sweep.values:
        worker.run(sweep.spec(value, 0), own_lab, "cpu")
        if value == sweep.values[0]:
            calm(app.run())
            assert places(app)[0] == curve
    calm(app.run())
    assert "train-missing" not in [button.key for button in app.button]
    service.jobs()._pool.submit(lambda: None).result()  # after the surface, which is at work
    before = places(calm(app.run()))
    assert (before[0], len(before)) == (curve, 2)
    calm(app.select_slider(key="vary-cutout").set_value(0.9).run())
    assert places(app) == before


@pytest.mark.parametrize(("detector", "aug"), [("dae", "rotate"), ("dae", "identity"), ("ap", "invert")])
def test_a_what_if_needs_something_to_vary(lab: Path, detector: str, aug: str) -> None:
    app = open_page("pages/what_if.py", **TINY, detector=detector, aug=aug)
    assert "has nothing continuous to vary here; these have:" in words(app)
    assert "Choose another aug in the sidebar" in words(app)
    calm(app.selectbox(key="ask-aug").set_value("noise").run())
    assert app.select_slider(key="vary-noise").value == 0.1


def test_a_sweep_is_trained_in_the_background_and_cancelled(own_lab: Store) -> None:
    long = {**TINY, "epochs": "10000", "seed": "5"}
    app = open_page("pages/what_if.py", **long)
    calm(app.button(key="train-missing").click().run())
    assert "cancel-missing" in [button.key for button in app.button]
    sweep = service.jobs().going_on()
    assert len(sweep) == 10
    trainer(own_lab, sweep[0][0].id)  # the others may still wait
    calm(app.button(key="cancel-missing").click().run())
    assert service.jobs().going_on() == []
    (said,) = (info.value for info in app.info if info.value.startswith("Cancelled"))
    counts = re.fullmatch(r"Cancelled: (\d) w\w+ training \(\w+ process\w* ha\w+ ended\), (\d) were waiting\.", said)
    assert counts
    assert int(counts[1]) == sum(own_lab.progress(spec.id) != {} for spec, _ in sweep) >= 1
    assert int(counts[1]) + int(counts[2]) == 10
    assert "Train 10 missing runs" in labels(app)


def test_pages_can_be_visited_in_any_order(lab: Path) -> None:
    app = open_page(**TINY)
    for path in (*PAGES[1:], PAGES[0], PAGES[2], PAGES[1], PAGES[0]):
        calm(app.switch_page(path).run())
    assert app.query_params["epochs"] == "2"
    assert "Relative AUC" in words(app)


# How trainings end


@pytest.mark.parametrize(
    ("state", "said"), [("failed", "DAE-CutOut failed. The loss is NaN."), ("training", "DAE-CutOut was interrupted.")]
)
def test_how_a_training_ended_is_said(own_lab: Store, state: str, said: str) -> None:
    spec = tiny(seed="9").run(load("digits"))
    with own_lab.begin(spec) as work:
        work.progress(state=state, message="The loss is NaN.")
        (work.path / "log.txt").write_text("what the process printed")
    app = open_page(**TINY, seed="9")
    assert said in words(app)
    assert app.button(key="train").label.startswith("Train again: DAE-CutOut")
    assert [code.value for code in app.code if "printed" in code.value] == (
        ["what the process printed"] if state == "failed" else []
    )


def test_what_somebody_else_trains_keeps_nobody_from_training(own_lab: Store) -> None:
    asked = {**TINY, "epochs": "10000"}
    run = tiny(**asked).run(load("digits"))
    queue = service.jobs()
    queue.submit(run.baseline(), priority=10)
    wait(lambda: queue.status(run.baseline().id).state == "training")
    app = open_page(**asked)
    assert app.button(key="train").label == "Train: DAE-CutOut"
    calm(app.button(key="train").click().run())
    assert "train" not in [button.key for button in app.button]
    assert queue.status(run.id).going_on
    calm(app.button(key="cancel").click().run())
    assert app.button(key="train").label == "Train again: DAE-CutOut and its baseline AE"

    # A sweep waits behind what takes all cores; who opens one of its runs in the Lab goes first.
    blocking, sweep = short(seed=50, epochs=FOREVER, **WIDE), [replace(run, seed=seed) for seed in (1, 2)]
    with queue.store.lock(blocking.id):
        queue.submit(blocking)
        wait(lambda: queue.status(blocking.id).state == "starting")
        for spec in sweep:
            queue.submit(spec)
            queue.submit(spec.baseline())
        app = open_page(**asked, seed="2")
        assert "What waits for a sweep goes first then." in words(app)
        calm(app.button(key="train").click().run())
        assert "train" not in [button.key for button in app.button]
        assert [queue.status(spec.id).position for spec in (sweep[1].baseline(), sweep[1])] == [1, 2]


def test_a_run_is_shown_without_its_baseline_where_that_has_failed(own_lab: Store) -> None:
    baseline = tiny().run(load("digits")).baseline()
    own_lab.delete(baseline.id)
    with own_lab.begin(baseline) as work:
        work.progress(state="failed", message="The loss is NaN.")
    app = open_page(**TINY)
    assert "AE failed. The loss is NaN." in words(app)
    assert app.button(key="train").label == "Train again: AE"
    assert "AUC, DAE-CutOut" in words(app)
    assert "Its baseline AE is not trained, so there is no relative AUC." in words(app)
    worker.run(baseline, own_lab, "cpu")
    calm(app.run())
    assert "Relative AUC" in words(app)
    assert "train" not in [button.key for button in app.button]


def test_one_test_image_is_counted_in_the_singular(own_lab: Store) -> None:
    one = {"test_limit": "1", "anomaly": "class:7", "encoder": "pixels"}
    for aug in ("identity", "cutout"):
        worker.run(tiny(test_limit="1", aug=aug).run(load("digits")), own_lab, "cpu")
    said = words(open_page(**TINY | one))
    assert "(0 to 1) of 1 test image." in said
    assert "of the 1 image; " in said
    assert 'alt="1 image: ' in said
    assert not re.search(r"\b1 images", said)


def test_a_handful_of_test_images_is_no_evidence(own_lab: Store) -> None:
    few = {"test_limit": "4"}
    for question in (tiny(**few), tiny(aug="identity", **few)):
        worker.run(question.run(load("digits")), own_lab, "cpu")
    said = words(open_page(**TINY | few))
    assert "In this training the augmentation cannot be judged" in said
    assert "fewer than 10 test images of a group: too few to say how sure that is" in said
    assert said.count("too few images for an interval") == 5
    assert "95%" not in said
    bias = open_page("pages/error_bias.py", **TINY | few, pins="")
    assert "9 of 9 classes cannot be judged: fewer than 10 test images of a group" in words(bias)
    assert "DAE-CutOut beside AE: mean AUC" in words(bias)
    worker.run(tiny(aug="cutout(c=0.5)", **few).run(load("digits")), own_lab, "cpu")
    sweep = open_page("pages/what_if.py", **TINY | few, aug="cutout(c=0.5)")
    assert "There is no band: fewer than 10 test images of a group are too few for an interval." in words(sweep)
    (mean,) = (trace for trace in charts(sweep)[0]["data"] if trace.get("name") == "Relative AUC")
    assert mean["customdata"].count("no interval") == 1


def test_a_few_steps_of_the_optimiser_are_no_training(own_lab: Store) -> None:
    long = {"epochs": "50"}
    for question in (tiny(**long), tiny(aug="identity", **long)):
        worker.run(question.run(load("digits")), own_lab, "cpu")
    short, enough = open_page(**TINY), open_page(**TINY | long)
    assert "AE, DAE-CutOut: only 4 steps of the optimiser" in words(short)
    assert "In this training the augmentation cannot be judged" in words(short)
    assert "steps of the optimiser" not in words(enough)
    assert "cannot be judged" not in words(enough)


def test_a_detector_without_a_baseline_finds_something_only_if_it_can_be_judged(own_lab: Store) -> None:
    ap = {"detector": "ap", "aug": "flip"}
    few = LONG | {"test_limit": "4"}
    for sizes, judged in ((LONG, True), (TINY, False), (few, False)):
        worker.run(tiny(**sizes, **ap).run(load("digits")), own_lab, "cpu")
        said = words(open_page(**sizes, **ap))
        assert ("AP-Flip finds CutOut with an AUC of 0." in said) == judged
        assert ("In this training AP-Flip cannot be judged: 0." in said) != judged
        assert ("On fewer than 10 test images of a group: too few to say" in said) == (sizes == few)


@pytest.mark.parametrize(
    ("aug", "shift", "said"),
    [
        ("cutout", -1, "DAE-CutOut is worse than chance, 0.5: it takes the anomalies for more normal"),
        ("cutout", 0, "Both are near chance, 0.5, which the interval includes."),
        ("identity", 0, "This is near chance, 0.5, which the interval includes."),
        ("cutout", 1, None),
    ],
)
def test_what_is_no_better_than_chance_is_said(own_lab: Store, aug: str, shift: float, said: str | None) -> None:
    for question in (tiny(**LONG), tiny(**LONG, aug="identity")):
        run = worker.run(question.run(load("digits")), own_lab, "cpu")
        normal = run.scores["normal"]
        own = shift if question.augment == aug else 0
        write_arrays(run.path / "scores.npz", {**run.scores, "gen:cutout": normal[::-1] + own * np.ptp(normal) * 2})
    app = open_page(**LONG, aug=aug)
    assert ("chance" in words(app)) == (said is not None)
    assert said is None or said in words(app)


def test_the_evidences_table_stays_as_it_is(lab: Path) -> None:
    app = open_page("pages/evidence.py")
    first = app.dataframe[0].proto.SerializeToString()
    assert calm(app.run()).dataframe[0].proto.SerializeToString() == first


def test_the_evidence_has_those_that_do_not_show_the_effect(lab: Path) -> None:
    app = open_page("pages/evidence.py", dataset="digits")
    assert "picked because it does" in words(app)
    assert {"dataset": "digits", "class": "0", "pins": "cutout~flip~invert"}.items() <= address(app).items()
