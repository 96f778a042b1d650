"""Images and what detectors make of them (Figs. 6, 13, 14)."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from ..colours import ERROR_COLOUR
from .base import finish


def reconstruction_figure(
    originals: np.ndarray,
    reconstructions: Mapping[str, np.ndarray],
    scores: Mapping[str, np.ndarray] | None = None,
    right: Mapping[str, np.ndarray] | None = None,
    *,
    n: int = 10,
    errors: bool = True,
    title: str = "Reconstructions",
) -> go.Figure:
    """The first ``n`` originals, and below them each detector's reconstruction and squared error (Figs. 6, 13, 14).

    Images are uint8 (N, C, H, W) with C of 1 or 3, and ``scores`` (N,) by the same names stand below them, with a mark for
    success or failure where ``right``, bool (N,), says which. The error maps, left out without ``errors``, share one scale,
    from transparent for none to full colour for the largest error shown.
    """
    original = _rgb(originals[:n])
    shown = {name: _rgb(images[:n]) for name, images in reconstructions.items()}
    maps = {name: np.mean((images - original) ** 2, axis=-1) for name, images in shown.items()} if errors else {}
    largest = max((error.max() for error in maps.values()), default=0.0)
    rows = [("original", _rgba(original), None)]
    for name, images in shown.items():
        rows.append((name, _rgba(images), None if scores is None else scores[name]))
        if errors:
            rows.append((f"{name}: error", _error_map(maps[name], largest), None))

    count, height, width = original.shape[:3]
    gap = max(1, height // 4)  # room for a score below each image
    mosaic = np.zeros((len(rows), height + gap, count, width + 2, 4), np.uint8)
    for r, (_, tiles, _) in enumerate(rows):
        mosaic[r, :height, :, :width] = tiles.transpose(1, 0, 2, 3)
    mosaic = mosaic.reshape(len(rows) * (height + gap), count * (width + 2), 4)
    fig = go.Figure(go.Image(source=_png(mosaic), hoverinfo="skip"))
    for r, (name, _, row_scores) in enumerate(rows):
        for i, value in enumerate([] if row_scores is None else row_scores[:n]):
            mark = "" if right is None else "✓ " if right[name][i] else "✗ "
            x, y = i * (width + 2) + width / 2, r * (height + gap) + height + gap / 2
            fig.add_annotation(x=x, y=y, text=f"{mark}{value:.3g}", showarrow=False, font={"size": 10})
    ticks = [r * (height + gap) + height / 2 for r in range(len(rows))]
    fig.update_yaxes(tickvals=ticks, ticktext=[name for name, _, _ in rows], showgrid=False)
    fig.update_xaxes(visible=False)
    fig.update_layout(height=120 + 80 * len(rows))
    alt = f"{count} images and their reconstructions by {', '.join(shown)}"
    alt += ", each with its squared error per pixel." if errors else "."
    if scores:
        means = ", ".join(f"{name} {np.mean(scores[name][:n]):.3g}" for name in shown)
        alt += f" Mean score: {means}."
    return finish(fig, title, alt)


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
