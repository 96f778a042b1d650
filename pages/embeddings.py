"""Embeddings side by side: where each detector's code puts normal, augmented and anomalous images (Figs. 8, 9 and 17)."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import streamlit as st

from pages.components.address import MOST_MAP_SEED, PERPLEXITIES, MapState, State, write_address
from pages.components.background import compute_missing
from pages.components.lineup import lined_up, own_place
from pages.components.maps import MapData, MapRun, RunMap, maps
from pages.components.part import part
from pages.components.pictures import Sheet, by_group, sheet_of
from pages.components.router import show
from ssad_core.embedding import FEWEST_POINTS, usable_perplexity
from ssad_core.histogram import scale_for
from ssad_core.report import task

if TYPE_CHECKING:
    from ssad_core.embedding import Separation
    from ssad_core.views import Comparison, Points


class Sample(NamedTuple):
    """What is the same whatever the maps' perplexity and seed.

    points : of the first comparison, which number the points.
    originals : sheets of their images and then of each run's augmented ones, which begin at tile ``augmented`` (None: none).
    places : for each run, which of the points its own are; ``scores`` are those of its own, by group.
    """

    points: Points
    originals: list[Sheet]
    augmented: list[int | None]
    places: list[np.ndarray]
    scores: list[dict[str, np.ndarray]]
    aucs: list[float]
    separations: list[dict[str, Separation | None]]


# A resource, not data: nobody changes it, and it needs no copy in every rerun.
@st.cache_resource(max_entries=8, show_spinner=False)
def _sample(key: str, _first: Comparison, _comparisons: list[Comparison]) -> Sample:
    from ssad_core.views import APART, GROUPS

    points = _first.points()
    sheets, augmented, places = by_group(points.originals, points.group), [], []
    scores = [comparison.scores() for comparison in _comparisons]
    for comparison, own in zip(_comparisons, scores, strict=True):
        there = "train augmented" in own
        augmented.append(sum(each.tiles for each in sheets) if there else None)
        if there:
            sheets.append(sheet_of(comparison.augmented()))
        sizes = [(GROUPS.index(group), len(values)) for group, values in own.items()]
        places.append(np.concatenate([np.flatnonzero(points.group == group)[:size] for group, size in sizes]))
    return Sample(
        points,
        sheets,
        augmented,
        places,
        scores,
        [comparison.auc for comparison in _comparisons],
        [
            {name: found.get(name) for name in APART}
            for found in (comparison.separations() for comparison in _comparisons)
        ],
    )


def ask_map(state: State) -> None:
    """Perplexity and seeds, shared by all maps."""
    perplexity, seed, beside = st.columns([4, 2, 4], vertical_alignment="bottom")
    chosen = perplexity.slider(
        "Perplexity",
        *PERPLEXITIES,
        state.maps.perplexity,
        help="How many neighbours t-SNE tries to keep near each point. Clusters that only show at one perplexity are no "
        "finding.",
        key="ask-perplexity",
    )
    map_seed = seed.number_input(
        "Map seed",
        0,
        MOST_MAP_SEED,
        state.maps.map_seed,
        help="Every map starts at the codes' first two principal components; the seed jitters that start.",
        key="ask-map-seed",
    )
    two_seeds = beside.toggle(
        "Another map seed below",
        state.maps.two_seeds,
        help="The next seed's maps too, a row for each. What looks different in the two is chance, not the detector.",
        key="ask-two-seeds",
    )
    state.maps = MapState(chosen, int(map_seed), two_seeds)


def show_maps(state: State, comparisons: list[Comparison]) -> None:
    """The maps of all runs, each as soon as it is there; ``state`` then has what they are set to."""
    from ssad_core.views import same_sample

    first, comparisons = comparisons[0], same_sample(comparisons)
    key = "-".join(comparison.key for comparison in comparisons)
    sample = _sample(f"{first.key}-{key}", first, comparisons)
    perplexity, seed, two_seeds = astuple(state.maps)
    seeds = [seed, seed + 1][: 1 + two_seeds]
    found = {
        (k, seed): comparison.own_map(compute=False, perplexity=perplexity, seed=seed)
        for seed in seeds
        for k, comparison in enumerate(comparisons)
    }

    def job(k: int, seed: int) -> str:
        # With the time of its training: a run that was deleted and trained again starts afresh.
        return f"map-{comparisons[k].key}-{comparisons[k].run.result['finished']}-{perplexity}-{seed}"

    failed = compute_missing(
        {
            job(k, seed): lambda k=k, seed=seed: comparisons[k].own_map(perplexity=perplexity, seed=seed)
            for (k, seed), each in found.items()
            if each is None
        }
    )

    def run_map(k: int, seed: int) -> RunMap:
        each, error = found[k, seed], failed.get(job(k, seed))
        if each is None:
            return RunMap(k, seed, status=error or "t-SNE is at work; one map after the other.", failed=bool(error))
        n = len(sample.points.group)
        return RunMap(k, seed, *(_spread(part, sample.places[k], n) for part in (each.xy, each.frames)))

    state.views = maps(
        MapData(
            id=first.key,
            title=f"{task(first)}, perplexity {perplexity}",
            group=sample.points.group,
            pair=sample.points.pair,
            labels=sample.points.labels,
            originals=sample.originals,
            size=first.dataset.info.size,
            runs=[_run(sample, k, comparison) for k, comparison in enumerate(comparisons)],
            maps=[run_map(k, seed) for k, seed in found],
            seeds=seeds,
            chosen=own_place(state, comparisons),
            scale=scale_for(
                [scores["test normal"] for scores in sample.scores],
                [part for scores in sample.scores for part in scores.values()],
            ),
            runs_id=key,
        ),
        state=state.views,
        key="maps",
    )
    _explain(perplexity, sample, first.shown)


def _run(sample: Sample, k: int, comparison: Comparison) -> MapRun:
    scores = _spread(np.concatenate([*sample.scores[k].values()]), sample.places[k], len(sample.points.group), axis=0)
    return MapRun(comparison.name, sample.aucs[k], scores, sample.augmented[k], sample.separations[k])


def _spread(values: np.ndarray, places: np.ndarray, n: int, axis: int = -2) -> np.ndarray:
    """The values of a run's own points among those of all n; NaN where it has none."""
    shape = list(values.shape)
    shape[axis] = n
    spread = np.full(shape, np.nan, np.float32)
    np.moveaxis(spread, axis, 0)[places] = np.moveaxis(values, axis, 0)
    return spread


def _explain(perplexity: int, sample: Sample, shown: str) -> None:
    st.caption(
        "Silhouette and purity are of the codes themselves, since distances on a t-SNE map mean little. Purity: the share of "
        "images whose nearest other one is of their own group, beside what chance gives. Aligned, aug and anomalies lie in "
        "each other (silhouette near 0, purity near chance). In the paper (Obs. 7) an aug that changes the whole image, as "
        "Flip, then has both apart from the normals; with a local one, as CutOut, all may lie mixed, and the anomalies be "
        "found all the same. The last row shows what the split into training and test alone makes of it. Measured here, on "
        f"the images shown. {shown}"
    )
    fewest = min(map(len, sample.places))
    if fewest >= FEWEST_POINTS and usable_perplexity(fewest, perplexity) < perplexity:
        least = usable_perplexity(fewest, perplexity)
        st.caption(f"The smallest map has {fewest} points and so a perplexity of {least:.3g}.")
    if None in sample.augmented:
        st.caption(
            "A detector without aug has no augmented images of its own: in its map they are neither drawn nor caught."
        )


@part
def embeddings(state: State, comparisons: list[Comparison]) -> None:
    """The maps, and what can be set."""
    ask_map(state)
    write_address(state)
    show_maps(state, comparisons)
    write_address(state)


def page() -> None:
    state, comparisons = lined_up()
    if comparisons:
        embeddings(state, comparisons)


show(page)
