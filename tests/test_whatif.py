"""What-if sweeps: which trainings, what they give, and that gens of any strength need none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ssad_core import augment, worker
from ssad_core.data import load
from ssad_core.detectors import settings_for
from ssad_core.errors import BadInput
from ssad_core.evaluate import anomaly_results
from ssad_core.figures import surface_figure, sweep_figure
from ssad_core.question import Question
from ssad_core.report import sweep_of
from ssad_core.spec import Anomaly, RunSpec
from ssad_core.statistics import Estimate, auc, task_metrics
from ssad_core.store import Store, StoredRun
from ssad_core.whatif import Point, Sweep, band, gain, gens, has_parameter, regret, values_of, values_of_gen, varied

DIGITS = load("digits")


def run_spec(aug: str = "cutout", **question: object) -> RunSpec:
    sizes = settings_for("quick", epochs=1, features=4, hidden=8, limit=40, test_limit=20)
    return Question("digits", "1", augment=aug, settings=sizes, **question).run(DIGITS)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> dict[str, StoredRun]:
    """Two seeds at c = .2 and .5, of the second seed without .5, and their baselines."""
    threads = torch.get_num_threads()
    sweep, store = Sweep(run_spec(), (0, 1)), Store(tmp_path_factory.mktemp("sweep"))
    specs = [sweep.spec(0.2, 0), sweep.spec(0.5, 0), sweep.spec(0.2, 1)]
    found = {spec.id: worker.run(spec, store, "cpu") for one in specs for spec in (one.baseline(), one)}
    torch.set_num_threads(threads)
    return found


# -- what is trained --------------------------------------------------------------------------------------------------


def test_a_sweep_of_cutout_is_the_papers() -> None:
    sweep = Sweep(run_spec(), (3, 4))
    assert sweep.parameter.name == "c"
    assert sweep.values == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)  # Fig. 4a
    specs = sweep.specs()
    assert len(specs) == len({spec.id for spec in specs}) == 2 * (9 + 1)
    assert [spec.is_baseline for spec in specs].count(True) == 2
    assert specs[0].is_baseline
    assert [dict(spec.params)["c"] for spec in specs[1:6]] == [0.1, 0.5, 0.9, 0.3, 0.7]  # coarse to fine
    assert {spec.seed for spec in specs} == {3, 4}
    for spec in specs:
        assert replace(spec, augment="cutout", params=(), seed=0) == run_spec()
    # Any run of it describes it.
    assert Sweep(sweep.spec(0.7, 4), (3, 4)).specs() == specs


def test_a_sweep_over_classes_has_a_baseline_of_each() -> None:
    sweep = Sweep(run_spec(), (0,), (1, 4, 7))
    specs = sweep.specs()
    assert len({spec.id for spec in specs}) == 3 * (9 + 1)
    assert [spec.normal_class for spec in specs if spec.is_baseline] == [1, 4, 7]
    assert {replace(spec, augment="cutout", params=(), normal_class=1) for spec in specs} == {run_spec()}


def test_a_surface_is_of_the_seeds_of_which_most_is_stored_for_all_classes() -> None:
    of = Sweep(run_spec(), (0,)).spec

    def seeds(*stored: RunSpec, classes: tuple[int, ...] = ()) -> tuple[int, ...]:
        return sweep_of("surface", of(0.1, 0), stored, classes).seeds

    two = [of(0.1, 0), of(0.2, 0)]
    assert seeds(*two, of(0.1, 1)) == (0,)
    assert seeds(*two, of(0.1, 1), of(0.2, 1)) == (0, 1)
    off_the_grid = [replace(of(0.1, 1), params=(("c", c),)) for c in (0.33, 0.44, 0.55)]
    drawn = replace(of(0.1, 1), params=())
    assert seeds(*two, *off_the_grid, drawn) == (0,)
    another_class = [of(value, 1, 2) for value in (0.1, 0.2, 0.3)]
    assert seeds(*two, *another_class) == (0,)
    assert seeds(*two, *another_class, of(0.1, 0, 2), classes=(1, 2)) == (0,)
    assert sweep_of("sweep", of(0.1, 0), [*two, *off_the_grid]).seeds == (0, 1)


def test_any_continuous_parameter_is_varied_over_its_range() -> None:
    for name in augment.AUGMENTATIONS:
        if not has_parameter(name):
            with pytest.raises(BadInput, match="has nothing continuous to vary here; these have: Flip, CutOut, Noise"):
                varied(name)
            continue
        parameter = varied(name)
        values = values_of(parameter)
        assert len(values) == 9
        assert (values[0], values[-1]) == (parameter.low, parameter.high)
        for value in values:  # which its slider can take
            assert value / parameter.step == pytest.approx(round(value / parameter.step))
        assert [spec.augment for spec in Sweep(run_spec(name), (0,)).specs()] == ["identity", *[name] * 9]


def test_what_is_always_applied_has_no_probability_to_vary() -> None:
    assert has_parameter("flip")
    assert not has_parameter("flip", "gen")
    with pytest.raises(BadInput, match="Flip has nothing continuous to vary here; these have: CutOut, Noise"):
        gens("flip")
    with pytest.raises(BadInput):
        _ = Sweep(replace(run_spec("invert"), detector="ap"), (0,)).values
    alone = Sweep(replace(run_spec(), detector="ap"), (0,))
    assert not alone.has_baseline
    assert len(alone.specs()) == 9
    assert gens("cutout")[0.3] == Anomaly("gen", "cutout", (("c", 0.3),))


@pytest.mark.parametrize("profile", ["paper", "reference"])
def test_gens_values_are_those_that_it_draws(profile: str) -> None:
    assert values_of_gen(Anomaly("gen", "cutout", (("c", 0.3),)), profile) == (0.3, 0.3)
    assert values_of_gen(Anomaly("gen", "noise"), profile) == (0.1, 0.1)
    assert values_of_gen(Anomaly("gen", "flip"), profile) is None
    assert values_of_gen(Anomaly("class", "8"), profile) is None
    n, size, generator = 500, 128, torch.Generator().manual_seed(0)

    def drawn(name: str) -> dict[str, torch.Tensor]:
        return augment.get(name, profile, "gen").sample_params(n, 1, size, generator)

    patch = drawn("cutout")
    area = (patch["height"] * patch["width"]) / size**2
    values = {
        "cutout": area.sqrt() if profile == "paper" else area,
        "blur": drawn("blur")["sigma"],
        "mask": drawn("mask")["masked"].float().mean((1, 2, 3)),
    }
    for name, found in values.items():
        low, high = values_of_gen(Anomaly("gen", name), profile)
        assert float(found.min()) == pytest.approx(low, abs=0.015)
        assert float(found.max()) == pytest.approx(high, abs=0.015)


# -- what it gives ----------------------------------------------------------------------------------------------------


def test_points_are_relative_aucs_of_what_is_stored(stored: dict[str, StoredRun]) -> None:
    sweep, anomaly = Sweep(run_spec(), (0, 1)), Anomaly("gen", "cutout", (("c", 0.4),))
    points = sweep.points(stored, lambda run, baseline: gain(run, baseline, anomaly, DIGITS))
    assert [(point.value, set(point.each)) for point in points] == [(0.2, {(0, 1), (1, 1)}), (0.5, {(0, 1)})]
    for point in points:
        for repeat, estimate in point.each.items():
            spec = sweep.spec(point.value, *repeat)
            areas = [
                auc(run.scores["normal"], anomaly_results(run, anomaly, DIGITS)[0])
                for run in (stored[spec.id], stored[spec.baseline().id])
            ]
            assert estimate.value == pytest.approx(areas[0] - areas[1], abs=1e-12)
    two, one = points
    assert two.mean == pytest.approx(np.mean([estimate.value for estimate in two.each.values()]))
    # Where a value has several trainings the band is their range, of which one alone has none.
    assert band(points) == [tuple(sorted(e.value for e in two.each.values())), (one.mean, one.mean)]
    run, baseline = stored[sweep.spec(0.5, 0).id], stored[sweep.spec(0.5, 0).baseline().id]
    scores = [(r.scores["normal"], anomaly_results(r, anomaly, DIGITS)[0]) for r in (run, baseline)]
    expected = task_metrics(*scores[0], scores[1], paired=True).relative_auc
    assert band([one]) == [(expected.low, expected.high)]
    alone = gain(run, None, anomaly, DIGITS)
    assert alone.value == pytest.approx(auc(*scores[0]))


def test_the_interval_of_a_gain_on_a_gen_is_of_drawn_pairs(stored: dict[str, StoredRun]) -> None:
    anomaly = Anomaly("gen", "flip")  # on which these runs are neither all right nor alike
    run = stored[Sweep(run_spec(), (0,)).spec(0.5, 0).id]
    baseline = stored[run.spec.baseline().id]
    scores = [(one.scores["normal"], one.scores[anomaly.key]) for one in (run, baseline)]
    pairs, apart = (task_metrics(*scores[0], scores[1], paired=paired).relative_auc for paired in (True, False))
    assert gain(run, baseline, anomaly, DIGITS) == pairs != apart


def test_the_parameter_drawn_for_each_image_is_the_level_beside_the_points(stored: dict[str, StoredRun]) -> None:
    measured = []

    def measure(run: StoredRun, baseline: StoredRun | None) -> Estimate:
        measured.append((run.spec, baseline.spec))
        return Estimate(len(measured), 0, 0)

    sweep = Sweep(run_spec(), (0, 1))
    free = sweep.at_random()
    assert [(spec.seed, spec.params) for spec in free.values()] == [(0, ()), (1, ())]
    assert sweep.drawn(stored, measure) is None  # of neither seed it is stored
    any_run = next(iter(stored.values()))
    there = {each.id: replace(any_run, spec=each) for spec in free.values() for each in (spec, spec.baseline())}
    assert sweep.drawn(there, measure) == 1.5
    assert measured == [(spec, spec.baseline()) for spec in free.values()]
    assert Sweep(run_spec("noise"), (0,)).at_random() == {}  # its sigma has a value of its own


def test_without_its_baseline_a_value_has_no_point(stored: dict[str, StoredRun]) -> None:
    sweep = Sweep(run_spec(), (0,))
    without = {name: run for name, run in stored.items() if not run.spec.is_baseline}
    assert sweep.points(without, lambda run, baseline: gain(run, baseline, Anomaly("rest"), DIGITS)) == []


def test_the_surface_is_the_aucs_of_stored_runs_on_gens_of_every_strength(stored: dict[str, StoredRun]) -> None:
    sweep, anomalies = Sweep(run_spec(), (0,)), list(gens("cutout").values())
    before = sweep.surface(stored, anomalies, DIGITS, compute=False)
    assert np.isnan(before[:, [0, 8]]).all()  # not scored yet
    found = sweep.surface(stored, anomalies, DIGITS)
    np.testing.assert_array_equal(found, sweep.surface(stored, anomalies, DIGITS, compute=False))
    assert (~np.isnan(found)).any(axis=1).tolist() == [value in (0.2, 0.5) for value in sweep.values]
    for i, j in ((1, 0), (4, 8)):
        run = stored[sweep.spec(sweep.values[i], 0).id]
        assert found[i, j] == auc(run.scores["normal"], anomaly_results(run, anomalies[j], DIGITS)[0])
    both = Sweep(run_spec(), (0, 1)).surface(stored, anomalies, DIGITS)
    assert (~np.isnan(both)).any(axis=1).tolist() == [value == 0.2 for value in sweep.values]


def test_regret_is_what_the_matched_row_loses_to_the_best() -> None:
    surface = np.array([[0.5, 0.9, np.nan], [0.7, 0.6, np.nan]])
    assert regret(surface, [0, 0, 0]) == [0.2, 0.0, None]
    assert regret(surface, [None, 1, 1]) == [None, 0.3, None]
    assert regret(np.array([[1.0, 0.9], [1.00004, 0.6]]), [0, 0]) == [None, 0.0]  # all are alike in three digits


def test_figures_say_what_they_show() -> None:
    points = [Point(0.1, {}), Point(0.5, {})]
    figure = sweep_figure(
        [point.value for point in points],
        [0.1, -0.2],
        [(0.0, 0.2), (-0.3, -0.1)],
        each={"seed 0": {0.1: 0.05}},
        incomplete={0.5: "1 of 2 trained"},
        missing=[0.9],
        chosen=0.5,
        drawn=0.07,
        parameter="aug's patch size c",
        measure="Relative AUC",
        level=0.0,
        title="t",
    )
    said = "Relative AUC against aug's patch size c: 0.1: 0.100, 0.5: −0.200 (1 of 2 trained); drawn for each image: 0.070."
    assert figure.layout.meta["alt"] == said
    missing = next(trace for trace in figure.data if trace.name == "not trained yet")
    assert (list(missing.x), missing.yaxis) == ([0.9], "y2")
    surface = np.array([[0.5, 0.9, np.nan], [0.7, 0.6, np.nan]])
    drawn = surface_figure(
        surface, [0.1, 0.2], [0.1, 0.2, 0.3], row_title="aug", column_title="gen", diagonal=True, title="t"
    )
    middles = [((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2) for box in drawn.layout.shapes]
    assert middles == [pytest.approx((0.1, 0.2)), pytest.approx((0.2, 0.1))]
    assert "gen 0.1: aug 0.2 (0.700), gen 0.2: aug 0.1 (0.900)" in drawn.layout.meta["alt"]
    empty = surface_figure(np.full((2, 1), np.nan), [0.1, 0.2], [0.1], row_title="a", column_title="g", title="t")
    assert "nothing measured" in empty.layout.meta["alt"]
