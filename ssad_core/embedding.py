"""Two-dimensional maps of embeddings by t-SNE, and how far apart sets of embeddings are themselves; paper Figs. 8, 9 and
17, METHOD: "What the views draw"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .errors import BadInput

PERPLEXITY = 30.0  # neighbours that t-SNE tries to keep near each point, where nobody asks for others
FEWEST_POINTS = 10  # a perplexity of 3; below it no neighbourhood is worth the name
BARNES_HUT_UP_TO = 5_000  # points; from some thousands on the FFT's fixed cost pays off
# Iterations in the beginning, in which like points are drawn together twelve times as strongly. Half of openTSNE's: maps
# are as good within the spread of seeds, and there a sixth sooner (docs/performance.md).
EXAGGERATED = 125
FRAME_EVERY = 25  # iterations
# How coarse Barnes-Hut may be. The maps of many points, which take seconds, are as good as at openTSNE's .5, a quarter
# sooner (docs/performance.md); few points would not come to rest as well.
MANY = 1_000
ANGLE = 0.8


def usable_perplexity(points: int, perplexity: float = PERPLEXITY) -> float:
    """``perplexity``, or (points - 1) / 3 if that is less: a point needs 3 x perplexity neighbours.

    `tsne` uses this one, so that small sets get their map; whoever shows the map says so when the two differ.
    BadInput for fewer than ten points or a perplexity below one.

    >>> usable_perplexity(2000), usable_perplexity(61)
    (30.0, 20.0)
    """
    if points < FEWEST_POINTS:
        raise BadInput(f"a t-SNE map needs at least {FEWEST_POINTS} points, not {points}")
    if perplexity < 1:
        raise BadInput(f"a perplexity is at least 1, not {perplexity}")
    return min(perplexity, (points - 1) / 3)


def tsne(
    X: ArrayLike,
    *,
    perplexity: float = PERPLEXITY,
    seed: int = 0,
    iterations: int = 500,
    threads: int | None = None,
) -> np.ndarray:
    """float32 (n, 2): t-SNE of the raw embeddings ``X`` (n, h), all groups in one call.

    Nothing is normalised. Neighbours are exact and Euclidean, the start is the first two principal components, which the
    seed jitters, and after `EXAGGERATED` iterations of early exaggeration there are ``iterations`` more (all else as by
    openTSNE's defaults, but for `ANGLE` with `MANY`). The same seed and number of threads (None: all) give the same map.
    Axes and the distance between far clusters mean nothing; for the perplexity of small sets see `usable_perplexity`.

    BadInput for fewer than ten points, a perplexity below one, or embeddings that all coincide (a collapsed detector);
    ValueError if ``X`` is not finite or not (n, h) with h of at least 2.
    """
    return tsne_frames(X, perplexity=perplexity, seed=seed, iterations=iterations, threads=threads)[-1]


def tsne_frames(
    X: ArrayLike,
    *,
    perplexity: float = PERPLEXITY,
    seed: int = 0,
    iterations: int = 500,
    threads: int | None = None,
) -> np.ndarray:
    """float32 (frames, n, 2): the course of `tsne`'s optimisation, every `FRAME_EVERY` iterations, its map the last one."""
    X = np.asarray_chkfinite(X, dtype=np.float64)
    if X.ndim != 2 or X.shape[1] < 2:
        raise ValueError(f"embeddings are (points, dimensions), at least two of the latter, not {X.shape}")
    perplexity = usable_perplexity(len(X), perplexity)
    if not np.ptp(X, axis=0).any():
        raise BadInput("all embeddings coincide: the detector has collapsed, and there is nothing to map")
    from openTSNE import TSNE  # two seconds to import, and most pages draw no map

    frames: list[np.ndarray] = []
    fitted = TSNE(
        perplexity=perplexity,
        initialization="pca",
        neighbors="exact",
        negative_gradient_method="bh" if len(X) <= BARNES_HUT_UP_TO else "fft",
        theta=ANGLE if len(X) >= MANY else 0.5,
        early_exaggeration_iter=EXAGGERATED,
        n_iter=iterations,
        n_jobs=threads or -1,
        random_state=seed,
        # It only looks on; None lets the optimisation go on.
        callbacks=lambda iteration, error, found: frames.append(np.array(found, dtype=np.float32)),
        callbacks_every_iters=FRAME_EVERY,
    ).fit(X)
    if iterations % FRAME_EVERY == 0:  # what was looked at lacks the last step
        frames.pop()
    return np.stack([*frames, np.asarray(fitted, dtype=np.float32)])


@dataclass(frozen=True)
class Separation:
    """How far apart two sets of embeddings are, by Euclidean distances in their own space.

    silhouette : the mean silhouette in [-1, 1]; near 0 the two lie in each other, near 1 far apart.
    purity : the share of all points, in [0, 1], whose nearest other point is of their own set.
    chance : the purity of sets that lie in each other at random: about .5 where they are of one size.
    """

    silhouette: float
    purity: float
    chance: float


def separation(one: ArrayLike, other: ArrayLike) -> Separation:
    """The `Separation` of two sets of raw embeddings, (n, h) and (m, h), at least two of each (BadInput).

    Of several points that are equally near, each counts in part, so that a collapsed detector has a purity of chance.

    >>> separation([[0.0], [0.0], [0.0]], [[1.0], [1.0], [1.0]])
    Separation(silhouette=1.0, purity=1.0, chance=0.4)
    """
    sets = [np.asarray_chkfinite(part, dtype=np.float64) for part in (one, other)]
    sizes = np.array([len(part) for part in sets])
    if sizes.min() < 2:
        raise BadInput(f"the separation of two sets needs at least two points of each, not {sizes.min()}")
    from scipy.spatial.distance import cdist
    from sklearn.metrics import silhouette_score

    points, label = np.concatenate(sets), np.repeat([0, 1], sizes)
    distance = cdist(points, points)
    silhouette = silhouette_score(distance, label, metric="precomputed")
    np.fill_diagonal(distance, np.inf)
    nearest = distance == distance.min(axis=1, keepdims=True)
    own = nearest & (label[:, None] == label)
    return Separation(
        silhouette=float(silhouette),
        purity=float(np.mean(own.sum(axis=1) / nearest.sum(axis=1))),
        chance=float(sizes @ (sizes - 1) / (sizes.sum() * (sizes.sum() - 1))),
    )
