"""Sprites, decoded again by Pillow: every tile is where it should be and looks like its image."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from ssad_core import sprites


def patches(n: int) -> np.ndarray:
    """uint8 (n, 3, 32, 32): natural colour patches of scikit-learn's photograph of a temple."""
    photo = load_sample_image("china.jpg")
    rows, columns = photo.shape[0] // 32, photo.shape[1] // 32
    tiles = photo[: rows * 32, : columns * 32].reshape(rows, 32, columns, 32, 3).transpose(0, 2, 4, 1, 3)
    return np.ascontiguousarray(tiles.reshape(-1, 3, 32, 32)[:n])


def tile(picture: bytes, index: int, columns: int) -> np.ndarray:
    """float (32, 32, 3): one tile of a sheet, as Pillow decodes it."""
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"), np.float32)
    row, column = divmod(index, columns)
    return pixels[row * 32 : row * 32 + 32, column * 32 : column * 32 + 32]


def test_every_tile_is_its_own_image() -> None:
    images = patches(100)
    picture = sprites.sheet(images, 7)
    assert Image.open(io.BytesIO(picture)).size == (7 * 32, 15 * 32)
    decoded = np.stack([tile(picture, index, 7).transpose(2, 0, 1) for index in range(100)])
    distance = np.abs(decoded[:, None] - images[None].astype(np.float32)).mean(axis=(2, 3, 4))  # (tile, image)
    assert (distance.argmin(axis=1) == np.arange(100)).all()
    assert distance.diagonal().mean() < 8  # of 255: lossy, but not to the eye


def test_tiles_do_not_bleed() -> None:
    images = np.zeros((9, 3, 32, 32), np.uint8)
    images[4] = 255  # white amid black
    picture = sprites.sheet(images, 3)
    assert tile(picture, 4, 3).min() > 240
    assert max(tile(picture, index, 3).max() for index in range(9) if index != 4) < 15


def test_grey_stays_grey() -> None:
    grey = patches(20).mean(axis=1, keepdims=True).astype(np.uint8)
    decoded = tile(sprites.sheet(grey, 5), 11, 5)
    assert np.ptp(decoded, axis=2).max() <= 4
    assert np.abs(decoded.mean(axis=2) - grey[11, 0]).mean() < 6


def test_two_thousand_thumbnails_fit_a_page() -> None:
    images = np.tile(patches(250), (8, 1, 1, 1))
    assert len(sprites.sheet(images, 45)) < 1_200_000


@pytest.mark.parametrize(
    "images",
    [np.zeros((2, 3, 32, 32)), np.zeros((2, 2, 32, 32), np.uint8), np.zeros((0, 3, 32, 32), np.uint8)],
    ids=["float", "two channels", "none"],
)
def test_what_is_no_stack_of_images_is_refused(images: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8 images"):
        sprites.sheet(images, 4)


def test_more_than_webp_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="WebP"):
        sprites.sheet(np.zeros((600, 1, 32, 32), np.uint8), 1)


def test_error_tiles_are_the_errors_on_one_scale() -> None:
    x = patches(12) / np.float32(255)
    errors = np.abs(x - np.roll(x, 1, axis=0)).mean(axis=1)
    tiles = sprites.error_tiles(errors)
    assert tiles.shape == (12, 1, 32, 32)
    assert tiles.dtype == np.uint8
    assert (errors > sprites.ERROR_CEILING).any()
    assert np.abs(tiles[:, 0] / 255.0 - np.minimum(errors / sprites.ERROR_CEILING, 1)).max() <= 0.5 / 255 + 1e-6
    np.testing.assert_array_equal(tiles[:4], sprites.error_tiles(errors[:4]))  # whatever else is drawn


def test_error_tiles_want_maps() -> None:
    with pytest.raises(ValueError, match="N, H, W"):
        sprites.error_tiles(np.zeros((1, 3, 32, 32)))
