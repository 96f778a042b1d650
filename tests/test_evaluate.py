"""Runs trained on real images, small: their AUCs by scikit-learn, what is kept of them, and what the views show."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from sklearn.metrics import average_precision_score, roc_auc_score, silhouette_score
from sklearn.neighbors import NearestNeighbors

from ssad_core import augment, worker
from ssad_core.data import Dataset, load
from ssad_core.detectors import build, settings_for
from ssad_core.encoders import at_once
from ssad_core.errors import BadInput
from ssad_core.evaluate import LIVE_LIMIT, PICTURES, SNAPSHOTS, Live, anomaly_results, examine_stored, to_bytes
from ssad_core.histogram import threshold_at_fpr
from ssad_core.mmd import estimate
from ssad_core.question import Question, run_name
from ssad_core.report import draw
from ssad_core.samples import VIEW_LIMIT, Samples, to_float
from ssad_core.spec import CONTROLLED, LIVE, Anomaly, RunSpec
from ssad_core.store import Damaged, Store, StoredRun
from ssad_core.views import APART, GROUPS, Comparison, same_sample, score_table

CUTOUT4 = Anomaly("gen", "cutout", (("c", 0.4),))


@dataclass(frozen=True)
class Trained:
    """A run and its baseline on one data set."""

    run: StoredRun
    baseline: StoredRun
    dataset: Dataset

    @property
    def samples(self) -> Samples:
        return Samples.of(self.run.spec, self.dataset)

    def against(self, anomaly: Anomaly) -> Comparison:
        return Comparison(self.run, self.baseline, anomaly, self.dataset)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Trained]]:
    """Digits: ten classes of 58 test images, more training than test images. Photos: two classes, in colour."""
    tiny = settings_for("quick", epochs=8, features=4, hidden=16, batch_size=16)
    questions = {
        "digits": Question("digits", "8", settings=replace(tiny, limit=100, test_limit=58)),
        "photos": Question("photos", "temple", augment="flip", settings=replace(tiny, limit=90, test_limit=70)),
    }
    threads, cache = torch.get_num_threads(), tmp_path_factory.mktemp("cache")
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSAD_CACHE_DIR", str(cache))
        for name, question in questions.items():
            dataset = load(name)
            spec = question.run(dataset)
            found[name] = Trained(*(worker.run(s, Store(), "cpu") for s in (spec, spec.baseline())), dataset)
    yield found
    torch.set_num_threads(threads)


@pytest.fixture(params=["digits", "photos"])
def each(trained: dict[str, Trained], request: pytest.FixtureRequest) -> Trained:
    return trained[request.param]


@pytest.fixture
def digits(trained: dict[str, Trained]) -> Trained:
    return trained["digits"]


@pytest.fixture
def copied(digits: Trained, tmp_path: Path) -> Trained:
    """The digits' runs in a place of their own, to be changed."""
    runs = [replace(run, path=shutil.copytree(run.path, tmp_path / run.id)) for run in (digits.run, digits.baseline)]
    return Trained(*runs, digits.dataset)


def theirs(normal: np.ndarray, anomalous: np.ndarray) -> tuple[float, float]:
    """AUC and average precision by scikit-learn."""
    labels, scores = np.repeat([0, 1], [len(normal), len(anomalous)]), np.concatenate([normal, anomalous])
    return roc_auc_score(labels, scores), average_precision_score(labels, scores)


# -- the detector's contract ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
def test_dae_compares_whatever_is_shown_with_itself_and_learns_to_undo_aug(channels: int) -> None:
    torch.manual_seed(0)
    settings = settings_for("quick", features=4, hidden=8)
    detector = build(RunSpec("photos", "0", 0, "dae", "cutout", (), settings), channels)
    detector.network.eval()
    x = torch.rand(6, channels, 32, 32)
    augmented = augment.get("cutout")(x, torch.Generator().manual_seed(1))
    with torch.no_grad():
        reconstruction, code = detector.network(augmented), detector.network.encode(augmented)
        loss = detector.loss(x, torch.zeros(6, dtype=torch.long), torch.Generator().manual_seed(1))
    assert loss.item() == pytest.approx(np.mean((reconstruction.numpy() - x.numpy()) ** 2), rel=1e-5)
    found = detector.examine(augmented)
    expected = np.mean((reconstruction.numpy() - augmented.numpy()) ** 2, axis=(1, 2, 3))
    np.testing.assert_allclose(found.scores, expected, rtol=1e-5)
    assert torch.equal(found.codes, code)
    assert torch.equal(found.explanation, reconstruction)
    assert not found.scores.requires_grad


# -- what a run keeps -------------------------------------------------------------------------------------------------


def test_aucs_are_scikit_learns_on_the_stored_scores(each: Trained) -> None:
    for run in (each.run, each.baseline):
        tasks = [*CONTROLLED, *each.samples.classes(), Anomaly("rest")]
        assert set(run.result["auc"]) == {anomaly.key for anomaly in tasks}
        for anomaly in tasks:
            scores, _ = anomaly_results(run, anomaly, each.dataset)
            expected, _ = theirs(run.scores["normal"], scores)
            assert run.result["auc"][anomaly.key] == pytest.approx(expected, abs=1e-12), anomaly.key


def test_even_so_small_it_finds_what_is_easy(digits: Trained) -> None:
    assert digits.run.result["auc"]["gen:invert"] > 0.95
    assert digits.run.result["loss"][-1] < 0.9 * digits.run.result["loss"][0]


def test_against_the_rest_is_all_other_classes_and_of_equal_counts_the_mean_of_the_pairs(digits: Trained) -> None:
    rest, codes = anomaly_results(digits.run, Anomaly("rest"), digits.dataset)
    parts = [anomaly_results(digits.run, anomaly, digits.dataset) for anomaly in digits.samples.classes()]
    assert {len(scores) for scores, _ in parts} == {58}
    np.testing.assert_array_equal(rest, np.concatenate([scores for scores, _ in parts]))
    np.testing.assert_array_equal(codes, np.concatenate([codes for _, codes in parts]))
    auc = digits.run.result["auc"]
    assert auc["rest"] == pytest.approx(np.mean([auc[a.key] for a in digits.samples.classes()]), abs=1e-12)


def test_on_cifar10_against_the_rest_is_the_mean_of_the_pairs(
    shared_data: Path, cifar10_cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSAD_DATA_DIR", str(shared_data))
    monkeypatch.setenv("SSAD_CACHE_DIR", str(cifar10_cache))
    settings = settings_for("quick", epochs=1, features=4, hidden=16, limit=100, test_limit=50)
    spec = Question("cifar10", "Automobile", augment="flip", settings=settings).run(load("cifar10"))
    auc = worker.run(spec, Store(tmp_path), "cpu").result["auc"]
    pairs = [value for key, value in auc.items() if key.startswith("class:")]
    assert len(pairs) == 9
    assert auc["rest"] == pytest.approx(np.mean(pairs), abs=1e-12)


def test_scores_and_codes_of_every_image_are_kept(each: Trained) -> None:
    samples, spec = each.samples, each.run.spec
    train = samples.train_shown()
    images = {
        "train normal": to_float(train),
        "train augmented": samples.augmented(train, spec.augment, spec.profile, dict(spec.params)),
        "normal": to_float(samples.test_normal()),
        **{a.key: samples.anomalous(a, spec.profile) for a in [*CONTROLLED, *samples.classes()]},
    }
    assert set(each.run.scores) == set(each.run.codes) == set(images)
    for group, x in images.items():
        found = examine_stored(each.run, x)
        np.testing.assert_allclose(each.run.scores[group], found.scores, rtol=1e-5)
        np.testing.assert_allclose(each.run.codes[group], found.codes, atol=1e-5)
        assert each.run.codes[group].shape == (len(x), spec.settings.hidden)


def test_run_and_baseline_are_scored_on_the_same_images(each: Trained) -> None:
    for group, scores in each.run.scores.items():
        assert scores.shape == each.baseline.scores[group].shape
    a, b = (Samples.of(run.spec, each.dataset) for run in (each.run, each.baseline))
    for anomaly in [*CONTROLLED, CUTOUT4, Anomaly("rest")]:
        assert torch.equal(a.anomalous(anomaly, "paper"), b.anomalous(anomaly, "paper"))


def test_a_gen_of_its_own_parameters_is_computed_once_and_kept(copied: Trained) -> None:
    assert CUTOUT4.key not in copied.run.scores
    scores, codes = anomaly_results(copied.run, CUTOUT4, copied.dataset)
    found = examine_stored(copied.run, copied.samples.anomalous(CUTOUT4, "paper"))
    np.testing.assert_array_equal(scores, found.scores)
    np.testing.assert_array_equal(codes, found.codes)

    copied.run.weights.unlink()  # from here on nothing can be computed
    fresh = StoredRun(copied.run.path, copied.run.spec, copied.run.result)
    kept = anomaly_results(fresh, CUTOUT4, copied.dataset)
    np.testing.assert_array_equal(kept[0], scores)
    np.testing.assert_array_equal(kept[1], codes)
    with pytest.raises(Damaged):
        anomaly_results(fresh, Anomaly("gen", "cutout", (("c", 0.5),)), copied.dataset)
    save_file({"encoder.weight": np.zeros((2, 2), np.float32)}, copied.run.weights)
    with pytest.raises(Damaged, match=f"{copied.run.id}/weights.safetensors is of another network; delete the run"):
        anomaly_results(fresh, Anomaly("gen", "cutout", (("c", 0.5),)), copied.dataset)


# -- while it trains --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("epochs", [1, 2, 5, 6, 12, 32, 256, 10_000])
def test_it_is_looked_at_first_last_and_evenly_between(epochs: int) -> None:
    live = Live({}, pictures=True)
    due = [epoch for epoch in range(1, epochs + 1) if live.due(epoch, epochs)]
    assert due[0] == 1
    assert due[-1] == epochs
    assert len(due) == min(epochs, max(2, epochs // 2), SNAPSHOTS)
    assert len(due) < 3 or np.ptp(np.diff(due)) <= 1


def test_the_history_is_of_fixed_images_and_ends_as_the_run_does(digits: Trained) -> None:
    run, history = digits.run, digits.run.history
    epochs = history["epochs"].tolist()
    assert epochs == [epoch for epoch in range(1, 9) if Live({}, pictures=True).due(epoch, 8)]
    kinds = ["normal", *(anomaly.key for anomaly in LIVE)]
    assert set(history) == {"epochs", *(f"{what}/{k}" for what in ("scores", "images", "originals") for k in kinds)}
    for gen in LIVE[:-1]:
        scores = history[f"scores/{gen.key}"]
        assert scores.shape == (len(epochs), 58)
        np.testing.assert_allclose(scores[-1], run.scores[gen.key], rtol=1e-5)
        assert history[f"images/{gen.key}"].shape == (len(epochs), PICTURES, 1, 32, 32)
        originals = digits.samples.anomalous(gen, "paper")[:PICTURES]
        np.testing.assert_array_equal(history[f"originals/{gen.key}"], to_bytes(originals))
        found = examine_stored(run, originals).explanation
        assert np.abs(history[f"images/{gen.key}"][-1] - found.numpy() * 255).max() < 0.51
    assert history["scores/rest"].shape == (len(epochs), LIVE_LIMIT)
    assert set(run.result["live_auc"]) == {anomaly.key for anomaly in LIVE}
    for kind, values in run.result["live_auc"].items():
        assert [epoch for epoch, _ in values] == epochs
        expected, _ = theirs(history["scores/normal"][-1], history[f"scores/{kind}"][-1])
        assert values[-1][1] == pytest.approx(expected, abs=1e-12)


def test_pictures_are_rounded_and_clipped() -> None:
    assert to_bytes(torch.tensor([-1.0, 0.0, 0.4999 / 255, 0.501 / 255, 1.0, 2.0])).tolist() == [0, 0, 0, 1, 255, 255]
    every = torch.arange(256) / 255
    assert to_bytes(every).tolist() == list(range(256))


# -- the views --------------------------------------------------------------------------------------------------------


def anomalies(case: Trained) -> list[Anomaly]:
    rest = [Anomaly("rest")] if len(case.samples.classes()) > 1 else []
    return [*CONTROLLED, CUTOUT4, case.samples.classes()[0], *rest]


def test_four_groups_of_points_with_their_own_pictures_and_stored_scores(each: Trained) -> None:
    for anomaly in anomalies(each):
        comparison = each.against(anomaly)
        views = comparison.views()
        n = len(each.run.scores["normal"])
        total = len(anomaly_results(each.run, anomaly, each.dataset)[0])
        assert np.bincount(views.group).tolist() == [n, n, n, min(total, VIEW_LIMIT)]
        assert len(views.originals) == len(views.pair) == len(views.labels) == len(views.group)
        x = to_float(views.originals)
        assert [view.name for view in views.detectors] == ["AE", run_name(each.run.spec)]
        for view, run in zip(views.detectors, (each.baseline, each.run), strict=True):
            # The picture of a point is the picture that its stored score is of.
            found = examine_stored(run, x)
            np.testing.assert_allclose(view.scores, found.scores, rtol=1e-4, atol=1e-7)
            np.testing.assert_allclose(view.errors, (x - found.explanation).abs().mean(1), atol=1e-5)
            assert np.abs(view.explanations - found.explanation.numpy() * 255).max() < 0.51
        for group, stored in {0: "train normal", 2: "normal", 3: anomaly.key}.items():
            if stored in each.run.scores:
                scores = views.scores(1)[GROUPS[group]]
                np.testing.assert_array_equal(scores, each.run.scores[stored][: len(scores)])
        np.testing.assert_array_equal(views.scores(1)["train augmented"], each.run.scores["train augmented"][:n])


def test_points_know_the_same_image_before_and_after(each: Trained) -> None:
    views = each.against(Anomaly("gen", "invert")).views()
    points = np.arange(len(views.group))
    assert (views.pair >= 0).all()
    np.testing.assert_array_equal(views.pair[views.pair], points)
    np.testing.assert_array_equal(views.group[views.pair], np.array([1, 0, 3, 2])[views.group])
    test = views.group >= 2
    np.testing.assert_array_equal(views.originals[views.pair][test], 255 - views.originals[test])
    assert set(views.labels) == {each.dataset.info.classes[each.run.spec.normal_class]}


def test_points_of_other_classes_have_no_pair_and_their_own_label(digits: Trained) -> None:
    views = digits.against(Anomaly("rest")).views()
    anomalous = np.flatnonzero(views.group == 3)
    assert len(anomalous) == VIEW_LIMIT < 9 * 58
    assert (views.pair[views.group >= 2] == -1).all()
    assert (views.pair[views.group < 2] >= 0).all()
    labels = [views.labels[i] for i in anomalous]
    assert set(labels) == set("012345679")
    assert max(map(labels.count, set(labels))) - min(map(labels.count, set(labels))) <= 1  # as many of each
    for digit in "09":
        own = {image.tobytes() for image in digits.samples.test_class(int(digit))}
        assert {
            views.originals[i].tobytes() for i, label in zip(anomalous, labels, strict=True) if label == digit
        } <= own
    single = digits.against(Anomaly("class", "3")).views()
    assert [single.labels[i] for i in np.flatnonzero(single.group == 3)] == ["3"] * 58
    assert single.labels[:174] == ["8"] * 174


@pytest.mark.parametrize("anomaly", [Anomaly("rest"), Anomaly("gen", "flip")], ids=lambda a: a.key)
def test_figures_are_of_all_test_images_and_say_what_they_show(
    each: Trained, anomaly: Anomaly, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("samples", "views"):
        monkeypatch.setattr(f"ssad_core.{module}.VIEW_LIMIT", 40)
    comparison = each.against(anomaly)
    views = comparison.views()
    normal, anomalous = np.bincount(views.group)[2:]
    assert (normal, anomalous) == (40, 40)
    total = len(comparison.test_scores()[-1][1])
    assert comparison.shown == (
        f"Shown: 40 of {len(each.run.scores['normal'])} test normals and 40 of {total} anomalies; "
        "AUC, threshold and rates are of all."
    )
    (roc,) = draw("roc", comparison, views, fpr=0.2)
    for run, legend in zip((each.baseline, each.run), (roc.data[0].name, roc.data[2].name), strict=True):
        assert f"(AUC {run.result['auc'][anomaly.key]:.3f})" in legend
    for run, figure in zip((each.baseline, each.run), draw("histogram", comparison, views, fpr=0.2), strict=True):
        threshold = threshold_at_fpr(run.scores["normal"], 0.2)
        assert figure.data[-1].x == (threshold, threshold)
        assert comparison.shown in figure.layout.meta["alt"]


def test_whose_aug_the_baseline_is_shown_is_said_of_its_histogram(digits: Trained) -> None:
    baseline, run = draw("histogram", comparison := digits.against(CUTOUT4), comparison.views())
    said = "Train augmented is the aug of DAE-CutOut; AE is shown it here and never saw it in training."
    assert (said in baseline.layout.meta["alt"], said in run.layout.meta["alt"]) == (True, False)
    alone = replace(comparison, baseline=None)
    assert said not in draw("histogram", alone, alone.views())[0].layout.meta["alt"]


def test_nothing_is_said_where_all_images_are_shown(digits: Trained) -> None:
    assert digits.against(CUTOUT4).shown == ""


def test_metrics_are_of_all_test_images(each: Trained) -> None:
    for anomaly in anomalies(each):
        found = each.against(anomaly).metrics()
        expected = {}
        for name, run in (("run", each.run), ("baseline", each.baseline)):
            expected[name] = theirs(run.scores["normal"], anomaly_results(run, anomaly, each.dataset)[0])
            assert (found[name].auc.value, found[name].average_precision.value) == pytest.approx(expected[name])
        relative = found["run"].relative_auc
        assert relative.value == pytest.approx(expected["run"][0] - expected["baseline"][0])
        assert relative.low <= relative.value <= relative.high
        assert found["baseline"].relative_auc is None


def test_a_baseline_is_shown_alone(each: Trained) -> None:
    alone = Comparison(each.baseline, each.baseline, CUTOUT4, each.dataset)
    assert alone.runs == (each.baseline,)
    assert set(alone.metrics()) == {"run"}
    views = alone.views()
    assert [view.name for view in views.detectors] == ["AE"]
    np.testing.assert_array_equal(views.scores(0)["train augmented"], views.scores(0)["train normal"])
    assert alone.mmd("run") == alone.mmd("baseline")
    without = Comparison(each.run, None, CUTOUT4, each.dataset)
    with pytest.raises(BadInput, match="there is no run whose code could be"):
        without.mmd("baseline")
    assert without.mmd("baseline", each.baseline) == each.against(CUTOUT4).mmd("baseline")
    assert without.runs == (each.run,)
    assert len({alone.key, without.key, each.against(CUTOUT4).key, each.against(Anomaly("gen", "cutout")).key}) == 4


def test_a_map_is_computed_once_and_kept(copied: Trained) -> None:
    comparison = copied.against(Anomaly("gen", "cutout"))
    run = copied.run
    assert comparison.map(run, compute=False) is None
    xy = comparison.map(run)
    assert xy.shape == (4 * 58, 2)
    assert np.isfinite(xy).all()
    (run.path / "codes.npz").unlink()  # from here on nothing can be computed
    again = copied.against(comparison.anomaly)
    again = replace(again, run=StoredRun(run.path, run.spec, run.result))
    np.testing.assert_array_equal(again.map(again.run), xy)
    np.testing.assert_array_equal(again.map(again.run, compute=False), xy)
    assert again.own_map(compute=False, seed=1) is None
    assert again.map(copied.baseline, compute=False) is None
    assert replace(again, anomaly=Anomaly("gen", "flip")).map(again.run, compute=False) is None


def test_a_map_side_by_side_is_the_labs_but_for_augmented_images_of_a_baseline(copied: Trained) -> None:
    anomaly = Anomaly("gen", "cutout")
    both = copied.against(anomaly)
    alone = replace(both, run=copied.baseline)
    own = both.own_map()
    np.testing.assert_array_equal(own.xy, both.map(copied.run, compute=False))
    np.testing.assert_allclose(own.frames[-1], own.xy / np.ptp(own.xy, axis=0).max(), atol=1e-3)
    np.testing.assert_allclose(np.ptp(own.frames, axis=1).max(axis=1), 1, atol=1e-3)  # however small it was
    assert own.frames.dtype == np.float16
    assert [len(codes) for codes in alone.own_codes().values()] == [58] * 3
    found = alone.own_map()
    assert found.xy.shape == (3 * 58, 2)
    assert alone.map(copied.baseline, compute=False) is None  # the Lab's has all four groups
    assert alone.map(copied.baseline).shape == (4 * 58, 2)
    np.testing.assert_array_equal(alone.own_map(compute=False).xy, found.xy)
    assert both.own_map(compute=False, perplexity=5) is None
    assert both.own_map(compute=False, seed=1) is None


def test_separations_are_those_of_the_codes_of_the_groups(each: Trained) -> None:
    comparison = each.against(CUTOUT4)
    codes = dict(zip(GROUPS, comparison.codes(each.run), strict=True))
    found = comparison.separations()
    assert list(found) == list(APART)
    for name, pair in APART.items():
        points = np.concatenate([codes[group] for group in pair]).astype(float)
        label = np.repeat([0, 1], [len(codes[group]) for group in pair])
        assert found[name].silhouette == pytest.approx(silhouette_score(points, label), abs=1e-6)
        nearest = NearestNeighbors(n_neighbors=2).fit(points).kneighbors(return_distance=False)[:, 0]
        assert found[name].purity == pytest.approx(np.mean(label[nearest] == label), abs=0.02)  # ties
    baseline = replace(comparison, run=each.baseline)
    assert list(baseline.separations()) == list(APART)[1:]
    assert list(replace(comparison, most_train=1).separations()) == [
        "normals | anomalies"
    ]  # of one point nothing is apart


def test_runs_side_by_side_show_the_same_training_images(digits: Trained, tmp_path: Path) -> None:
    store = Store(tmp_path / "few")
    settings = replace(digits.run.spec.settings, limit=40)
    few = worker.run(replace(digits.run.spec, settings=settings), store, "cpu")
    anomaly = Anomaly("class", "3")
    whole = digits.against(anomaly)
    cut = same_sample([whole, Comparison(few, None, anomaly, digits.dataset)])
    points = [comparison.points() for comparison in cut]
    for name in ("group", "pair", "labels", "originals"):
        np.testing.assert_array_equal(*(getattr(each, name) for each in points))
    assert np.bincount(points[0].group).tolist() == [40, 40, 58, 58]
    np.testing.assert_array_equal(cut[0].augmented(), points[0].originals[40:80])
    assert [len(codes) for codes in cut[0].own_codes().values()] == [40, 40, 58, 58]
    assert cut[0].key != whole.key
    (same,) = same_sample([whole])
    np.testing.assert_array_equal(same.points().group, whole.points().group)


def test_mmd_is_between_aug_of_train_and_gen_of_test_in_the_named_space(each: Trained) -> None:
    spec, anomaly = each.run.spec, CUTOUT4
    train = each.samples.augmented(each.samples.train_shown(), spec.augment, spec.profile, dict(spec.params))
    test = each.samples.anomalous(anomaly, spec.profile)
    comparison = each.against(anomaly)
    spaces = {
        "pixels": [x.flatten(1).numpy() for x in (train, test)],
        "run": [examine_stored(each.run, x).codes.numpy() for x in (train, test)],
        "baseline": [examine_stored(each.baseline, x).codes.numpy() for x in (train, test)],
    }
    assert set(spaces) == set(at_once(baseline=True))
    for encoder, sets in spaces.items():
        found, expected = comparison.mmd(encoder), estimate(*sets)
        assert found.value == pytest.approx(expected.value, rel=1e-3)
        assert (found.m, found.draws) == (expected.m, expected.draws)
        assert found.m == min(len(train), len(test))
    with pytest.raises(BadInput, match="did you mean 'pixels'"):
        comparison.mmd("pixel")


def test_the_table_of_points_has_what_the_views_show(digits: Trained) -> None:
    views = digits.against(Anomaly("class", "3")).views()
    xy = np.arange(2.0 * len(views.group)).reshape(-1, 2)
    header, *rows = score_table(views, [None, xy])
    name = run_name(digits.run.spec)
    assert header == [
        *("point", "group", "class", "pair", "score AE", f"score {name}"),
        *(f"t-SNE 1 {name}", f"t-SNE 2 {name}"),
    ]
    assert len(rows) == len(views.group)
    for i in (0, 60, 120, 231):
        scores = [float(view.scores[i]) for view in views.detectors]
        assert rows[i] == [i, GROUPS[views.group[i]], views.labels[i], views.pair[i], *scores, 2.0 * i, 2.0 * i + 1]


def test_stored_weights_are_the_runs(each: Trained) -> None:
    x = to_float(each.samples.test_normal()[:4])
    untrained = build(each.run.spec, x.shape[1]).network
    found = examine_stored(each.run, x)
    with torch.no_grad():
        assert not torch.allclose(untrained(x), found.explanation, atol=0.01)
    assert not torch.allclose(examine_stored(each.baseline, x).codes, found.codes, atol=0.01)
