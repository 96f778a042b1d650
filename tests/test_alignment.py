"""The matrix of alignment against its definition on real, tiny runs; what is kept; whether it predicts success."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny import tiny

from ssad_core import worker
from ssad_core.alignment import (
    Alignment,
    Aug,
    Outcome,
    aug_of,
    best,
    columns,
    correlation,
    outcomes,
    pairs_of,
    rows,
    table,
)
from ssad_core.augment import AUGMENTATIONS
from ssad_core.cli import main
from ssad_core.data import load
from ssad_core.errors import BadInput
from ssad_core.evaluate import examine_stored
from ssad_core.mmd import estimate
from ssad_core.report import draw_side_by_side, space_title
from ssad_core.samples import VIEW_LIMIT, Samples
from ssad_core.spec import Anomaly
from ssad_core.statistics import auc
from ssad_core.store import Store, StoredRun
from ssad_core.views import Comparison

DIGITS, PHOTOS = load("digits"), load("photos")
CUTOUT, FLIP, EIGHT, REST = Anomaly("gen", "cutout"), Anomaly("gen", "flip"), Anomaly("class", "8"), Anomaly("rest")
STEADY = Anomaly("gen", "cutout", (("c", 0.4),))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, StoredRun]]:
    """AE and five runs of it, by aug."""
    cache = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSAD_CACHE_DIR", str(cache))
        names = ("identity", "cutout", "flip", "invert", "noise")
        yield {name: worker.run(replace(tiny(), augment=name, params=()), Store(), "cpu") for name in names}


@pytest.fixture
def copied(trained: dict[str, StoredRun], tmp_path: Path) -> dict[str, StoredRun]:
    """The same runs, with nothing derived yet, to be changed."""
    found = {}
    for name, run in trained.items():
        shutil.copytree(run.path, tmp_path / run.id, ignore=shutil.ignore_patterns("derived"))
        found[name] = StoredRun(tmp_path / run.id, run.spec, run.result)
    return found


def matrix(runs: dict[str, StoredRun], encoder: str = "baseline", anomaly: Anomaly = CUTOUT, **more) -> Alignment:
    baseline = runs["identity"]
    return Alignment.of(encoder, baseline.spec, DIGITS, anomaly, baseline=baseline, runs=list(runs.values()), **more)


def test_rows_are_all_augmentations_by_category_and_those_with_parameters() -> None:
    assert [aug.name for aug in rows()] == list(AUGMENTATIONS)
    more = [Aug("cutout", (("c", 0.8),)), Aug("cutout", (("c", 0.4),)), Aug("flip")]
    labels = [aug.label for aug in rows(more)]
    assert len(labels) == len(AUGMENTATIONS) + 2
    at = labels.index("CutOut")
    assert labels[at : at + 3] == ["CutOut", "CutOut-0.4", "CutOut-0.8"]
    assert aug_of("flip", (("p", 0.3),)) == Aug("flip")  # analysed with p = 1
    assert aug_of("mask", (("p", 0.3),)) == Aug("mask", (("p", 0.3),))  # of pixels


def test_columns_are_the_gens_the_asked_one_and_the_classes() -> None:
    keys = [anomaly.key for anomaly in columns(DIGITS, 1, STEADY)]
    assert keys[:4] == ["gen:cutout", "gen:flip", "gen:invert", "gen:cutout(c=0.4)"]
    assert keys[4:] == [*(f"class:{digit}" for digit in "023456789"), "rest"]
    assert [anomaly.key for anomaly in columns(PHOTOS, 0, CUTOUT)][3:] == ["class:flower"]


@pytest.mark.parametrize("anomaly", [CUTOUT, STEADY, EIGHT, REST], ids=lambda a: a.key)
@pytest.mark.parametrize("aug", [Aug("identity"), Aug("cutout"), Aug("rotate")], ids=lambda a: a.name)
def test_a_cell_is_the_estimate_between_aug_of_train_and_the_anomalies(
    trained: dict[str, StoredRun], aug: Aug, anomaly: Anomaly
) -> None:
    baseline = trained["identity"]
    samples = Samples.of(baseline.spec, DIGITS)
    train = samples.augmented(samples.train_shown(), aug.name, "paper", {})
    test = samples.anomalous(anomaly, "paper", VIEW_LIMIT)
    codes = [examine_stored(baseline, x).codes.numpy() for x in (train, test)]
    for encoder, sets in {"baseline": codes, "pixels": [x.flatten(1).numpy() for x in (train, test)]}.items():
        found = matrix(trained, encoder, anomaly).spaces[aug].mmd(aug, anomaly)
        expected = estimate(*sets, permutations=1000)
        assert found.value == pytest.approx(expected.value, rel=1e-3)
        assert (found.m, found.draws) == (expected.m, expected.draws)
        assert found.p == pytest.approx(expected.p, abs=0.01)


def test_a_matrix_is_filled_once_and_kept(copied: dict[str, StoredRun]) -> None:
    alignment = matrix(copied)
    assert alignment.cells() == {}
    filled = alignment.fill(FLIP)
    assert len(filled) == alignment.size == 14 * 13
    assert all(0 < cell.p <= 1 for cell in filled.values())
    for name in ("codes.npz", "scores.npz", "weights.safetensors"):
        (copied["identity"].path / name).unlink()  # from here on nothing can be computed
    again = matrix(copied)
    assert again.cells() == filled
    assert again.key == alignment.key
    # One more row costs only itself, and what is there stays.
    more = matrix(copied, more=[Aug("cutout", (("c", 0.4),))])
    assert more.cells() == filled
    assert more.size == 15 * 13
    assert more.key != alignment.key


def test_a_matrix_is_filled_in_slices(copied: dict[str, StoredRun]) -> None:
    alignment = matrix(copied)
    counts = [len(alignment.fill(EIGHT, seconds=0)) for _ in range(3)]
    assert counts == [1, 1, 1]  # what is kept counts, so only ever more seconds get further
    some = alignment.fill(EIGHT, seconds=0.5)
    assert {anomaly for _, anomaly in some} >= {EIGHT}
    assert len(alignment.fill(EIGHT)) == alignment.size


def test_no_row_of_a_fixed_space_needs_its_run(trained: dict[str, StoredRun], own_cache: Path) -> None:
    spec = trained["identity"].spec
    pixels = Alignment.of("pixels", spec, DIGITS, CUTOUT)
    assert pixels.ranked
    cells = pixels.fill(CUTOUT)
    assert len(cells) == pixels.size
    # The images decide, not the run: another seed or detector finds it all there.
    for other in (replace(spec, seed=3), replace(spec, detector="deepsad"), replace(spec, augment="flip")):
        assert Alignment.of("pixels", other, DIGITS, CUTOUT).cells() == cells
    assert Alignment.of("pixels", replace(spec, normal_class=2), DIGITS, CUTOUT).cells() == {}
    assert Alignment.of("pixels", replace(spec, profile="reference"), DIGITS, CUTOUT).cells() == {}


def test_the_runs_own_codes_have_rows_of_stored_runs_only_and_no_ranking(trained: dict[str, StoredRun]) -> None:
    own = matrix(trained, "run")
    assert [aug.name for aug in own.rows] == ["identity", "flip", "cutout", "noise", "invert"]
    assert not own.ranked
    flip = own.spaces[Aug("flip")].mmd(Aug("flip"), FLIP)
    assert flip.value == pytest.approx(
        estimate(*(trained["flip"].codes[k] for k in ("train augmented", FLIP.key))).value
    )


def test_a_space_without_its_run_is_refused(trained: dict[str, StoredRun]) -> None:
    with pytest.raises(BadInput, match="no run whose code"):
        Alignment.of("baseline", trained["flip"].spec, DIGITS, CUTOUT)


def test_overlapping_images_have_no_p(own_cache: Path) -> None:
    spec = replace(tiny(), dataset="photos", fingerprint=PHOTOS.fingerprint, normal_class=0)
    cell = Alignment.of("pixels", spec, PHOTOS, CUTOUT).spaces[Aug("flip")].mmd(Aug("flip"), FLIP)
    assert cell.p is None


def test_the_lab_and_the_matrix_say_the_same(trained: dict[str, StoredRun]) -> None:
    comparison = Comparison(trained["flip"], trained["identity"], FLIP, DIGITS)
    for encoder in ("baseline", "run", "pixels"):
        assert comparison.mmd(encoder) == matrix(trained, encoder).fill(FLIP)[Aug("flip"), FLIP]


def test_outcomes_are_relative_aucs_beside_their_mmd(trained: dict[str, StoredRun]) -> None:
    alignment = matrix(trained)
    cells = alignment.fill(CUTOUT)
    pairs = pairs_of(trained.values(), {trained["identity"].id: trained["identity"]})
    found = outcomes(cells, pairs, alignment.columns, alignment.dataset)
    assert len(found) == 4 * 13  # the baseline gains nothing by definition
    for one in found:
        assert one.mmd == cells[one.aug, one.anomaly].value
        run, baseline = trained[one.aug.name], trained["identity"]
        if one.anomaly != REST:
            areas = [auc(each.scores["normal"], each.scores[one.anomaly.key]) for each in (run, baseline)]
            assert one.gain == pytest.approx(areas[0] - areas[1])
    alone = outcomes(cells, [(trained["flip"], None)], [FLIP], alignment.dataset)
    assert alone[0].gain == auc(trained["flip"].scores["normal"], trained["flip"].scores[FLIP.key])
    assert pairs_of(trained.values(), {}) == []  # a raw AUC does not lie on an axis of relative ones


@pytest.mark.parametrize("collapsed", ["flip", "identity"])
def test_a_training_that_went_wrong_says_nothing_of_success(trained: dict[str, StoredRun], collapsed: str) -> None:
    runs = dict(trained)
    runs[collapsed] = replace(runs[collapsed], result={**runs[collapsed].result, "warning": "Collapsed."})
    pairs = pairs_of(runs.values(), {runs["identity"].id: runs["identity"]})
    assert [run.spec.augment for run, _ in pairs] == ([] if collapsed == "identity" else ["cutout", "invert", "noise"])


def test_histograms_of_several_seeds_are_measured_in_one_space(trained: dict[str, StoredRun], tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSAD_CACHE_DIR", str(tmp_path))
        other = {name: worker.run(replace(trained[name].spec, seed=1), Store(), "cpu") for name in ("identity", "flip")}
    pairs = [(runs["flip"], runs["identity"]) for runs in (trained, other)]
    comparisons = [Comparison(run, baseline, FLIP, DIGITS) for run, baseline in pairs]
    (figure,) = draw_side_by_side("histograms", comparisons, encoder="baseline")
    assert "MMD in the code of AE, seed 0." in figure.layout.meta["alt"]
    values = [note.text.rpartition("MMD ")[2] for note in figure.layout.annotations if "MMD" in note.text]
    assert values == [comparisons[0].mmd("baseline").text] * 2  # aug and gen are the same
    assert comparisons[1].mmd("baseline").text != values[0]


def test_runs_of_one_aug_have_no_row_each(trained: dict[str, StoredRun]) -> None:
    again = replace(trained["flip"], spec=replace(trained["flip"].spec, seed=1))
    with pytest.raises(BadInput, match="two of these have the same aug"):
        matrix({**trained, "again": again}, "run")
    matrix({**trained, "again": again})  # in one space they share theirs


def test_outcomes_that_are_not_scored_yet_wait(copied: dict[str, StoredRun]) -> None:
    alignment = matrix(copied, anomaly=STEADY)
    cells = {(Aug("flip"), STEADY): alignment.spaces[Aug("flip")].mmd(Aug("flip"), STEADY)}
    pairs = [(copied["flip"], copied["identity"])]
    assert outcomes(cells, pairs, [STEADY], alignment.dataset, compute=False) == []
    (found,) = outcomes(cells, pairs, [STEADY], alignment.dataset)
    assert outcomes(cells, pairs, [STEADY], alignment.dataset, compute=False) == [found]


def outcome(mmd: float, gain: float) -> Outcome:
    return Outcome("0" * 16, Aug("flip"), FLIP, mmd, gain)


def test_the_correlation_is_of_ranks_and_needs_four() -> None:
    falling = [outcome(x, 1 / (1 + x**3)) for x in (0.1, 5.0, 0.3, 80.0)]
    assert correlation(falling) == -1
    assert correlation([outcome(one.mmd, -one.gain) for one in falling]) == 1
    assert correlation(falling[:3]) is None
    assert correlation([outcome(x, 0.5) for x in range(9)]) is None


def test_the_table_has_every_cell(trained: dict[str, StoredRun]) -> None:
    cells = matrix(trained).fill(CUTOUT)
    header, *lines = table(cells)
    assert header == ["aug", "anomaly", "MMD", "spread", "points a set", "draws", "p"]
    assert len(lines) == len(cells)
    assert [line[2] for line in lines] == [cell.value for cell in cells.values()]


def test_matrix_and_scatter_are_drawn(trained: dict[str, StoredRun]) -> None:
    comparisons = [Comparison(run, trained["identity"], CUTOUT, DIGITS) for run in trained.values()]
    heat, scatter = draw_side_by_side("alignment", comparisons)
    cells = matrix(trained).fill(CUTOUT)
    values = np.array([[cells[aug, anomaly].value for anomaly in columns(DIGITS, 1, CUTOUT)] for aug in rows()])
    np.testing.assert_allclose(10 ** np.array(heat.data[0].z, float), values)
    frames = {round((shape.x0 + shape.x1) / 2): round((shape.y0 + shape.y1) / 2) for shape in heat.layout.shapes}
    assert frames == dict(enumerate(values.argmin(0)))
    marked = np.array(heat.data[0].text)
    for i, aug in enumerate(rows()):
        for j, anomaly in enumerate(columns(DIGITS, 1, CUTOUT)):
            assert marked[i, j].endswith("≈") == (cells[aug, anomaly].p >= 0.05)
    assert f"gen CutOut: {best(cells, CUTOUT).label}" in heat.layout.meta["alt"]
    assert sorted(text.strip() for text in scatter.data[1].text) == ["CutOut", "Flip", "Invert", "Noise"]
    assert len(scatter.data[0].x) == 4 * 12
    assert "relative AUC" in scatter.layout.meta["alt"]
    # Each in its own space: nothing is framed and nothing set against success.
    (own,) = draw_side_by_side("alignment", comparisons, encoder="run")
    assert not own.layout.shapes
    # A detector without a baseline has no other space of its own.
    (alone,) = draw_side_by_side("alignment", [replace(c, baseline=None) for c in comparisons[1:]])
    assert len(alone.layout.yaxis.ticktext) == 4
    with pytest.raises(BadInput, match="did you mean 'alignment'"):
        draw_side_by_side("alignement", comparisons)


def test_it_is_drawn_on_the_command_line(
    trained: dict[str, StoredRun], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSAD_CACHE_DIR", str(trained["flip"].path.parents[1]))
    runs = [trained[name].id for name in ("cutout", "flip")]
    out = tmp_path / "alignment.html"
    assert main(["figure", "alignment", "--run", *runs, "--anomaly", "gen:flip", "--out", str(out)]) == 0
    assert "Digits, 1 against Flip: MMD in the code of AE" in out.read_text()
    assert out.read_text().count("<figure>") == 2


def test_a_space_says_what_it_is(trained: dict[str, StoredRun]) -> None:
    assert space_title("baseline", [trained["identity"]]) == "the code of AE"
    assert space_title("pixels", []) == "raw pixels"


def test_a_matched_gen_is_not_told_apart(trained: dict[str, StoredRun], own_cache: Path) -> None:
    # Train and test images of a class come from one distribution: in pixels the same aug makes the same images of them.
    pixels = matrix(trained, "pixels")
    space = pixels.spaces[Aug("invert")]
    assert space.mmd(Aug("invert"), Anomaly("gen", "invert")).p > 0.01
    assert space.mmd(Aug("identity"), Anomaly("gen", "invert")).p < 0.002
