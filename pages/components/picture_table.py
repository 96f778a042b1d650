"""The same images in columns, and in rows what each detector makes of them; a click on a column pins it."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from pages.components.component import component
from ssad_core.colours import GROUP_COLOURS
from ssad_core.sprites import sheet

_COMPONENT = component(
    "ssad_picture_table", "pictures", css=["theme", "picture_table"], js=["draw", "colours", "picture_table"]
)


@dataclass(frozen=True)
class Column:
    """An image: ``name`` is said of it; it stands under ``side``, the columns of one side beside each other; ``point`` is
    what a click on it reports, None where there is nothing to pin."""

    point: int | None
    name: str
    side: str
    anomalous: bool
    pinned: bool = False


@dataclass(frozen=True)
class Row:
    """What is shown of each column: ``pictures`` uint8 (N, C, H, W) or None, ``texts`` below them, and whether the detector
    is ``right`` about it, None where that is no question."""

    name: str
    note: str = ""
    pictures: np.ndarray | None = None
    texts: Sequence[str] = ()
    right: Sequence[bool | None] = ()


def picture_table(
    columns: Sequence[Column],
    rows: Sequence[Row],
    *,
    key: str,
    tile: int = 72,
    on_click: Callable[[int], None] = lambda point: None,
) -> None:
    """Shows the table, its images at most ``tile`` pixels wide. ``on_click`` is called, before the script runs again, with
    the point of the column that was clicked on."""
    data = {"content": _table(columns, rows), "columns": len(columns), "tile": tile}
    _COMPONENT(key=key, data=data, on_clicked_change=lambda: on_click(st.session_state[key]["clicked"]))


def _table(columns: Sequence[Column], rows: Sequence[Row]) -> str:
    sides = list(dict.fromkeys(column.side for column in columns))
    heads = "".join(
        f'<th scope="colgroup" colspan="{sum(column.side == side for column in columns)}" '
        f'style="--colour:{GROUP_COLOURS[_group(columns, side)]}"><span>{html.escape(side)}</span></th>'
        for side in sides
    )
    pins = "".join(_pin(column) for column in columns)
    body = "".join(_row(row, columns) for row in rows)
    return (
        f'<table data-testid="picture-table"><thead><tr><td></td>{heads}</tr><tr class="pins"><td></td>{pins}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


_PIN = (
    '<svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true"><path d="M4 1h4l-.5 3.5L9.5 7h-7l2-2.5zM6 7v4" '
    'fill="none" stroke="currentColor" stroke-width="1.3" stroke-linejoin="round"/></svg>'
)


def _pin(column: Column) -> str:
    if column.point is None:
        return "<td></td>"
    says = f"{'Unpin' if column.pinned else 'Pin'} {html.escape(column.name)}"
    return (
        f'<td><button type="button" id="pin-{column.point}-{column.anomalous:d}" data-point="{column.point}" '
        f'aria-pressed="{str(column.pinned).lower()}" aria-label="{says}" title="{says}">{_PIN}</button></td>'
    )


def _group(columns: Sequence[Column], side: str) -> str:
    return "test anomalous" if next(c.anomalous for c in columns if c.side == side) else "test normal"


def _row(row: Row, columns: Sequence[Column]) -> str:
    note = f"<small>{html.escape(row.note)}</small>" if row.note else ""
    strip, count = "", len(columns)
    if row.pictures is not None:
        picture = base64.b64encode(sheet(row.pictures, columns=count)).decode()
        strip = f"--strip:url(data:image/webp;base64,{picture});--count:{count}"
    cells = []
    for k, column in enumerate(columns):
        text = _mark(row.right[k]) + html.escape(row.texts[k]) if row.texts else ""
        tile = f'<i role="img" aria-label="{html.escape(f"{row.name}: {column.name}")}" style="--k:{k}"></i>'
        cells.append(
            f"<td{'' if column.point is None else f' data-point={column.point}'}{' class=pinned' if column.pinned else ''}>"
            f"{tile if strip else ''}<span>{text}</span></td>"
        )
    return f'<tr style="{strip}"><th scope="row">{html.escape(row.name)}{note}</th>{"".join(cells)}</tr>'


def _mark(right: bool | None) -> str:
    if right is None:
        return ""
    shape = "M2.5 6.5 5 9l4.5-6" if right else "M3 3l6 6M9 3l-6 6"
    return (
        f'<svg viewBox="0 0 12 12" width="11" height="11" role="img" aria-label="{"right" if right else "wrong"}" '
        f'class="{"right" if right else "wrong"}"><path d="{shape}"/></svg>'
    )
