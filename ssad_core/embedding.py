"""Two-dimensional maps of embeddings by t-SNE; paper Figs. 8, 9 and 17, METHOD: "What the views draw"."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .errors import BadInput

FEWEST_POINTS = 10  # a perplexity of 3; below it no neighbourhood is worth the name
BARNES_HUT_UP_TO = 5_000  # points; from some thousands on the FFT's fixed cost pays off


def usable_perplexity(points: int, perplexity: float = 30.0) -> float:
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
    perplexity: float = 30.0,
    seed: int = 0,
    iterations: int = 500,
    threads: int | None = None,
) -> np.ndarray:
    """float32 (n, 2): t-SNE of the raw embeddings ``X`` (n, h), all groups in one call.

    Nothing is normalised. Neighbours are exact and Euclidean, the start is the first two principal components, and
    after 250 iterations of early exaggeration there are ``iterations`` more (openTSNE's defaults, also elsewhere).
    The same seed and number of threads (None: all) give the same map. Axes and the distance between far clusters mean
    nothing; for the perplexity of small sets see `usable_perplexity`.

    BadInput for fewer than ten points, a perplexity below one, or embeddings that all coincide (a collapsed detector);
    ValueError if ``X`` is not finite or not (n, h) with h of at least 2.
    """
    X = np.asarray_chkfinite(X, dtype=np.float64)
    if X.ndim != 2 or X.shape[1] < 2:
        raise ValueError(f"embeddings are (points, dimensions), at least two of the latter, not {X.shape}")
    perplexity = usable_perplexity(len(X), perplexity)
    if not np.ptp(X, axis=0).any():
        raise BadInput("all embeddings coincide: the detector has collapsed, and there is nothing to map")
    from openTSNE import TSNE  # two seconds to import, and most pages draw no map

    fitted = TSNE(
        perplexity=perplexity,
        initialization="pca",
        neighbors="exact",
        negative_gradient_method="bh" if len(X) <= BARNES_HUT_UP_TO else "fft",
        n_iter=iterations,
        n_jobs=threads or -1,
        random_state=seed,
    ).fit(X)
    return np.asarray(fitted, dtype=np.float32)
