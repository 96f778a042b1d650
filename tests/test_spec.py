"""A run's identity: one for each request, whoever writes it and however, and another one for anything else."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import asdict, replace

import pytest

from ssad_core.detectors import DETECTORS, PRESETS, preset_of, presets_for, settings_for
from ssad_core.errors import BadInput
from ssad_core.paths import ROOT
from ssad_core.protocol import METHOD_VERSION
from ssad_core.question import check_augment
from ssad_core.spec import GPU_PARTS, OVERRIDABLE, RANGES, WEIGHT_DECAY, Anomaly, RunSpec, Settings, exact

QUICK = settings_for("quick")
SETS = [("photos", 3), ("cifar10", 3), ("digits", 1), ("fashion_mnist", 1), ("folder:x", 1)]
SPEC = RunSpec(
    dataset="cifar10",
    fingerprint="0123456789abcdef",
    normal_class=1,
    detector="dae",
    augment="cutout",
    params=(("c", 0.4),),
    settings=QUICK,
    seed=3,
)


# -- one request, one id ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "same",
    [
        replace(SPEC, settings=Settings(**asdict(QUICK))),
        replace(SPEC, settings=settings_for("quick", epochs=QUICK.epochs, learning_rate=1e-3, hidden=None)),
        replace(SPEC, settings=settings_for("standard", **asdict(QUICK))),
        replace(SPEC, settings=settings_for("quick", epochs=float(QUICK.epochs), limit=float(QUICK.limit))),
        replace(SPEC, params=[("c", 0.4)]),
        replace(SPEC, params=check_augment("cutout", {"c": 0.4})),
        replace(SPEC, profile="paper", method=METHOD_VERSION),
        RunSpec.from_dict(SPEC.to_dict()),
        RunSpec.from_dict(json.loads(SPEC.canonical())),
        RunSpec.from_dict(dict(reversed(SPEC.to_dict().items()))),
    ],
)
def test_the_same_request_has_the_same_id_however_it_is_written(same: RunSpec) -> None:
    assert same == SPEC
    assert same.canonical() == SPEC.canonical()
    assert same.id == SPEC.id


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"settings": settings_for("quick", learning_rate=1)}, {"settings": settings_for("quick", learning_rate=1.0)}),
        ({"augment": "flip", "params": (("p", 0),)}, {"augment": "flip", "params": (("p", -0.0),)}),
        ({"params": (("a", 1), ("b", 2))}, {"params": (("b", 2.0), ("a", 1.0))}),
    ],
)
def test_equal_numbers_in_any_order_are_one_request(one: dict, other: dict) -> None:
    assert replace(SPEC, **one).id == replace(SPEC, **other).id


def test_parameters_at_their_default_are_no_part_of_a_request() -> None:
    assert check_augment("flip", {"p": 0.5}) == check_augment("flip", {}) == ()
    assert check_augment("flip", {"p": 0.4}) == (("p", 0.4),)


def test_anything_else_is_another_run() -> None:
    changed = [
        replace(SPEC, dataset="svhn"),
        replace(SPEC, fingerprint="fedcba9876543210"),
        replace(SPEC, normal_class=2),
        replace(SPEC, detector="deepsad"),
        replace(SPEC, augment="flip", params=()),
        replace(SPEC, params=()),
        replace(SPEC, params=(("c", 0.4000001),)),
        replace(SPEC, seed=4),
        replace(SPEC, profile="reference"),
        replace(SPEC, precision="bfloat16"),
        replace(SPEC, method=METHOD_VERSION + 1),
        *(replace(SPEC, settings=replace(SPEC.settings, **{name: RANGES[name][1]})) for name in OVERRIDABLE),
    ]
    assert len({spec.id for spec in (SPEC, *changed)}) == len(changed) + 1
    assert set(asdict(SPEC)) == {  # a new field wants a line above
        *("dataset", "fingerprint", "normal_class", "detector", "augment", "params", "settings", "seed"),
        *("profile", "precision", "method"),
    }


def test_the_id_is_sixteen_hex_digits_and_the_same_in_every_process() -> None:
    assert len(SPEC.id) == 16
    assert set(SPEC.id) <= set("0123456789abcdef")
    code = f"from ssad_core.spec import RunSpec; print(RunSpec.from_dict({SPEC.to_dict()!r}).id)"
    for seed in ("0", "1"):
        out = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert out.stdout.strip() == SPEC.id


def test_the_canonical_text_is_plain_json() -> None:
    text = SPEC.canonical()
    assert " " not in text
    rough = replace(SPEC, precision="bfloat16", settings=settings_for("quick", weight_decay=1e-5))
    assert json.loads(rough.canonical()) == rough.to_dict()
    assert list(json.loads(text)) == sorted({*SPEC.to_dict()} - {"precision"})
    assert json.loads(text)["params"] == {"c": 0.4}


def test_runs_that_were_stored_before_there_were_precisions_and_decays_keep_their_id() -> None:
    stored = {name: value for name, value in SPEC.to_dict().items() if name != "precision"}
    del stored["settings"]["weight_decay"]
    assert RunSpec.from_dict(stored) == SPEC
    assert (
        SPEC.id == hashlib.sha256(json.dumps(stored, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]
    )


@pytest.mark.parametrize(
    "damage", [{"params": None}, {"settings": {}}, {"extra": 1}, {"params": {"c": "x"}}, {"seed": -1}]
)
def test_what_is_no_description_is_refused(damage: dict) -> None:
    with pytest.raises(BadInput):
        RunSpec.from_dict({**SPEC.to_dict(), **damage})
    with pytest.raises(BadInput, match="not a run's description"):
        RunSpec.from_dict({name: value for name, value in SPEC.to_dict().items() if name != "dataset"})


# -- baseline ---------------------------------------------------------------------------------------------------------


def test_the_baseline_is_the_same_run_without_augmentation() -> None:
    baseline = SPEC.baseline()
    assert baseline.augment == "identity"
    assert baseline.params == ()
    assert replace(baseline, augment=SPEC.augment, params=SPEC.params) == SPEC
    assert baseline.is_baseline
    assert not SPEC.is_baseline
    assert baseline.baseline().id == baseline.id != SPEC.id
    assert replace(SPEC, augment="flip", params=()).baseline().id == baseline.id  # one serves all augs


# -- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("detector", ["dae", "deepsad"])
@pytest.mark.parametrize("images", SETS, ids=str)
def test_presets_are_known_by_their_settings(preset: str, detector: str, images: tuple[str, int]) -> None:
    sized_for = detector, *images
    assert tuple(presets_for(*sized_for)) == PRESETS
    assert preset_of(settings_for(preset, *sized_for), *sized_for) == preset
    assert preset_of(settings_for(preset, *sized_for, epochs=7), *sized_for) is None


def test_the_preset_paper_is_the_papers() -> None:
    assert asdict(settings_for("paper")) == {  # App. A, and METHOD's "(code)"
        **{"epochs": 256, "features": 64, "hidden": 256, "batch_size": 1024, "limit": 0, "test_limit": 0},
        **{"learning_rate": 1e-3, "weight_decay": 0.0},
    }
    own = {"mnist": (8, 32), "digits": (8, 32), "fashion_mnist": (16, 64), "svhn": (32, 128), "photos": (32, 128)}
    for dataset, (features, hidden) in own.items():
        channels = 3 if dataset in ("svhn", "photos") else 1
        assert asdict(settings_for("paper", "deepsad", dataset, channels)) == {
            **{"epochs": 150, "features": features, "hidden": hidden, "batch_size": 128, "limit": 0, "test_limit": 0},
            **{"learning_rate": 1e-4, "weight_decay": 0.5e-6},
        }


@pytest.mark.parametrize(
    ("detector", "run_id"), [("dae", "39f7c02f93d026e6"), ("deepsad", "df267d7fe2a13c04"), ("ap", "65e3fea591909a94")]
)
def test_runs_that_are_stored_keep_their_ids(detector: str, run_id: str) -> None:
    old = RunSpec("photos", "0123456789abcdef", 0, detector, "cutout", (), settings_for("quick", detector))
    assert old.id == run_id


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_run_without_a_weight_decay_has_its_detectors_own(detector: str) -> None:
    spec = replace(SPEC, detector=detector, settings=settings_for("quick", detector))
    stored = spec.to_dict()
    del stored["settings"]["weight_decay"]
    assert RunSpec.from_dict(stored) == spec
    decays = [0.0, *WEIGHT_DECAY.values()]
    others = {replace(spec, settings=replace(spec.settings, weight_decay=decay)).id for decay in decays}
    assert len(others) == len(set(decays))


@pytest.mark.parametrize("name", OVERRIDABLE)
def test_settings_keep_to_their_ranges(name: str) -> None:
    low, high = RANGES[name]
    for value in (low, high):
        kept = getattr(settings_for("quick", **{name: value}), name)
        assert kept == value
        assert type(kept) is type(low)
    bad = [low - 1, high + 1, high * 10**400 if isinstance(high, int) else float("inf"), float("nan"), True, "12", []]
    for value in [*bad, *([low + 0.5] if isinstance(low, int) else [])]:
        with pytest.raises(BadInput) as caught:
            settings_for("quick", **{name: value})
        assert str(caught.value).startswith(f"{name} must be a ")
        assert len(str(caught.value)) < 150


def test_unknown_presets_profiles_and_precisions_get_the_nearest() -> None:
    with pytest.raises(BadInput, match="did you mean 'quick'"):
        settings_for("quik")
    with pytest.raises(BadInput, match="did you mean 'reference'"):
        replace(SPEC, profile="referense")
    with pytest.raises(BadInput, match="did you mean 'bfloat16'"):
        replace(SPEC, precision="bfloat")


@pytest.mark.parametrize("seed", [-1, 2**31, 1.0, True, "0", None])
def test_a_seed_is_a_whole_number(seed: object) -> None:
    with pytest.raises(BadInput, match="seed must be a whole number"):
        replace(SPEC, seed=seed)


# -- anomalies and numbers --------------------------------------------------------------------------------------------


def test_anomalies_have_one_key_each() -> None:
    anomalies = {
        "gen:cutout": Anomaly("gen", "cutout"),
        "gen:cutout(c=0.4)": Anomaly("gen", "cutout", (("c", 0.4),)),
        "gen:cutout(c=0.4000001)": Anomaly("gen", "cutout", (("c", 0.4000001),)),
        "gen:x(a=1,b=2)": Anomaly("gen", "x", (("b", 2.0), ("a", 1.0))),
        "class:T-shirt/top": Anomaly("class", "T-shirt/top"),
        "rest": Anomaly("rest"),
    }
    for key, anomaly in anomalies.items():
        assert anomaly.key == key
        assert anomaly.paired == key.startswith("gen:")


@pytest.mark.parametrize("value", [0, 1, 32, 10_000_000, 0.1, 0.1 + 0.2, 1 / 3, 1e-7, 123456.789, 1e22])
def test_numbers_are_written_short_and_exactly(value: float) -> None:
    assert float(exact(value)) == value
    assert len(exact(value)) <= len(repr(value))
    if value == int(value) < 1e16:
        assert int(exact(value)) == value


def test_small_layers_are_trained_on_one_thread() -> None:
    assert [settings_for(name).threads(8) for name in PRESETS] == [1, 8, 8]


def test_small_networks_share_a_gpu() -> None:
    assert [settings_for(name).gpu_share for name in PRESETS] == [1, 1, GPU_PARTS]
