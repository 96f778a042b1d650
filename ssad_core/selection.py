"""Choosing aug without labels (Sec. 6): DSV (Yoo et al., ECML PKDD 2023) and the criteria that it was compared with.

All are of embeddings by the detector that is judged: of training images (trn), of the same under its aug (aug), and of the
test images, whose labels nobody knows (test); each is divided by its length. That of several detectors whose value is
smallest is chosen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from .mmd import embeddings

EPSILON = 1e-8  # of the discordance (METHOD: "Label-free selection")
ROUNDING = 1e-6  # that float32 may leave, beside points of length 1, where nothing is

# What each is called; lower is better of all of them.
CRITERIA = {
    "dsv": "DSV",
    "discordance": "Discordance alone",
    "separability": "Separability alone",
    "distance": "Distance to the test images",
    "spread": "Spread of these distances",
    "mmd": "MMD to the test images, linear",
}


def dsv(trn: ArrayLike, aug: ArrayLike, test: ArrayLike) -> float:
    """Discordance and separability validation, L - S / L: low where trn and aug together surround the test images, and these
    spread in the direction from trn to aug.

    Parameters and errors are those of `criteria`; nan where trn and aug are one point but for rounding.

    >>> round(dsv([[1, 0], [1, 0.1]], [[0, 1]], [[1, 0], [0, 1]]), 3)
    -0.452
    """
    return criteria(trn, aug, test)["dsv"]


def criteria(trn: ArrayLike, aug: ArrayLike, test: ArrayLike) -> dict[str, float]:
    """All of `CRITERIA`, by name; nan for what would be divided by rounding alone, as by the distances of a detector that
    gives every image the same code.

    Parameters
    ----------
    trn, aug, test : embeddings (n, h), (m, h) and (k, h), computed in float64 whatever they come in. The true share of
        anomalies must have no part in how many are given: it is a label.

    ValueError if they are empty, not finite, or not of one dimension h.
    """
    trn, aug, test = (_unit(embeddings(points)) for points in (trn, aug, test))
    if len({points.shape[1] for points in (trn, aug, test)}) > 1:
        raise ValueError(
            f"embeddings of {trn.shape[1]}, {aug.shape[1]} and {test.shape[1]} dimensions are not of one encoder"
        )
    known = np.concatenate([trn, aug])
    to_test = _distances(known, test)
    between = _distances(trn, aug).mean()
    centre = trn.mean(axis=0)
    along = (test - centre) @ _unit(aug - centre, ROUNDING).T
    apart = between if between > ROUNDING else math.nan
    discordance = to_test.mean() / (apart + EPSILON)
    separability = along.std() / apart
    values = {
        "dsv": discordance - np.minimum(separability, 0.5) / discordance,
        "discordance": discordance,
        "separability": -separability,
        "distance": to_test.mean(),
        "spread": -to_test.std(),
        "mmd": np.square(known.mean(axis=0) - test.mean(axis=0)).sum(),
    }
    return {name: float(value) for name, value in values.items()}


def _distances(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Half of each |a - b|: between 0 and 1 for directions."""
    from scipy.spatial.distance import cdist  # a page that may never ask for it imports this module

    return cdist(A, B) / 2


def _unit(points: np.ndarray, least: float = 0.0) -> np.ndarray:
    """Each divided by its length; what has none above ``least`` stays where it is."""
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    return points / np.where(lengths > least, lengths, 1)


def choose(values: Mapping[str, float]) -> str | None:
    """The name of a criterion's smallest value; nan is no value, and of none there is no choice."""
    known = {name: value for name, value in values.items() if not math.isnan(value)}
    return min(known, key=known.__getitem__) if known else None
