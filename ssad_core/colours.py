"""The colours and marks of what is drawn, wherever it is drawn; safe for the colour-blind (Okabe and Ito)."""

from __future__ import annotations

GROUP_COLOURS = {
    "train normal": "#8a8f98",
    "train augmented": "#E69F00",
    "test normal": "#0072B2",
    "test anomalous": "#D55E00",
}
NORMAL, ANOMALOUS = 2, 3  # places of the test groups among them
OTHER_COLOURS = ["#009E73", "#CC79A7", "#56B4E9", "#0072B2", "#E69F00", "#D55E00"]  # Okabe and Ito's, for other names
SYMBOLS = dict(zip(GROUP_COLOURS, ["circle", "diamond", "square", "cross"], strict=True))
ERROR_COLOUR = (213, 94, 0)
ERROR_MARK = "#D55E00"
