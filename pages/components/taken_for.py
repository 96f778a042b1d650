"""What a detector that tells aug's functions apart takes each group of images for, as a table."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from ssad_core.colours import GROUP_COLOURS

if TYPE_CHECKING:
    from ssad_core.views import DetectorView

COLUMNS = 6  # functions with a column of their own, the most frequent ones; the others share one


def taken_for(detector: DetectorView, group: np.ndarray) -> None:
    """A row a group (n,): per cent of its images whose likeliest function is this one. The darker the more."""
    assert detector.probabilities is not None
    best, k = detector.probabilities.argmax(1), len(detector.functions)
    shares = [100 * np.bincount(best[group == g], minlength=k) / max(1, (group == g).sum()) for g in range(4)]
    often = np.argsort(-np.max(shares, axis=0), kind="stable")[:COLUMNS]
    shown = sorted({0, *often.tolist()})[: COLUMNS + 1]
    names = [detector.functions[i] for i in shown]
    rows = [[share[i] for i in shown] for share in shares]
    if len(shown) < k:
        names.append(f"{k - len(shown)} others")
        rows = [[*row, np.delete(share, shown).sum()] for row, share in zip(rows, shares, strict=True)]
    head = "".join(
        f'<th scope="col" style="font-weight:400;padding:.2rem .6rem">{html.escape(name)}</th>' for name in names
    )
    lines = "".join(
        '<tr><th scope="row" style="text-align:left;font-weight:400;padding:.2rem .6rem .2rem 0">'
        f"{_dot(colour)}{html.escape(name)}</th>{''.join(map(_cell, row))}</tr>"
        for (name, colour), row in zip(GROUP_COLOURS.items(), rows, strict=True)
    )
    st.html(
        f'<div style="font-weight:600">What {html.escape(detector.name)} takes the images for</div>'
        '<div style="font-size:.8rem;opacity:.75">Per cent of each group whose likeliest function is this one. Normal images '
        "belong under as is.</div>"
        '<div style="overflow-x:auto"><table data-testid="taken-for" style="font-size:.875rem;border-spacing:2px;'
        f'border-collapse:separate"><tr><th></th>{head}</tr>{lines}</table></div>'
    )


def _cell(share: float) -> str:
    shade = f"background:color-mix(in srgb, var(--st-primary-color, #0072B2) {0.55 * share:.0f}%, transparent)"
    return f'<td style="text-align:right;padding:.2rem .6rem;border-radius:3px;{shade}">{share:.0f}%</td>'


def _dot(colour: str) -> str:
    return (
        f'<span style="display:inline-block;width:.65em;height:.65em;border-radius:50%;background:{colour};'
        'margin-right:.45em"></span>'
    )
