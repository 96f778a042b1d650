"""Where names stand beside their points: where they cover least of each other and of the points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

AREA = np.array([560.0, 260.0])  # pixels of a plot, about, at its narrowest; wider ones have more room
LETTER, LINE, MARK = 6.8, 15.0, 8.0  # pixels: a letter's width, a line's height, half a mark
# Directions from the point, the first preferred; then the same ones farther away, to which a line leads.
SIDES = np.array([(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)])
AWAY = (0.0, 18.0, 36.0, 60.0)  # pixels
# What a pixel of such a line costs, and that it leads over another point, whose name it would seem to be, in square pixels
# that a name covers; so many places of a line are looked at.
FARTHER, CROSSING, STEPS = 0.1, 6.0, 12
ROUNDS = 3


class Place(NamedTuple):
    """The middle of a name, in pixels to the right of its point and up; whether a line leads there."""

    right: float
    up: float
    line: bool


def beside(points: np.ndarray, heights: np.ndarray, names: Sequence[str], others: np.ndarray) -> list[Place]:
    """Places of the names of points (n, 2), on linear axes.

    ``heights`` (n, 2) is from where to where a point's interval reaches, which is kept free like its mark; the plot is as
    large as all points and ``others`` (m, 2) are.
    """
    every = np.concatenate([points, others])
    least, span = every.min(axis=0), np.ptp(every, axis=0)
    unit = AREA / np.where(span > 0, span, 1.0)
    middles = (points - least) * unit
    marks = np.concatenate([middles - MARK, middles + MARK], axis=1)  # left, bottom, right, top, as all boxes
    low, high = ((heights - least[1]) * unit[1]).T
    marks[:, 1], marks[:, 3] = np.minimum(marks[:, 1], low), np.maximum(marks[:, 3], high)
    sizes = np.array([(LETTER * len(name), LINE) for name in names])
    away = np.concatenate([[side * pixels for side in SIDES] for pixels in AWAY])
    sides = np.tile(SIDES, (len(AWAY), 1))
    offsets = sides * (sizes[:, None] / 2 + MARK) + away  # (name, place, 2)
    corners = (middles[:, None] + offsets)[..., None, :] + np.array([[-1], [1]]) * sizes[:, None, None] / 2
    boxes = corners.reshape(len(names), len(sides), 4)
    detour = np.linalg.norm(away, axis=1)
    lines = middles[:, None, None] + offsets[:, :, None] * np.linspace(0, 1, STEPS)[:, None]
    over = (np.abs(lines[:, :, :, None] - middles) < MARK).all(-1)  # (name, place, step, point)
    over[np.arange(len(names)), :, :, np.arange(len(names))] = False
    costs = FARTHER * detour + CROSSING * over.any(2).sum(2) * (detour > 0)
    chosen = np.zeros(len(names), dtype=int)
    for _ in range(ROUNDS):
        for i in range(len(names)):
            taken = np.concatenate([np.delete(boxes[np.arange(len(names)), chosen], i, axis=0), marks])
            chosen[i] = np.argmin(_shared(boxes[i], taken).sum(axis=1) + costs[i])
    return [Place(*offsets[i, place].tolist(), bool(detour[place])) for i, place in enumerate(chosen)]


def _shared(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Square pixels that boxes (n, 4) share with others (m, 4): (n, m)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return np.clip(high - low, 0, None).prod(axis=2)
