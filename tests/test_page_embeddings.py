"""The page Embeddings through AppTest: maps computed in the background, what it asks, its address."""

from __future__ import annotations

from concurrent.futures import wait
from pathlib import Path

import numpy as np
import pytest
from apptest import TINY, address, calm, labels, open_page, tiny, words
from streamlit.testing.v1 import AppTest

from pages.components import service
from pages.components.linked import ViewState
from pages.components.maps import ABSENT, MapData, maps
from ssad_core import worker
from ssad_core.data import load
from ssad_core.store import Store, StoredRun

pytestmark = pytest.mark.usefixtures("no_spares")

PAGE = "pages/embeddings.py"
FLIP = {**TINY, "aug": "flip", "pins": "cutout"}


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[MapData]:
    """What the page has given to its component, which AppTest knows nothing of."""
    given: list[MapData] = []

    def record(data: MapData, *, state: ViewState, key: str) -> ViewState:
        given.append(data)
        return maps(data, state=state, key=key)

    monkeypatch.setattr("pages.components.maps.maps", record)
    return given


def all_maps(app: AppTest) -> AppTest:
    """The page when everything that it has asked for is computed."""
    wait(list(service.jobs()._computations.values()), timeout=120)
    return calm(app.run())


def stored_maps(store: Store, run_id: str) -> list[Path]:
    return sorted((store.run(run_id) / "derived").glob("map-*.npz"))


def test_maps_are_computed_in_the_background_and_kept_with_their_runs(own_lab: Store, shown: list[MapData]) -> None:
    app = open_page(PAGE, **TINY, pins="")
    assert not app.error
    assert [run.name for run in shown[-1].runs] == ["AE", "DAE-CutOut"]
    all_maps(app)
    data = shown[-1]
    assert [(each.run, each.seed) for each in data.maps] == [(0, 0), (1, 0)]
    spec = tiny().run(load("digits"))
    for each, run in zip(data.maps, (own_lab.load(spec.baseline().id), own_lab.load(spec.id)), strict=True):
        (file,) = stored_maps(own_lab, run.id)
        with np.load(file) as kept:
            np.testing.assert_array_equal(each.xy[~np.isnan(each.xy[:, 0])], kept["xy"])
    # The baseline has no augmented images of its own; the others are the same points in both.
    absent = np.isnan(data.maps[0].xy).any(axis=1)
    np.testing.assert_array_equal(absent, np.asarray(data.group) == 1)
    np.testing.assert_array_equal(np.isnan(data.runs[0].scores), absent)
    assert not np.isnan(data.maps[1].xy).any()
    assert data.runs[0].augmented is None
    assert data.runs[0].separations["aug | anomalies"] is None
    assert all(-1 <= found.silhouette <= 1 for found in data.runs[1].separations.values())
    assert "A detector without aug has no augmented images of its own" in words(app)


def test_the_scores_shown_are_those_stored(lab: Path, shown: list[MapData]) -> None:
    open_page(PAGE, **TINY, pins="")
    run = Store().load(tiny().run(load("digits")).id)
    assert isinstance(run, StoredRun)
    group, scores = np.asarray(shown[-1].group), shown[-1].runs[1].scores
    for index, name in {0: "train normal", 1: "train augmented", 2: "normal", 3: "gen:cutout"}.items():
        own = scores[group == index]
        np.testing.assert_array_equal(own, run.scores[name][: len(own)])


def test_perplexity_and_seeds_are_asked_for_kept_and_computed(own_lab: Store, shown: list[MapData]) -> None:
    app = all_maps(open_page(PAGE, **TINY, pins=""))
    first = shown[-1].maps[1].xy
    calm(app.slider(key="ask-perplexity").set_value(10).run())
    calm(app.number_input(key="ask-map-seed").set_value(7).run())
    calm(app.toggle(key="ask-two-seeds").set_value(True).run())
    all_maps(app)
    assert address(app) | {"perplexity": "10", "map_seed": "7", "two_seeds": "1"} == address(app)
    assert [(each.run, each.seed) for each in shown[-1].maps] == [(0, 7), (1, 7), (0, 8), (1, 8)]
    assert all(each.xy is not None for each in shown[-1].maps)
    assert not np.array_equal(shown[-1].maps[1].xy, first)
    assert not np.array_equal(shown[-1].maps[1].xy, shown[-1].maps[3].xy)
    # Back at what is stored nothing is computed.
    before = len(stored_maps(own_lab, tiny().run(load("digits")).id))
    calm(app.slider(key="ask-perplexity").set_value(30).run())
    calm(app.number_input(key="ask-map-seed").set_value(0).run())
    calm(app.toggle(key="ask-two-seeds").set_value(False).run())
    np.testing.assert_array_equal(shown[-1].maps[1].xy, first)
    assert len(stored_maps(own_lab, tiny().run(load("digits")).id)) >= before


def test_a_small_sample_says_its_perplexity(lab: Path) -> None:
    app = open_page(PAGE, **TINY, pins="", perplexity="100")
    assert "The smallest map has 60 points and so a perplexity of 19.7." in words(app)
    calm(app.slider(key="ask-perplexity").set_value(15).run())
    assert "The smallest map has" not in words(app)


def test_another_aug_is_trained_from_here_and_has_its_own_augmented_images(
    own_lab: Store, shown: list[MapData]
) -> None:
    app = open_page(PAGE, **FLIP)
    assert "Train 1 missing run" in labels(app)
    assert [run.name for run in shown[-1].runs] == ["AE", "DAE-CutOut"]
    worker.run(tiny(aug="flip").run(load("digits")), own_lab, "cpu")
    calm(app.run())
    data = shown[-1]
    assert [run.name for run in data.runs] == ["AE", "DAE-Flip", "DAE-CutOut"]
    assert [run.augmented for run in data.runs] == [None, 80, 100]  # 20 images a group, four groups
    assert data.chosen == 1


def test_runs_with_fewer_training_images_cut_the_others_to_them(own_lab: Store, shown: list[MapData]) -> None:
    few = tiny(limit="12").run(load("digits"))
    for spec in (few.baseline(), few):
        worker.run(spec, own_lab, "cpu")
    open_page(PAGE, **TINY, pins=few.id)
    data = shown[-1]
    group = np.asarray(data.group)
    assert np.bincount(group).tolist() == [20, 20, 20, 20]  # the Lab's numbers: a lasso means the same there
    sizes = [[int((~np.isnan(run.scores[group == g])).sum()) for g in range(4)] for run in data.runs]
    assert sizes == [[12, 0, 20, 20], [12, 12, 20, 20], [12, 12, 20, 20]]
    for run in data.runs[1:]:
        np.testing.assert_array_equal(np.flatnonzero(~np.isnan(run.scores[group == 0])), np.arange(12))


def test_coordinates_are_sent_as_whole_numbers_within_each_maps_extent() -> None:
    from pages.components.maps import _whole

    xy = np.random.default_rng(0).normal(size=(3, 50, 2)) * np.array([1, 30, 2])[:, None, None]
    xy[:, 7] = np.nan
    whole = np.frombuffer(_whole(xy), "<u2").reshape(xy.shape)
    assert (whole[:, 7] == ABSENT).all()
    for given, sent in zip(xy, whole, strict=True):
        there = ~np.isnan(given[:, 0])
        extent = np.ptp(given[there], axis=0).max()
        back = sent[there] / (ABSENT - 1) * extent + given[there].min(axis=0)
        np.testing.assert_allclose(back, given[there], atol=extent / ABSENT)
        assert sent[there].max() == ABSENT - 1


def test_a_map_that_cannot_be_is_one_line_in_its_place(own_lab: Store, shown: list[MapData]) -> None:
    run = own_lab.load(tiny().run(load("digits")).id)
    np.savez(run.path / "codes.npz", **{name: np.ones_like(codes) for name, codes in run.codes.items()})
    app = all_maps(open_page(PAGE, **TINY, pins=""))
    assert not app.error
    baseline, collapsed = shown[-1].maps
    assert baseline.xy is not None
    assert "collapsed" in collapsed.status
    assert collapsed.failed
