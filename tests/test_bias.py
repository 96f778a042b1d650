"""Error bias against the AUC of each class, and its figure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ssad_core.bias import Bias, ClassResult, ClassScores, Scored, error_bias
from ssad_core.figures import bias_figure
from ssad_core.statistics import Estimate, auc, task_metrics

RNG = np.random.default_rng(0)
# What a detector scores of 200 normal images and of each class: aug finds the cat better, the truck worse, the dog alike.
SHIFTS = {"cat": (0.2, 1.5), "truck": (1.5, 0.2), "dog": (0.8, 0.8)}
BASE = Scored("AE", RNG.normal(size=200), {name: RNG.normal(a, size=150) for name, (a, _) in SHIFTS.items()})
RUN = Scored(
    "DAE-Flip",
    BASE.normal + 0.1 * RNG.normal(size=200),
    {name: BASE.classes[name] + b - a + 0.1 * RNG.normal(size=150) for name, (a, b) in SHIFTS.items()},
)


@pytest.fixture(scope="module")
def bias() -> Bias:
    return error_bias(RUN, BASE)


def test_each_class_has_its_auc_and_its_gain(bias: Bias) -> None:
    assert {row.name for row in bias.classes} == set(SHIFTS)
    for row in bias.classes:
        assert row.auc.value == auc(RUN.normal, RUN.classes[row.name])
        assert row.baseline == auc(BASE.normal, BASE.classes[row.name])
        assert row.gain.value == pytest.approx(row.auc.value - row.baseline)
        other = BASE.normal, BASE.classes[row.name]
        assert row.gain == task_metrics(RUN.normal, RUN.classes[row.name], other, paired=False).relative_auc


def test_classes_are_sorted_and_told_apart(bias: Bias) -> None:
    assert [row.name for row in bias.classes] == ["cat", "dog", "truck"]
    assert [(row.better, row.worse) for row in bias.classes] == [(True, False), (False, False), (False, True)]
    # Seen from the other side the same classes stand out, the other way round.
    mirrored = error_bias(BASE, RUN)
    assert [(row.name, row.better, row.worse) for row in mirrored.classes] == [
        (row.name, row.worse, row.better) for row in bias.classes[::-1]
    ]


@pytest.mark.parametrize(
    ("gains", "telling"),
    [
        ({"cat": (0.2, 0.4, 0.6), "dog": (-0.1, 0.0, 0.1), "truck": (-0.2, -0.1, -0.05)}, "truck"),  # lost, if less
        ({"cat": (0.0, 0.1, 0.2), "dog": (-0.5, -0.2, 0.1)}, "dog"),  # perhaps not worse, but changed most
        ({"cat": (0.2, 0.3, 0.4), "dog": (-0.5, -0.2, 0.1)}, "cat"),
    ],
)
def test_the_telling_class_lost_clearly_or_changed_most(
    gains: dict[str, tuple[float, float, float]], telling: str
) -> None:
    some = Estimate(0.5, 0.4, 0.6)
    rows = [ClassResult(name, some, 0.5, Estimate(value, low, high)) for name, (low, value, high) in gains.items()]
    assert Bias("DAE", "AE", tuple(rows)).telling.name == telling


def test_the_telling_class_of_a_detector_alone_is_the_hardest() -> None:
    alone = error_bias(RUN)
    assert alone.telling.auc.value == min(row.auc.value for row in alone.classes)


def test_the_mean_of_equally_many_images_is_the_auc_against_the_rest(bias: Bias) -> None:
    for scored, mean in ((RUN, bias.auc), (BASE, bias.baseline_auc)):
        assert mean == pytest.approx(auc(scored.normal, np.concatenate(list(scored.classes.values()))))


def test_without_a_baseline_there_is_no_gain() -> None:
    alone = error_bias(RUN)
    assert alone.baseline is alone.baseline_auc is None
    assert [row.auc.value for row in alone.classes] == sorted((row.auc.value for row in alone.classes), reverse=True)
    assert not any(row.gain or row.better or row.worse for row in alone.classes)


def test_a_class_is_seen_by_each_detector_at_its_threshold() -> None:
    scores = {"DAE": np.array([0.3, 0.1, 0.2]), "AE": np.array([5.0, 7.0, 6.0])}
    seen = ClassScores(np.zeros((3, 1, 2, 2), np.uint8), scores, {"DAE": 0.2, "AE": 6.5})
    assert seen.order.tolist() == [1, 2, 0]
    assert seen.found("DAE").tolist() == [True, False, True]
    assert seen.found("AE").tolist() == [False, True, False]


def test_of_a_handful_of_images_there_is_no_interval_and_no_verdict() -> None:
    few = error_bias(Scored("DAE", [1, 2], {"cat": [0, 0.5]}), Scored("AE", [1, 2], {"cat": [3, 4]}))
    (row,) = few.classes
    assert (row.gain.value, row.gain.few, row.better, row.worse) == (-1, True, False, False)
    drawn = {trace.name: trace for trace in bias_figure(few, title="").data}
    assert list(drawn["too few images to say"].y) == ["cat"]
    assert list(drawn["too few images to say"].error_x.array) == [None]
    alone = error_bias(Scored("DAE", [1, 2], {"cat": [0, 0.5]}))
    for bias, said in ((few, "(too few images to say: −1.000)"), (alone, "(too few images to say)")):
        assert said in bias_figure(bias, title="").layout.meta["alt"]


def test_of_trainings_that_cannot_be_judged_no_class_is_better_or_worse(bias: Bias) -> None:
    unjudged = error_bias(RUN, BASE, judged=False)
    assert (bias.judged, unjudged.judged) == (True, False)
    assert [replace(row, judged=True) for row in unjudged.classes] == list(bias.classes)  # the numbers stay
    assert not any(row.better or row.worse for row in unjudged.classes)
    fig = bias_figure(unjudged, title="")
    drawn = {trace.name: trace for trace in fig.data}
    assert list(drawn["cannot be judged"].y) == ["truck", "dog", "cat"]
    assert drawn["cannot be judged"].marker.color == drawn["no clear difference"].marker.color
    assert drawn["cannot be judged"].error_x.array[0] > 0
    assert list(fig.layout.yaxis.ticktext) == ["truck", "dog", "cat"]  # in no colour
    assert not any(f"{word}: " in fig.layout.meta["alt"] for word in ("better", "worse", "difference"))


def test_a_bar_has_no_length_where_the_interval_leaves_out_its_own_value() -> None:
    aside = ClassResult("cat", Estimate(0.9, 0.8, 0.95), 0.5, Estimate(0.4, 0.1, 0.3))
    drawn = {trace.name: trace for trace in bias_figure(Bias("DAE", "AE", (aside,)), title="").data}
    bars = drawn["better"].error_x
    assert (list(bars.array), list(bars.arrayminus)) == ([0], [pytest.approx(0.3)])


def test_the_figure_has_every_class_where_it_belongs(bias: Bias) -> None:
    fig = bias_figure(bias, chosen="dog", title="Bias")
    drawn = {trace.name: trace for trace in fig.data}
    assert list(drawn["better"].y) == ["cat"]
    assert list(drawn["worse"].y) == ["truck"]
    assert list(drawn["no clear difference"].y) == ["dog"]
    marks = [drawn[name].marker for name in ("better", "worse", "no clear difference")]
    assert len({mark.color for mark in marks}) == len({mark.symbol for mark in marks}) == 3
    assert dict(zip(drawn["AE"].y, drawn["AE"].x, strict=True)) == {row.name: row.baseline for row in bias.classes}
    # A bar is the interval of the difference, laid off from the baseline's mark.
    for row, trace in ((bias.classes[0], drawn["better"]), (bias.classes[2], drawn["worse"])):
        assert trace.x[0] == row.auc.value
        assert trace.x[0] + trace.error_x.array[0] == pytest.approx(row.baseline + row.gain.high)
        assert trace.x[0] - trace.error_x.arrayminus[0] == pytest.approx(row.baseline + row.gain.low)
    assert list(fig.layout.yaxis.categoryarray) == ["truck", "dog", "cat"]  # upwards
    assert ["<u>" in tick for tick in fig.layout.yaxis.ticktext] == [False, True, False]
    for row in bias.classes:
        assert f"{row.name} {row.auc.value:.3f}" in fig.layout.meta["alt"]
    for trace in fig.data:
        assert all(data[0] == name for data, name in zip(trace.customdata or [], trace.y, strict=False))
    assert fig.layout.yaxis.type == "category"  # digits are names, not numbers


def test_the_figure_of_a_detector_alone_has_intervals_of_its_auc() -> None:
    alone = error_bias(RUN)
    trace = next(trace for trace in bias_figure(alone, title="Bias").data if trace.name == "DAE-Flip")
    for i, row in enumerate(alone.classes[::-1]):
        assert (trace.x[i], trace.y[i]) == (row.auc.value, row.name)
        assert trace.x[i] + trace.error_x.array[i] == pytest.approx(row.auc.high)


def test_of_one_class_no_line_of_a_mean_is_named(bias: Bias) -> None:
    def lines(bias: Bias) -> list[str]:
        traces = bias_figure(bias, title="Bias").data
        return [trace.name for trace in traces if trace.mode == "lines" and trace.showlegend is not False]

    assert lines(bias) == [f"mean DAE-Flip {bias.auc:.3f}", f"mean AE {bias.baseline_auc:.3f}"]
    assert lines(replace(bias, classes=bias.classes[:1])) == []
