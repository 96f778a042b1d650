"""The testbeds: which trainings and tasks they are, and what is made of them, against scipy and by hand."""

from __future__ import annotations

import html
import json
import math
from collections import Counter
from dataclasses import replace
from itertools import cycle, product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import rankdata, spearmanr, wilcoxon

from ssad_core import cli, worker
from ssad_core.data import load
from ssad_core.detectors import augs, settings_for, with_baseline
from ssad_core.errors import BadInput
from ssad_core.numbers import decimal
from ssad_core.question import Question
from ssad_core.report import draw_gains, draw_settings, trials
from ssad_core.spec import RunSpec, Settings
from ssad_core.statistics import clustered_interval, pseudo_median
from ssad_core.store import Store, StoredRun
from ssad_core.testbed import (
    FAMILIES,
    PAPER_DATASETS,
    WILD,
    Summary,
    agreement_of,
    family_title,
    gains,
    spreads,
    summaries,
    trainings,
    trainings_of,
)

CLASSES = [str(k) for k in range(10)]


SMALL = Settings(1, 4, 8, 16, 0, 0)


def run_of(
    dataset: str, label: int, aug: str, auc: dict[str, float], settings: Settings = SMALL, **other: object
) -> StoredRun:
    """What a finished run says of itself; its images are enough for 100 steps an epoch."""
    spec = replace(RunSpec(dataset, "0" * 16, label, "dae", aug, (), settings), **other)
    return StoredRun(Path(spec.id), spec, {"auc": auc, "warning": None, "training_images": 1600})


def papers() -> list[StoredRun]:
    """A run of each normal class of the paper's data sets and its baseline, with AUCs that nothing measured."""
    rng = np.random.default_rng(0)
    runs = []
    for dataset in PAPER_DATASETS:
        for label in range(10):
            tasks = [f"class:{other}" for other in CLASSES if other != str(label)]
            tasks += ["gen:cutout", "gen:flip", "gen:invert", "rest"]
            for aug in ("identity", "flip"):
                runs.append(run_of(dataset, label, aug, dict(zip(tasks, rng.random(len(tasks)), strict=True))))
    return runs


# -- trainings and tasks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("detector", ["dae", "deepsad"])
def test_one_training_for_each_class_and_aug_serves_them_all(detector: str) -> None:
    digits = load("digits")
    question = Question("digits", "3", detector=detector, settings=settings_for("quick", detector, "digits", 1))
    specs = trainings(question, digits)
    assert len({spec.id for spec in specs}) == len(specs) == 10 * 14  # with DAE and DeepSAD over four such sets 1,120
    assert [spec.normal_class for spec in specs] == sorted([*range(10)] * 14)
    for label in range(10):
        baseline, *others = (spec for spec in specs if spec.normal_class == label)
        assert baseline.is_baseline
        assert {spec.baseline().id for spec in others} == {baseline.id}
        assert ["identity", *(spec.augment for spec in others)] == augs(detector)
    assert replace(question, normal_class="3", augment="blur", params=()).run(digits) in specs
    few = trainings(question, digits, ["flip", "identity"])
    assert [spec.augment for spec in few] == ["identity", "flip"] * 10
    assert set(few) < set(specs)


def test_the_papers_tasks_are_420() -> None:
    found = [gain for gain in gains(papers()) if gain.in_paper]
    assert Counter(gain.family == WILD for gain in found) == {True: 360, False: 60}
    assert Counter(gain.family for gain in found) == {WILD: 360, "gen:cutout": 20, "gen:flip": 20, "gen:invert": 20}
    assert {gain.dataset for gain in found if gain.family != WILD} == {"svhn", "cifar10"}
    assert len(set(found)) == 420


def test_a_gain_is_the_difference_to_the_same_class_and_tasks_baseline() -> None:
    runs = papers()
    auc = {(run.spec.dataset, run.spec.normal_class, run.spec.augment): run.result["auc"] for run in runs}
    for gain in gains(runs):
        of = (gain.dataset, gain.normal_class)
        assert gain.value == auc[*of, "flip"][gain.task] - auc[*of, "identity"][gain.task]


def test_without_its_baseline_or_after_a_collapse_nothing_is_said() -> None:
    runs = [run for run in papers() if run.spec.dataset == "svhn"]
    assert {gain.normal_class for gain in gains(runs[1:])} == set(range(1, 10))
    broken = replace(runs[3], result={**runs[3].result, "warning": "It collapsed."})
    assert {gain.normal_class for gain in gains([*runs[:3], broken, *runs[4:]])} == set(range(10)) - {1}


@pytest.mark.parametrize(
    "other", [{"params": (("c", 0.4),)}, {"seed": 1}, {"profile": "reference"}, {"detector": "deepsad"}]
)
def test_two_trainings_of_one_aug_are_no_two_tasks(other: dict[str, object]) -> None:
    runs = [run_of("svhn", 3, "cutout", {"gen:flip": 0.5}, **changed) for changed in ({}, other)]
    baselines = [replace(run, spec=run.spec.baseline()) for run in runs]
    with pytest.raises(BadInput, match="are both of cutout with the same normal class and settings"):
        gains([*runs, *baselines])
    assert all(len(gains(pair)) == 1 for pair in zip(runs, baselines, strict=True))


# -- what is made of them ---------------------------------------------------------------------------------------------


def test_a_summary_has_scipys_p_and_the_paper_verdicts() -> None:
    runs = papers()
    baselines = [run for run in runs if run.spec.is_baseline]

    def other(run: StoredRun, aug: str, *steps: float) -> StoredRun:
        """Each task some way from the baseline."""
        auc = {task: value + step for (task, value), step in zip(run.result["auc"].items(), cycle(steps), strict=False)}
        return run_of(run.spec.dataset, run.spec.normal_class, aug, auc)

    better = [other(run, "rotate", 0.2) for run in baselines]
    worse = [other(run, "blur", -0.1, -0.2, -0.3) for run in baselines]
    found = [gain for gain in gains([*runs, *better, *worse]) if gain.in_paper]
    for family in FAMILIES:
        rows = summaries(found, family)
        assert [row.aug for row in rows] == ["rotate", "flip", "blur"]
        assert [row.median for row in rows] == sorted((row.median for row in rows), reverse=True)
        verdicts = {row.aug: row.verdict for row in rows}
        assert (verdicts["rotate"], verdicts["blur"]) == ("helpful", "harmful")
        (flip,) = (row for row in rows if row.aug == "flip")
        values = [gain.value for gain in found if (gain.aug, gain.family) == ("flip", family)]
        assert flip.tasks == len(values) == (360 if family == WILD else 20)
        assert flip.classes == (40 if family == WILD else 20)
        method = "exact" if len(values) < 50 else "asymptotic"
        assert flip.p == pytest.approx(wilcoxon(values, alternative="greater", method=method).pvalue)
        assert (flip.median, *flip.interval) == pseudo_median(values)
        assert flip.clustered[0] <= flip.median <= flip.clustered[1]
        of_classes = [
            f"{gain.dataset} {gain.normal_class}" for gain in found if (gain.aug, gain.family) == ("flip", family)
        ]
        assert flip.clustered == clustered_interval(values, np.unique(of_classes, return_inverse=True)[1])
    assert [family_title(family) for family in FAMILIES] == ["gen CutOut", "gen Flip", "gen Invert", "in the wild"]


def six(aug: str, *steps: float, dataset: str = "svhn") -> list[StoredRun]:
    """Baselines of six normal classes with one task each, and runs that are some steps away from them."""
    pairs = [
        (run_of(dataset, k, "identity", {"gen:flip": 0.5}), run_of(dataset, k, aug, {"gen:flip": 0.5 + step}))
        for k, step in enumerate(steps)
    ]
    return [run for pair in pairs for run in pair]


def only(runs: list[StoredRun], family: str = "gen:flip") -> Summary:
    (row,) = summaries(gains(runs), family)
    return row


def test_the_test_wants_six_classes_that_differ() -> None:
    assert only(six("noise", *[0.01 * k for k in range(1, 7)])).verdict == "helpful"
    assert only(six("noise", *[-0.01 * k for k in range(1, 7)])).verdict == "harmful"
    few = only(six("noise", *[-0.01 * k for k in range(1, 6)]))
    assert (few.p, few.interval, few.clustered, few.verdict) == (None, None, None, "too few classes")
    same = only(six("noise", 0, 0, 0, 0, 0, 0))
    assert (same.p, same.verdict, same.median, same.clustered) == (None, "neither", 0, (0, 0))
    assert only(six("noise", 0, 0, 0, 0, 0, -0.001)).p is None  # one that differs would be p = 1


@pytest.mark.parametrize("short", [4, 5])  # a baseline, and what is set against it
def test_where_one_run_is_hardly_trained_the_numbers_stay_without_a_verdict(short: int) -> None:
    runs = six("noise", *[0.01 * k for k in range(1, 7)])
    enough = only(runs)
    runs[short] = replace(runs[short], result={**runs[short].result, "training_images": 1584})
    row = only(runs)
    assert (enough.verdict, row.verdict) == ("helpful", "hardly trained")
    assert replace(row, judged=True) == enough
    assert only(runs[:10]).verdict == "too few classes"
    for summary, said in ((enough, "p = 0.016: helpful"), (row, "p = 0.016: hardly trained")):
        assert said in draw_gains([summary], "").layout.meta["alt"]


def test_tasks_of_one_model_are_one_thing() -> None:
    tasks = {f"class:{k}": 0.5 for k in range(2, 10)}
    better = {task: auc + 0.01 * k for k, (task, auc) in enumerate(tasks.items(), start=1)}
    row = only([run_of("svhn", 1, "identity", tasks), run_of("svhn", 1, "noise", better)], WILD)
    assert (row.tasks, row.classes, row.p, row.clustered, row.verdict) == (8, 1, None, None, "too few classes")


def test_no_p_is_drawn_from_images_that_overlap() -> None:
    steps = [0.01 * k for k in range(1, 7)]
    row = only([*six("noise", *steps), *six("noise", 0.05, 0.06, dataset="photos")])
    assert (row.classes, row.p, row.verdict) == (8, None, "neither")


def test_augs_of_fewer_classes_are_not_ranked_with_the_others() -> None:
    rows = summaries(gains([*six("noise", *[0.01] * 6), *six("blur", 0.2, 0.2), *six("flip", *[0.02] * 6)]), "gen:flip")
    assert [row.aug for row in rows] == ["flip", "noise", "blur"]
    beside = [note.text for note in draw_gains(rows, "").layout.annotations]
    assert beside == ["p = 0.016", "p = 0.016", "2 of 6 classes"]


# -- with other settings ----------------------------------------------------------------------------------------------


def test_each_setting_has_a_baseline_of_its_own() -> None:
    digits = load("digits")
    question = Question("digits", "3", settings=settings_for("quick", "dae", "digits", 1))
    specs = trainings_of(question, digits, ["flip"], ["epochs", "weight_decay"])
    assert [(spec.augment, spec.settings.epochs, spec.settings.weight_decay) for spec in specs] == [
        (aug, epochs, decay) for epochs in (16, 32) for decay in (1e-5, 5e-5) for aug in ("identity", "flip")
    ]
    assert {spec.baseline() for spec in specs[1::2]} == set(specs[::2])
    every = trainings(question, digits, ["flip"], ["epochs", "weight_decay"])
    assert len(every) == 10 * len(specs)
    assert [spec for spec in every if spec.normal_class == 3] == specs


def with_settings(gains_of: dict[str, list[float]], task: str = "gen:flip", label: int = 0) -> list[StoredRun]:
    """Runs that gain so much with the first, second, … settings, and their baselines."""
    runs = []
    for k, values in enumerate(zip(*gains_of.values(), strict=True), start=1):
        settings = replace(SMALL, epochs=k)
        named = {"identity": 0.0, **dict(zip(gains_of, values, strict=True))}
        runs += [run_of("svhn", label, aug, {task: 0.5 + gain}, settings=settings) for aug, gain in named.items()]
    return runs


THREE = {"flip": [0.3, 0.1, 0.2], "blur": [0.0, 0.2, 0.1], "mask": [-0.1, -0.2, -0.3], "noise": [-0.2, -0.3, -0.4]}


def test_a_spread_is_what_an_aug_gains_with_each() -> None:
    found = gains(with_settings(THREE))
    rows = spreads(found)
    assert [row.aug for row in rows] == ["flip", "blur", "mask", "noise"]
    for row in rows:
        assert [row.gains[replace(SMALL, epochs=k)] for k in (1, 2, 3)] == pytest.approx(THREE[row.aug])
        assert row.median == pytest.approx(np.median(THREE[row.aug]))
    assert [row.first for row in rows] == [2, 1, 0, 0]
    orders = [rankdata([THREE[aug][k] for aug in THREE]) for k in range(3)]
    pairs = [spearmanr(orders[i], orders[j]).statistic for i, j in ((0, 1), (0, 2), (1, 2))]
    assert agreement_of(found, "gen:flip") == pytest.approx(np.mean(pairs))
    alt = draw_settings(rows, "").layout.meta["alt"]
    assert alt.startswith("Relative AUC of 4 augs: Flip: +0.200, the median of 3, +0.100 to +0.300, first with 2; ")


def test_where_one_run_is_hardly_trained_none_is_first() -> None:
    *runs, last = with_settings(THREE)
    rows = spreads(gains([*runs, replace(last, result={**last.result, "training_images": 16})]))
    assert [row.first for row in rows] == [None] * 4
    assert [row.gains for row in rows] == [row.gains for row in spreads(gains([*runs, last]))]
    fig = draw_settings(rows, "")
    assert "first with" not in f"{fig.layout.meta['alt']}{[note.text for note in fig.layout.annotations]}"


def test_ties_up_to_rounding_are_first_each() -> None:
    tied = {"flip": [0.3, 0.1 + 0.2], "blur": [0.1 + 0.2, 0.3], "mask": [0.1, 0.3]}  # 0.1 + 0.2 > 0.3
    assert {row.aug: row.first for row in spreads(gains(with_settings(tied)))} == {"flip": 2, "blur": 2, "mask": 1}


def test_augs_of_fewer_settings_are_not_ranked_with_the_others() -> None:
    runs = with_settings(THREE)
    runs += [run_of("svhn", 0, "crop", {"gen:flip": 0.99}, settings=replace(SMALL, epochs=1))]
    found = gains(runs)
    assert [row.aug for row in spreads(found)][-1] == "crop"
    assert [note.text for note in draw_settings(spreads(found), "").layout.annotations][-1] == "1 of 3"
    assert summaries(found, "gen:flip")[-1].aug == "crop"
    assert [note.text for note in draw_gains(summaries(found, "gen:flip"), "").layout.annotations][
        -1
    ] == "1 of 3 settings"


def test_a_task_with_many_settings_is_one_task_of_one_class() -> None:
    runs = [run for label in range(7) for run in with_settings(THREE, label=label)]
    rows = {row.aug: row for row in summaries(gains(runs), "gen:flip")}
    flip = rows["flip"]
    assert (flip.tasks, flip.classes, flip.settings) == (7, 7, 3)
    assert (flip.median, *flip.interval) == pytest.approx(pseudo_median(THREE["flip"] * 7))
    assert flip.clustered == pytest.approx((0.2, 0.2))  # all classes are alike
    assert trials(flip) == "7 tasks of 7 normal classes with 3 settings each, taken for tasks of their own"
    assert flip.verdict == "helpful"


# -- the clustered bootstrap ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_its_medians_are_those_of_the_drawn_clusters(seed: int) -> None:
    rng = np.random.default_rng(seed)
    clusters = np.repeat([0, 1, 2, 3], rng.integers(1, 6, size=4))
    d = rng.normal(size=len(clusters))
    drawn = np.random.default_rng(0).integers(4, size=(40, 4))
    medians = [pseudo_median(np.concatenate([d[clusters == c] for c in row]))[0] for row in drawn]
    assert clustered_interval(d, clusters, draws=40) == pytest.approx(tuple(np.quantile(medians, [0.025, 0.975])))


def test_it_is_wider_where_those_of_a_cluster_go_together_and_else_about_as_wide() -> None:
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(30), 9)
    alone = rng.normal(size=270)
    together = np.repeat(rng.normal(size=30), 9) + 0.01 * alone

    def ratio(d: np.ndarray) -> float:
        _, low, high = pseudo_median(d)
        wide = clustered_interval(d, clusters)
        return (wide[1] - wide[0]) / (high - low)

    assert 0.75 < ratio(alone) < 1.3
    assert 2.2 < ratio(together) < 3.8  # the square root of nine
    assert clustered_interval(alone[:9], clusters[:9]) == pytest.approx((pseudo_median(alone[:9])[0],) * 2)


def test_it_covers_what_is_there_in_nearly_all_samples() -> None:
    rng = np.random.default_rng(1)
    clusters, hits = np.repeat(np.arange(20), 4), 0
    for _ in range(120):
        d = np.repeat(rng.normal(0.3, 1, size=20), 4) + rng.normal(0, 0.3, size=80)
        low, high = clustered_interval(d, clusters, draws=200)
        hits += low <= 0.3 <= high
    assert 0.86 < hits / 120 <= 1


def test_bad_differences_are_refused() -> None:
    for d in ([], [0.1, math.nan]):
        with pytest.raises(BadInput):
            clustered_interval(d, [0] * len(d))


# -- the command ------------------------------------------------------------------------------------------------------


def test_the_command_trains_what_is_missing_once_and_says_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tiny = ["--epochs", "1", "--features", "4", "--hidden", "8", "--limit", "64", "--test-limit", "20"]
    command = ["testbed", "--dataset", "photos", "--augment", "flip", "noise", *tiny, "--json"]
    assert cli.main([*command, "--stored"]) == 0
    nothing = capsys.readouterr()
    assert json.loads(nothing.out) == []
    assert "0 of 6 runs are stored" in nothing.err
    out = tmp_path / "gains.html"
    assert cli.main([*command, "--out", str(out)]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["family"] for row in rows] == [family for family in FAMILIES for _ in range(2)]
    assert {(row["aug"], row["tasks"], row["classes"]) for row in rows} == {("flip", 2, 2), ("noise", 2, 2)}
    assert all((row["interval"], row["p"], row["verdict"]) == (None, None, "too few classes") for row in rows)
    page = out.read_text()
    assert all(family_title(family) in page for family in FAMILIES)
    # Now it is all there, and a table in words.
    assert cli.main([*command[:-1], "--stored"]) == 0
    said = capsys.readouterr()
    assert said.out.count("2 tasks of 2 normal classes") == len(rows)
    assert "6 of 6 runs are stored" in said.err


def test_the_command_varies_settings_and_says_whether_the_order_holds(capsys: pytest.CaptureFixture[str]) -> None:
    tiny = ["--epochs", "4", "--features", "4", "--hidden", "8", "--limit", "64", "--test-limit", "40"]
    tiny += ["--learning-rate", "0.01", "--batch-size", "8"]  # else all gain the same, which is no order
    augs = ["--augment", "flip", "noise", "cutout", "invert"]
    command = ["testbed", "--dataset", "photos", *augs, *tiny, "--vary", "epochs"]
    assert cli.main([*command, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {(row["tasks"], row["classes"], row["settings"]) for row in rows} == {(2, 2, 2)}
    orders = {row["family"]: row["agreement"] for row in rows}
    assert all(-1 <= order <= 1 for order in orders.values())
    assert cli.main([*command, "--stored"]) == 0
    said = capsys.readouterr()
    assert "20 of 20 runs are stored" in said.err
    assert said.out.count(
        "2 tasks of 2 normal classes with 2 settings each, taken for tasks of their own: too few classes"
    ) == len(rows)
    for order in orders.values():
        assert f"order of augs: mean rank correlation {decimal(order, 2)} between two settings" in said.out


def parts(folder: Path) -> Path:
    """Images of nuts and bolts, three of each for training and three for testing."""
    rng = np.random.default_rng(0)
    for split, label, k in product(("train", "test"), ("nuts", "bolts"), range(3)):
        path = folder / "parts" / split / label / f"{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)).save(path)
    return folder / "parts"


def test_own_images_are_a_testbed_too(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "gains.html"
    tiny = ["--epochs", "1", "--features", "4", "--hidden", "8"]
    command = ["testbed", "--dataset", f"folder:{parts(tmp_path)}", "--augment", "flip", "flip", *tiny]
    assert cli.main([*command, "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert "4 of 4 runs are stored" in said.err
    assert said.out.count("2 tasks of 2 normal classes: too few classes") == len(FAMILIES)
    assert "parts, gen CutOut" in out.read_text()


def test_a_list_may_be_given_in_pieces_and_counts_each_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    own = f"folder:{parts(tmp_path)}"
    lists = {"--dataset": (own, f"{own}/"), "--augment": ("flip", "noise"), "--vary": ("epochs", "features")}
    pieces = [word for option, (one, other) in lists.items() for word in (option, one, option, other, one)]
    assert cli.main(["testbed", "--stored", *pieces]) == 0
    # Of two classes the baseline and two augs, with four settings each.
    assert "0 of 24 runs are stored" in capsys.readouterr().err


def test_the_heading_names_the_preset_and_what_is_changed_of_it(tmp_path: Path, own_cache: Path) -> None:
    source, out = f"folder:{parts(tmp_path)}", tmp_path / "gains.html"
    dataset, quick = load(source), settings_for("quick")
    for changes in ({}, {"epochs": 4, "limit": 2}, {"epochs": 2}, {"epochs": 2, "weight_decay": 1e-5}):
        question = Question(source, "nuts", augment="flip", settings=replace(quick, **changes))
        for spec in with_baseline(question.run(dataset)):
            worker.run(spec, Store(own_cache), "cpu")
    command = ["testbed", "--dataset", source, "--augment", "flip", "--stored", "--out", str(out)]
    decays = ["--vary", "weight_decay", "--weight-decay", "0.1"]
    for options, how in {
        ("--epochs", str(quick.epochs)): "preset quick",
        ("--epochs", "4", "--limit", "2"): "preset quick, changed: epochs 4, training images 2",
        ("--epochs", "4", "--vary", "epochs"): "preset quick, changed: epochs 2 and 4",
        ("--epochs", "2", *decays): "preset quick, changed: epochs 2, weight decay 1e-05 and 5e-05",
    }.items():
        assert cli.main([*command, *options]) == 0
        title = html.unescape(out.read_text()).partition("<title>")[2].partition("</title>")[0]
        assert title == f"parts, gen CutOut DAE, profile paper, seed 0, {how}"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--detector", "ap"], "AP has no baseline, so no relative AUC"),
        (["--dataset", "photos", "--augment", "flap"], "unknown augmentation 'flap'; did you mean 'flip'"),
        (["--dataset", "fotos"], "unknown data set 'fotos'; did you mean 'photos'"),
        (["--dataset", "photos", "--preset", "fast"], "unknown preset 'fast'"),
        (["--dataset", "photos", "--seed", "x"], "seed"),
        (["--dataset", "photos", "--vary", "epoch"], "unknown setting to vary 'epoch'; did you mean 'epochs'"),
        (["--out", "gains.png"], "its file ends in .html"),
        (["--out", "nowhere/gains.html"], "there is no folder 'nowhere' to write gains.html into"),
        (["--dataset", "photos", "--stored", "--out", "gains.html"], "nothing to draw"),
    ],
)
def test_what_it_cannot_do_is_one_line(options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["testbed", *options]) == 2
    said_lines = capsys.readouterr().err.splitlines()
    lines = [line for line in said_lines if line.strip() and "runs are stored" not in line and "%|" not in line]
    assert len(lines) == 1
    assert said in lines[0]
