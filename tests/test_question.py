"""A question and its text forms: addresses and commands give it back, and nonsense in them is reported, never fatal."""

from __future__ import annotations

import json
import random
import shlex
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

import numpy as np
import pytest

from ssad_core import augment, cli
from ssad_core.data import DATASETS, DatasetInfo, load
from ssad_core.detectors import DETECTORS, PRESETS, augs, settings_for
from ssad_core.errors import BadInput
from ssad_core.protocol import PROFILES
from ssad_core.question import (
    Question,
    anomaly_name,
    changed,
    check_augment,
    from_query,
    parse_anomaly,
    parse_call,
    parse_params,
    run_name,
    whole,
)
from ssad_core.spec import PRECISIONS, RANGES, WEIGHT_DECAY, Anomaly, Settings
from ssad_core.store import Store

GENS = [name for name in augment.AUGMENTATIONS if name != "identity"]


def any_params(name: str, rng: random.Random, role: str) -> tuple[tuple[str, float], ...]:
    """Parameters of an augmentation: none, a slider's value, or any number that a person may type."""
    values = {}
    for parameter in augment.AUGMENTATIONS[name].parameters:
        if role != "aug" and parameter.training_only:
            continue
        tidy = round(rng.uniform(parameter.low, parameter.high), 1)
        values[parameter.name] = rng.choice([parameter.default, tidy, rng.uniform(parameter.low, parameter.high)])
    return check_augment(name, {k: v for k, v in values.items() if v is not None}, role=role)


def any_settings(rng: random.Random, detector: str, info: DatasetInfo, aug: str) -> Settings:
    """A preset, some of its settings replaced by anything in their range."""
    overrides = {}
    for name, (low, high) in RANGES.items():
        drawn = rng.randint(low, high) if isinstance(low, int) else rng.uniform(low, high)
        overrides[name] = rng.choice([None, None, low, high, drawn])
    return settings_for(rng.choice(PRESETS), detector, info.name, info.channels, aug, **overrides)


def any_question(rng: random.Random, dataset: str | None = None) -> Question:
    """A question that a person could ask."""
    info = DATASETS[dataset or rng.choice(list(DATASETS))]
    normal = rng.choice(info.classes)
    detector = rng.choice(list(DETECTORS))
    gen, aug = rng.choice(GENS), rng.choice(augs(detector))
    anomalies = [
        Anomaly("gen", gen, any_params(gen, rng, "gen")),
        Anomaly("class", rng.choice([name for name in info.classes if name != normal])),
        *([Anomaly("rest")] if len(info.classes) > 2 else []),
    ]
    return Question(
        dataset=info.name,
        normal_class=normal,
        anomaly=rng.choice(anomalies),
        detector=detector,
        augment=aug,
        params=any_params(aug, rng, DETECTORS[detector].role),
        profile=rng.choice(list(PROFILES)),
        settings=any_settings(rng, detector, info, aug),
        seed=rng.choice([0, 1, rng.randrange(2**31), 2**31 - 1]),
        precision=rng.choice(PRECISIONS),
    )


# -- addresses --------------------------------------------------------------------------------------------------------


def test_an_address_gives_its_question_back() -> None:
    rng = random.Random(0)
    for question in [Question(), *(any_question(rng) for _ in range(300))]:
        query = question.to_query()
        assert from_query(query) == (question, [])
        assert from_query(dict(parse_qsl(urlencode(query), strict_parsing=True))) == (question, [])


def test_an_address_has_every_field_and_none_of_it_is_needed() -> None:
    assert list(Question().to_query()) == [
        *("dataset", "class", "anomaly", "detector", "aug", "profile"),
        *("epochs", "features", "hidden", "batch_size", "limit", "test_limit", "learning_rate", "weight_decay"),
        *("seed", "precision"),
    ]
    assert from_query({}) == (Question(), [])


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(("dataset", "channels"), [("digits", 1), ("fashion_mnist", 1), ("svhn", 3)])
def test_an_address_without_settings_has_those_of_its_detector(dataset: str, channels: int, preset: str) -> None:
    query = {"dataset": dataset, "detector": "deepsad"}
    assert from_query(query)[0].settings == settings_for("quick", "deepsad", dataset, channels)
    question, rejected = from_query({**query, "preset": preset})
    assert (question.settings, rejected) == (settings_for(preset, "deepsad", dataset, channels), [])
    assert question.command().endswith(f"--preset {preset} --seed 0")


def test_fields_are_read_as_people_write_them() -> None:
    query = {
        "dataset": "cifar10",
        "class": "automobile",
        "aug": " cutout ( c = .4 ) ",
        "preset": "standard",
        "epochs": "5",
    }
    question, rejected = from_query(query)
    assert rejected == []
    assert (question.normal_class, question.augment, question.params) == ("Automobile", "cutout", (("c", 0.4),))
    assert question.settings == settings_for("standard", epochs=5)
    assert from_query({"dataset": "cifar10", "class": "3"})[0].normal_class == "Cat"
    assert (
        from_query({"dataset": "fashion_mnist"})[0].normal_class == "T-shirt/top"
    )  # a class of the set, not of photos


BAD = {
    "dataset": ("photoes", "did you mean 'photos'"),
    "class": ("Automobil", "did you mean 'Automobile'"),
    "anomaly": ("gen:cutuot", "did you mean 'cutout'"),
    "detector": ("dea", "did you mean 'dae'"),
    "aug": ("cutout(c=7)", "between 0.1 and 0.9"),
    "profile": ("papper", "did you mean 'paper'"),
    "preset": ("quik", "did you mean 'quick'"),
    "epochs": ("0", "between 1 and 10000"),
    "features": ("16.5", "whole number"),
    "hidden": ("many", "must be a number"),
    "batch_size": ("1", "between 2 and 65536"),
    "limit": ("-1", "between 0 and"),
    "test_limit": ("inf", "whole number"),
    "learning_rate": ("nan", "between 1e-07 and 1.0"),
    "weight_decay": ("-1", "between 0.0 and 1.0"),
    "seed": ("2147483648", "from 0 to 2147483647"),
    "precision": ("bflaot16", "did you mean 'bfloat16'"),
}
GOOD = Question(
    dataset="cifar10",
    normal_class="Horse",
    anomaly=Anomaly("class", "Deer"),
    augment="flip",
    params=(("p", 0.25),),
    profile="reference",
    settings=settings_for("standard", epochs=3, features=5, hidden=7, batch_size=9, limit=11, test_limit=13),
    seed=17,
    precision="bfloat16",
)


@pytest.mark.parametrize("field", BAD)
def test_a_bad_value_is_reported_in_one_line_and_the_other_fields_stay(field: str) -> None:
    text, reason = BAD[field]
    question, rejected = from_query({**GOOD.to_query(), field: text})
    # The data set takes its classes with it: without it the class and the class anomaly are unknown as well.
    assert [line.split(":")[0] for line in rejected] == (
        ["dataset", "class", "anomaly"] if field == "dataset" else [field]
    )
    assert reason in rejected[0]
    expected = {**GOOD.to_query(), field: {"class": "Airplane"}.get(field, Question().to_query().get(field))}
    if field == "dataset":
        expected |= {"class": "temple", "anomaly": "gen:cutout"}
    expected.pop("preset", None)
    assert question.to_query() == expected


def test_every_bad_value_of_many_is_reported() -> None:
    question, rejected = from_query({field: text for field, (text, _) in BAD.items()})
    assert question == Question()
    assert {line.split(":")[0] for line in rejected} == set(BAD)
    assert len(rejected) == len(BAD)
    assert all("\n" not in line for line in rejected)


def test_unknown_fields_are_reported_unless_somebody_else_reads_them() -> None:
    question, rejected = from_query({"datset": "digits", "threshold": "0.5"}, also_known=("threshold",))
    assert question == Question()
    assert len(rejected) == 1
    assert rejected[0].startswith("unknown field 'datset'; did you mean 'dataset'?")


NONSENSE = [
    *(
        "",
        " ",
        "\x00",
        "\n",
        "null",
        "None",
        "nan",
        "-inf",
        "1e999",
        "-0",
        "0x10",
        "9" * 400,
        "1" * 5000,
        "٣",
        "½",
        "²",
    ),
    *(
        "🦆",
        "Ünïcödé",
        "\u202egen",
        "a" * 100_000,
        "((((",
        "))))",
        "gen:",
        "class:",
        ":",
        "gen:cutout(",
        "gen:()",
        "()",
    ),
    *(
        "cutout((c=0.4))",
        "cutout(c=0.4)(c=0.4)",
        "cutout(c=0.4",
        "cutout(c)",
        "cutout(=)",
        "cutout(c=)",
        "cutout(c==1)",
    ),
    *("cutout(c=0.4,c=0.5)", "gen:cutout(c=nan)", "gen:cutout(c=inf)", "gen:flip(p=0.3)", "gen:identity", "rest:"),
    *(
        "cutout\n(c=0.4)x",
        "a" + " " * 100_000 + "b",
        "<script>alert(1)</script>",
        "'; DROP TABLE runs; --",
        "../../etc",
    ),
    *("gen:cutout(" + "c=0.4," * 1000 + ")", "cutout(" + "x" * 1000 + "=1)"),
]


def test_nonsense_never_raises_and_is_never_taken() -> None:
    fields = [*Question().to_query(), "preset"]
    for text in NONSENSE:
        for field in [*fields, text]:
            question, rejected = from_query({field: text})
            assert isinstance(question, Question)
            assert len(rejected) <= 1
            assert all("\n" not in line and len(line) < 500 for line in rejected)
            if not rejected:  # then it was a way to write something
                assert from_query(question.to_query()) == (question, [])
                assert question != Question() or text == "-0"
    rng = random.Random(1)
    alphabet = "0123456789.,:=()-+ \teinfaclsgutohpr%&\u00e4\u2028"
    for _ in range(1000):
        text = "".join(rng.choice(alphabet) for _ in range(rng.randrange(12)))
        question, _ = from_query({rng.choice(fields): text, rng.choice(fields): text})
        assert from_query(question.to_query()) == (question, [])


# -- anomalies and augmentations --------------------------------------------------------------------------------------


def test_every_key_of_an_anomaly_reads_back() -> None:
    for info in DATASETS.values():
        for normal in info.classes:
            others = [Anomaly("class", name) for name in info.classes if name != normal]
            for anomaly in [*others, *([Anomaly("rest")] if len(others) > 1 else [])]:
                assert parse_anomaly(anomaly.key, info.name, normal) == anomaly
    for name in GENS:
        anomaly = Anomaly("gen", name)
        assert parse_anomaly(anomaly.key, "photos", "temple") == anomaly
    for c in (0.1, 0.3, 0.9, 0.1 + 0.2, 1 / 3):
        anomaly = Anomaly("gen", "cutout", (("c", c),))
        assert parse_anomaly(anomaly.key, "photos", "temple") == anomaly


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("class:Horse", "Horse is the normal class; choose another as the anomaly"),
        ("gen:identity", "identity makes no anomalies; choose another gen"),
        ("gen:flip(p=0.3)", "as a gen, flip changes every image and has no p"),
        ("cutout", "an anomaly is gen:NAME, class:NAME or rest, not 'cutout'"),
        ("class:10", "CIFAR-10 has the classes 0 to 9, not 10"),
    ],
)
def test_what_is_no_anomaly_is_said_to_be_none(text: str, line: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_anomaly(text, "cifar10", "Horse")
    assert str(caught.value) == line


def test_of_two_classes_the_rest_is_one_class() -> None:
    with pytest.raises(BadInput, match="Photos has one other class"):
        parse_anomaly("rest", "photos", "temple")


def test_calls_and_parameters_are_parsed() -> None:
    assert parse_call("cutout") == parse_call(" cutout () ") == ("cutout", {})
    assert parse_call("cutout(c=0.4, d = 1e-3)") == ("cutout", {"c": 0.4, "d": 0.001})
    assert parse_params(["c=.4", " d = 2 "]) == {"c": 0.4, "d": 2.0}
    for bad in (["c"], ["=1"], ["c=x"], ["c=1", "c=2"]):
        with pytest.raises(BadInput):
            parse_params(bad)
    assert whole("seed", "1e3") == 1000


# -- commands ---------------------------------------------------------------------------------------------------------


def test_the_command_asks_for_the_same_run(capsys: pytest.CaptureFixture[str]) -> None:
    rng, store = random.Random(2), Store()
    for name in ("photos", "digits"):
        dataset = load(name)
        for question in [any_question(rng, name) for _ in range(15)]:
            spec = question.run(dataset)
            if not store.has(spec.id):
                with store.begin(spec) as work:
                    numbers = "seconds", "train_seconds", "images_per_second", "training_images", "finished"
                    work.publish({**dict.fromkeys(numbers, 0), "auc": {}})
            words = shlex.split(question.command())
            assert words[:3] == ["python", "-m", "ssad_core"]
            # What is stored is answered without the device; another run would end here for want of it.
            assert cli.main([*words[3:], "--json", "--device", "cuda"]) == 0
            assert json.loads(capsys.readouterr().out)["run"] == spec.id


def test_a_command_says_no_more_than_it_must() -> None:
    question = replace(Question(), params=(("c", 0.4),), settings=settings_for("standard"))
    assert question.command() == (
        "python -m ssad_core train --dataset photos --normal-class temple --detector dae --augment cutout "
        "--param c=0.4 --profile paper --preset standard --seed 0"
    )
    quick = replace(question, settings=settings_for("quick", limit=1_000_000, learning_rate=1e-5))
    assert quick.command().endswith("--preset quick --limit 1000000 --learning-rate 1e-05 --seed 0")
    assert (
        replace(quick, precision="bfloat16").command().endswith("--learning-rate 1e-05 --precision bfloat16 --seed 0")
    )
    paper = replace(question, settings=settings_for("paper", epochs=3, limit=500))
    assert paper.command().endswith("--preset paper --epochs 3 --limit 500 --seed 0")
    odd = Question(dataset="fashion_mnist", normal_class="Ankle boot", augment="identity")
    assert "--normal-class 'Ankle boot'" in odd.command()
    assert "--normal-class=-bad " in replace(odd, normal_class="-bad").command()


def test_one_image_is_no_training() -> None:
    question = replace(Question(), settings=settings_for("quick", limit=1))
    with pytest.raises(BadInput, match=r"^training needs at least two images of the normal class; limit is 1$"):
        question.run(load("photos"))
    photos = load("photos")
    lonely = replace(photos, train_labels=np.append(np.ones(len(photos.train_labels) - 1, int), 0))
    with pytest.raises(BadInput, match=r"at least two images of the normal class; temple has 1$"):
        Question().run(lonely)


# -- words ------------------------------------------------------------------------------------------------------------


def test_runs_and_anomalies_are_named_as_in_the_paper() -> None:
    dataset = load("photos")
    names = {
        "AE": Question(augment="identity"),
        "DAE-CutOut": Question(),
        "DAE-CutOut-0.4": Question(params=(("c", 0.4),)),
        "DAE-Flip (p = 0.3)": Question(augment="flip", params=(("p", 0.3),)),
        "DeepSVDD": Question(detector="deepsad", augment="identity"),
        "DeepSAD-CutOut": Question(detector="deepsad"),
    }
    for name, question in names.items():
        assert run_name(question.run(dataset)) == name
    assert anomaly_name(Anomaly("gen", "cutout", (("c", 0.4),))) == "CutOut-0.4"
    assert anomaly_name(Anomaly("class", "Automobile")) == "Automobile"
    assert anomaly_name(Anomaly("rest")) == "all other classes"


def test_another_detector_has_its_own_weight_decay_unless_one_was_set() -> None:
    assert changed(Question(), "detector", "deepsad").settings.weight_decay == WEIGHT_DECAY["deepsad"]
    decays = replace(Question(), settings=settings_for("quick", weight_decay=1e-5))
    assert changed(decays, "detector", "deepsad").settings.weight_decay == 1e-5
