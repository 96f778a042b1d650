"""Images, and what detectors (Figs. 6, 13, 14) and augmentations make of them."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from ..colours import ERROR_COLOUR
from ..numbers import number
from ..sprites import ERROR_CEILING
from .base import finish


def reconstruction_figure(
    originals: np.ndarray,
    reconstructions: Mapping[str, np.ndarray],
    scores: Mapping[str, np.ndarray] | None = None,
    right: Mapping[str, np.ndarray] | None = None,
    *,
    errors: bool = True,
    title: str = "Reconstructions",
) -> go.Figure:
    """The originals, and below them each detector's reconstruction and squared error (Figs. 6, 13, 14).

    Images are uint8 (N, C, H, W) with C of 1 or 3, and ``scores`` (N,) by the same names stand below them, with a mark for
    success or failure where ``right``, bool (N,), says which. The error maps, left out without ``errors``, share one scale,
    from transparent for none to full colour for the largest error shown.
    """
    original = _rgb(originals)
    shown = {name: _rgb(images) for name, images in reconstructions.items()}
    maps = {name: np.mean((images - original) ** 2, axis=-1) for name, images in shown.items()} if errors else {}
    largest = max((error.max() for error in maps.values()), default=0.0)
    rows = [_Row("original", _rgba(original))]
    for name, images in shown.items():
        values = [number(value) for value in ([] if scores is None else scores[name])]
        if right is not None:
            values = [("✓ " if r else "✗ ") + value for r, value in zip(right[name], values, strict=False)]
        rows.append(_Row(name, _rgba(images), values))
        if errors:
            rows.append(_Row(f"{name}: error", _error_map(maps[name], largest)))
    fig = _mosaic(rows)
    alt = f"{len(original)} images and their reconstructions by {', '.join(shown)}"
    alt += ", each with its squared error per pixel." if errors else "."
    if scores:
        means = ", ".join(f"{name} {number(np.mean(scores[name]))}" for name in shown)
        alt += f" Mean score: {means}."
    return finish(fig, title, alt)


def gallery_figure(
    originals: np.ndarray,
    changed: Mapping[str, np.ndarray],
    degrees: Mapping[str, float],
    colours: Mapping[str, str],
    *,
    title: str = "Augmentations",
) -> go.Figure:
    """Images above what each augmentation makes of them: the changed images, and beside these how much each pixel changed.

    All images are uint8 (N, C, H, W) with C of 1 or 3. A difference is the mean absolute change over the channels, from
    transparent for none to full colour for `sprites.ERROR_CEILING`, in all rows alike. ``degrees`` of modification, in
    [0, 1], stand beside the names, which have ``colours``; all three go by the same names.
    """
    original = _rgb(originals)
    nothing = np.zeros((*original.shape[:3], 4), np.uint8)
    between = nothing[:1]
    rows = [_Row("original", np.concatenate([_rgba(original), between, nothing]))]
    for name, images in changed.items():
        after = _rgb(images)
        difference = np.minimum(np.abs(after - original).mean(-1), ERROR_CEILING)
        text = f'<span style="color:{colours[name]}"><b>{name}</b></span> {degrees[name]:.3f}'
        rows.append(_Row(text, np.concatenate([_rgba(after), between, _error_map(difference, ERROR_CEILING)])))
    fig = _mosaic(rows)
    fig.update_layout(height=160 + 58 * len(rows))  # twice as many tiles beside each other, so smaller ones
    count, width = len(original), original.shape[2] + 2
    for text, middle in (("changed", count / 2), ("difference", 1.5 * count + 1)):
        fig.add_annotation(x=middle * width, y=0, yanchor="bottom", text=text, showarrow=False)
    alt = f"{count} images as {len(changed)} augmentations change them, and the difference. Degree of modification: "
    alt += ", ".join(f"{name} {degrees[name]:.3f}" for name in changed)
    return finish(fig, title, f"{alt}.")


class _Row(NamedTuple):
    """A name, uint8 RGBA tiles (N, H, W, 4), and a text below each of the first of them."""

    name: str
    tiles: np.ndarray
    below: Sequence[str] = ()


def _mosaic(rows: Sequence[_Row]) -> go.Figure:
    """Rows of the same number of tiles as one picture, their names at the left."""
    count, height, width = rows[0].tiles.shape[:3]
    gap = max(1, height // 4)  # room for a text below each image
    picture = np.zeros((len(rows), height + gap, count, width + 2, 4), np.uint8)
    for r, row in enumerate(rows):
        picture[r, :height, :, :width] = row.tiles.transpose(1, 0, 2, 3)
    fig = go.Figure(go.Image(source=_png(picture.reshape(len(rows) * (height + gap), -1, 4)), hoverinfo="skip"))
    for r, row in enumerate(rows):
        for i, text in enumerate(row.below):
            x, y = i * (width + 2) + width / 2, r * (height + gap) + height + gap / 2
            fig.add_annotation(x=x, y=y, text=text, showarrow=False, font={"size": 10})
    ticks = [r * (height + gap) + height / 2 for r in range(len(rows))]
    fig.update_yaxes(tickvals=ticks, ticktext=[row.name for row in rows], showgrid=False)
    fig.update_xaxes(visible=False)
    return fig.update_layout(height=120 + 80 * len(rows))


def _rgb(images: np.ndarray) -> np.ndarray:
    """uint8 (N, 1 or 3, H, W) to float (N, H, W, 3) in [0, 1]."""
    pixels = np.asarray(images).transpose(0, 2, 3, 1) / 255
    return np.broadcast_to(pixels, (*pixels.shape[:3], 3))


def _rgba(pixels: np.ndarray) -> np.ndarray:
    opaque = np.ones((*pixels.shape[:3], 1))
    return np.round(255 * np.concatenate([pixels, opaque], axis=-1)).astype(np.uint8)


def _error_map(error: np.ndarray, largest: float) -> np.ndarray:
    """(N, H, W) errors to uint8 RGBA tiles whose opacity is the error."""
    tiles = np.empty((*error.shape, 4), np.uint8)
    tiles[..., :3] = ERROR_COLOUR
    tiles[..., 3] = np.round(255 * error / (largest or 1))
    return tiles


def _png(pixels: np.ndarray) -> str:
    """uint8 (H, W, 4) as a data URI."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
