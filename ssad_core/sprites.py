"""Many small images in one picture, and error maps as images: what the browser draws the linked views from.

Pictures are for looking: WebP is lossy, so no number is ever read back from one. Scores, AUCs and error maps are
computed from the exact arrays before they get here. 2,000 thumbnails are 4.3 MB as PNG and some 0.5 MB so.
"""

from __future__ import annotations

import io
import math

import numpy as np
from PIL import Image

QUALITY = 75  # of WebP's 0 to 100
EFFORT = 1  # of WebP's 0 to 6: two fifths of the default time, a seventh more bytes
ERROR_CEILING = 0.5  # the error of a pixel that is drawn at full strength; the same in all runs, to be comparable


def sheet(images: np.ndarray, columns: int) -> bytes:
    """One WebP picture of all the images, row by row, ``columns`` in a row; unused places are black.

    Parameters
    ----------
    images : uint8 (N, C, H, W) with C = 1 (grey) or 3 (RGB) and N >= 1
    columns : >= 1; the picture is (columns W) x (ceil(N / columns) H) pixels, at most 16,383 either way (WebP's limit)

    Raises
    ------
    ValueError
        If the images are not uint8 (N, C, H, W) as above, or the picture would be larger than WebP allows.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3) or not len(images):
        raise ValueError(f"a sheet needs uint8 images (N, 1 or 3, H, W), not {images.dtype} {images.shape}")
    n, channels, height, width = images.shape
    rows = math.ceil(n / columns)
    if max(rows * height, columns * width) > 16_383:
        raise ValueError(f"{rows} x {columns} tiles of {height} x {width} are more than a WebP picture holds")
    tiles = np.zeros((rows * columns, channels, height, width), np.uint8)
    tiles[:n] = images
    picture = tiles.reshape(rows, columns, channels, height, width).transpose(0, 3, 1, 4, 2)  # rows H columns W C
    picture = picture.reshape(rows * height, columns * width, channels)
    out = io.BytesIO()
    Image.fromarray(np.broadcast_to(picture, (*picture.shape[:2], 3)).copy()).save(
        out, "WEBP", quality=QUALITY, method=EFFORT
    )
    return out.getvalue()


def error_tiles(errors: np.ndarray) -> np.ndarray:
    """Error maps as grey images for `sheet`, all on one scale.

    0 becomes 0, `ERROR_CEILING` and beyond 255, in all images alike, so that two maps can be compared by eye, whichever
    detector they come from.

    Parameters
    ----------
    errors : float (N, H, W), each pixel's |x - f(x)|, mean over the channels, >= 0

    Returns
    -------
    uint8 (N, 1, H, W)

    >>> error_tiles(np.array([[[0.0, 0.25, 0.5, 0.9]]])).ravel().tolist()
    [0, 128, 255, 255]
    """
    if errors.ndim != 3:
        raise ValueError(f"error maps are (N, H, W), not {errors.shape}")
    return np.rint(np.clip(errors / ERROR_CEILING, 0, 1) * 255).astype(np.uint8)[:, None]
