"""t-SNE maps: what every map must have, and what small or collapsed sets get."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from ssad_core.embedding import tsne, usable_perplexity
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
    from sklearn.datasets import load_digits

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
