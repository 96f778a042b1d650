"""t-SNE maps: what every map must have, how it comes about, and what small or collapsed sets get; how far apart sets of
embeddings are, by brute force."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness

from ssad_core import embedding
from ssad_core.embedding import EXAGGERATED, FRAME_EVERY, separation, tsne, tsne_frames, usable_perplexity
from ssad_core.errors import BadInput


@pytest.fixture(scope="module")
def blobs() -> np.ndarray:
    """Two far groups of 60 points each, float32 (120, 8)."""
    rng = np.random.default_rng(0)
    return (rng.normal(size=(120, 8)) + np.repeat([0, 30], 60)[:, None]).astype(np.float32)


@pytest.fixture(scope="module")
def blob_map(blobs: np.ndarray) -> np.ndarray:
    return tsne(blobs, threads=1)


def test_far_groups_come_apart(blob_map: np.ndarray) -> None:
    assert blob_map.shape == (120, 2)
    assert blob_map.dtype == np.float32
    distances = np.linalg.norm(blob_map[:, None] - blob_map, axis=-1)
    inside = max(distances[:60, :60].max(), distances[60:, 60:].max())
    assert distances[:60, 60:].min() > inside / 2
    nearest = np.argsort(distances, axis=1)[:, 1]
    assert np.array_equal(nearest < 60, np.arange(120) < 60)


def test_neighbours_of_real_images_stay_neighbours() -> None:

    images, labels = load_digits(return_X_y=True)
    images, labels = images[:400], labels[:400]
    found = tsne(images, threads=1)
    assert trustworthiness(images, found, n_neighbors=10) > 0.95
    distances = np.linalg.norm(found[:, None] - found, axis=-1)
    nearest = np.argsort(distances, axis=1)[:, 1]
    assert np.mean(labels[nearest] == labels) > 0.9


def test_same_seed_same_map(blobs: np.ndarray, blob_map: np.ndarray) -> None:
    assert np.array_equal(blob_map, tsne(blobs, threads=1))
    assert not np.array_equal(blob_map, tsne(blobs, threads=1, seed=1))


def test_embeddings_are_taken_raw() -> None:
    # Two groups that differ in length only: a map of normalised embeddings could not tell them apart.
    rng = np.random.default_rng(1)
    directions = np.eye(5)[0] + 0.05 * rng.normal(size=(80, 5))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    found = tsne(directions * np.repeat([1, 10], 40)[:, None], perplexity=10, threads=1)
    distances = np.linalg.norm(found[:, None] - found, axis=-1)
    nearest = np.argsort(distances, axis=1)[:, 1]
    assert np.array_equal(nearest < 40, np.arange(80) < 40)


def test_duplicate_points_are_mapped_together() -> None:
    found = tsne(np.repeat(np.random.default_rng(2).normal(size=(20, 4)), 5, axis=0), perplexity=5, threads=1)
    assert np.all(np.isfinite(found))
    copies = found.reshape(20, 5, 2)
    centres = copies.mean(axis=1)
    apart = np.linalg.norm(centres[:, None] - centres, axis=-1)[~np.eye(20, dtype=bool)].min()
    assert np.linalg.norm(copies - centres[:, None], axis=-1).max() < apart


def test_small_sets_get_a_map_at_a_lower_perplexity() -> None:
    assert usable_perplexity(91) == 30
    assert usable_perplexity(90) == pytest.approx(89 / 3)
    X = np.random.default_rng(3).normal(size=(40, 4))
    assert np.array_equal(tsne(X, threads=1), tsne(X, perplexity=13, threads=1))
    assert not np.array_equal(tsne(X, threads=1), tsne(X, perplexity=5, threads=1))
    assert np.all(np.isfinite(tsne(X[:10], threads=1)))


def test_what_cannot_be_mapped_is_said() -> None:
    rng = np.random.default_rng(4)
    with pytest.raises(BadInput, match="at least 10 points, not 9"):
        tsne(rng.normal(size=(9, 4)))
    with pytest.raises(BadInput, match="perplexity"):
        tsne(rng.normal(size=(20, 4)), perplexity=0)
    with pytest.raises(BadInput, match="collapsed"):
        tsne(np.ones((20, 4)))
    for bad in (np.full((20, 4), np.nan), np.zeros(20), np.zeros((20, 1))):
        with pytest.raises(ValueError, match=r"embeddings|infs or NaNs"):
            tsne(bad)


def test_the_frames_lead_to_the_map_and_do_not_change_it(blobs: np.ndarray, blob_map: np.ndarray) -> None:
    from openTSNE import TSNE

    frames = tsne_frames(blobs, threads=1)
    assert frames.shape == ((EXAGGERATED + 500) // FRAME_EVERY, 120, 2)
    assert frames.dtype == np.float32
    assert np.array_equal(frames[-1], blob_map)
    # openTSNE by itself, looked at by nobody.
    options = {"initialization": "pca", "neighbors": "exact", "negative_gradient_method": "bh", "random_state": 0}
    plain = TSNE(perplexity=30, n_jobs=1, early_exaggeration_iter=EXAGGERATED, **options).fit(blobs.astype(np.float64))
    assert np.array_equal(np.asarray(plain, dtype=np.float32), blob_map)
    # While like points are drawn together, the map is small; then it spreads.
    extent = np.ptp(frames, axis=1).max(axis=1)
    half = EXAGGERATED // FRAME_EVERY
    assert extent[:half].max() < extent[half + 2 :].min()
    steps = np.linalg.norm(np.diff(frames, axis=0), axis=2).mean(axis=1)
    assert steps[-1] < steps[half] / 5


def test_maps_of_many_points_are_as_good_as_opentsnes(monkeypatch: pytest.MonkeyPatch) -> None:
    from openTSNE import TSNE

    monkeypatch.setattr(embedding, "MANY", 500)  # which take half as long
    X = load_digits().data[:500]
    plain = TSNE(initialization="pca", neighbors="exact", negative_gradient_method="bh", random_state=0).fit(X)
    frames = tsne_frames(X)  # coarser, and half as long drawn together
    ours, openTSNEs = (trustworthiness(X, np.asarray(xy), n_neighbors=12) for xy in (frames[-1], plain))
    assert ours > openTSNEs - 0.003 > 0.97
    steps = np.linalg.norm(np.diff(frames, axis=0), axis=2).mean(axis=1)
    assert steps[-1] < steps[EXAGGERATED // FRAME_EVERY] / 5


def test_a_map_of_a_number_of_iterations_that_no_frame_meets(blobs: np.ndarray) -> None:
    frames = tsne_frames(blobs, iterations=60, threads=1)
    assert len(frames) == EXAGGERATED // FRAME_EVERY + 3
    assert np.array_equal(frames[-1], tsne(blobs, iterations=60, threads=1))


def brute_force(one: np.ndarray, other: np.ndarray) -> tuple[float, float, float]:
    """Silhouette, purity and its mean over random labels, point by point."""
    points = [*one, *other]
    label = [0] * len(one) + [1] * len(other)
    distance = [[float(np.sqrt(((a - b) ** 2).sum())) for b in points] for a in points]
    silhouettes, pure = [], []
    for i, row in enumerate(distance):
        own = [d for j, d in enumerate(row) if j != i and label[j] == label[i]]
        rest = [d for j, d in enumerate(row) if label[j] != label[i]]
        a, b = sum(own) / len(own), sum(rest) / len(rest)
        silhouettes.append((b - a) / max(a, b))
        pure.append(min(own) < min(rest))
    rng, draws = np.random.default_rng(0), []
    for _ in range(400):
        mixed = rng.permutation(label)
        draws.append(np.mean([mixed[np.argsort(row)[1]] == mixed[i] for i, row in enumerate(distance)]))
    return float(np.mean(silhouettes)), float(np.mean(pure)), float(np.mean(draws))


@pytest.mark.parametrize(("sizes", "shift"), [((40, 40), 0.0), ((60, 20), 1.0), ((25, 50), 8.0)])
def test_separation_is_that_of_brute_force(sizes: tuple[int, int], shift: float) -> None:
    rng = np.random.default_rng(5)
    one, other = (rng.normal(size=(n, 6)).astype(np.float32) for n in sizes)
    found = separation(one, other + np.float32(shift))
    silhouette, purity, chance = brute_force(one, other + np.float32(shift))
    assert found.silhouette == pytest.approx(silhouette, abs=1e-6)
    assert found.purity == pytest.approx(purity)
    assert found.chance == pytest.approx(chance, abs=0.02)


def test_separation_does_not_depend_on_scale_place_or_order() -> None:
    rng = np.random.default_rng(6)
    one, other = rng.normal(size=(30, 4)), rng.normal(size=(20, 4)) + 1
    found = separation(one, other)
    assert separation(other, one) == found
    again = separation(3 * one + 7, 3 * other + 7)
    assert (again.silhouette, again.purity) == pytest.approx((found.silhouette, found.purity))


def test_sets_that_coincide_are_pure_by_chance_alone() -> None:
    collapsed = separation(np.ones((30, 4)), np.ones((10, 4)))
    assert collapsed.silhouette == 0
    assert collapsed.purity == pytest.approx(collapsed.chance)
    # Each point and its copy in the other set: the nearest is never of its own.
    X = np.random.default_rng(7).normal(size=(50, 4))
    assert separation(X, X).purity == 0
    with pytest.raises(BadInput, match="at least two points of each, not 1"):
        separation(X, X[:1])
