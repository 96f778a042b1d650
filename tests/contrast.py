"""How well colours tell apart (WCAG 2.2), given as "#rrggbb", "rgb(r, g, b)" or, from 0 to 1, "color(srgb r g b)"."""

from __future__ import annotations

import re

import numpy as np


def channels(colour: str) -> np.ndarray:
    """sRGB (3,) in [0, 255]."""
    hexadecimal = colour.startswith("#")
    parts = re.findall("[0-9a-fA-F]{2}" if hexadecimal else r"[\d.]+", colour)[:3]
    values = np.array([int(part, 16) if hexadecimal else float(part) for part in parts])
    return 255 * values if colour.startswith("color(") else values


def faded(colour: str, ground: str, opacity: float) -> str:
    """What a colour of this opacity looks like on a ground."""
    mixed = opacity * channels(colour) + (1 - opacity) * channels(ground)
    return f"rgb({', '.join(map(str, mixed))})"


def linear(colour: str) -> np.ndarray:
    """Linear sRGB (3,) in [0, 1]."""
    values = channels(colour) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """From 1 to 21; 4.5 is asked for of text (1.4.3) and 3 of other marks (1.4.11)."""
    low, high = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)
