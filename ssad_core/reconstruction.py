"""What several detectors make of the same test images: which of them to look at, and an anomaly made on the spot.

Paper Figs. 6, 13 and 14.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import augment
from .errors import unknown
from .histogram import false_positive_rates
from .spec import Anomaly

if TYPE_CHECKING:
    from torch import Tensor

    from .samples import Samples

# By the first of the detectors, but for the disagreement.
ORDERS = {
    "sample": "a random sample",
    "missed": "worst mistakes first",
    "found": "clearest cases first",
    "disagreement": "largest disagreement first",
}


def order(
    kind: str, normal: Sequence[np.ndarray], anomalous: Sequence[np.ndarray], *, paired: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Which test images to show first: the normals' indices (n,) and the anomalies' (m,), in one of `ORDERS`.

    Mistakes and clear cases are by the first detector's scores. Detectors are compared in the unit that they share: the
    false-positive rate at which an image would just be flagged. Of ``paired`` images, anomaly i made of normal i, pairs stay
    together, and the anomaly says where.

    Parameters
    ----------
    normal, anomalous : each detector's scores of the test normals (n,) and of the anomalies (m,).

    BadInput on another kind.
    """
    if kind not in ORDERS:
        raise unknown("order", kind, ORDERS)

    def disagreement(scores: Sequence[np.ndarray]) -> np.ndarray:
        rates = [false_positive_rates(normals, own) for normals, own in zip(normal, scores, strict=True)]
        return np.round(np.ptp(rates, axis=0), 9)  # as many images are as much, whatever rounding makes of their share

    # The key of what comes first is the highest. A normal is a mistake where its score is high, an anomaly where it is low.
    keys = {
        "sample": lambda scores, wrong: np.zeros(len(scores[0])),
        "missed": lambda scores, wrong: wrong * scores[0],
        "found": lambda scores, wrong: -wrong * scores[0],
        "disagreement": lambda scores, wrong: disagreement(scores),
    }
    sides = (normal, 1), (anomalous, -1)
    found = [np.argsort(-keys[kind](scores, wrong), kind="stable") for scores, wrong in sides]
    return (found[1], found[1]) if paired else (found[0], found[1])


@dataclass(frozen=True)
class Made:
    """An anomaly made on the spot: of which test normal (counted from 0), by which gen, which of its draws, and of a patch
    the place, ``down`` and ``across``, as shares from 0 to 1 of the room that it has."""

    image: int
    gen: Anomaly
    draw: int = 0
    down: float = 0.5
    across: float = 0.5


def make(made: Made, samples: Samples, profile: str) -> Tensor:
    """float32 (2, C, H, W): the test normal and what gen makes of it."""
    import torch  # which a page's first paint does not wait for

    from .samples import to_float

    x = to_float(samples.test_normal()[made.image : made.image + 1])
    transform = augment.get(made.gen.name, profile=profile, role="gen", **dict(made.gen.params))
    generator = torch.Generator().manual_seed(made.draw)
    params = transform.sample_params(1, x.shape[1], x.shape[-1], generator)
    return torch.cat([x, transform.apply(x, transform.placed(params, x.shape[-1], made.down, made.across))])
