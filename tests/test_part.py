"""What a part of a page does where a run that it was given cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from pages.components import part
from ssad_core.store import Damaged, Gone


@pytest.mark.parametrize(
    ("make", "error", "later", "done"),
    [
        (part.part, Gone("gone"), False, "said"),
        (part.part, Gone("gone"), True, "rerun"),
        (part.part, Damaged("damaged"), True, "rerun"),
        (lambda draw: part.polled(draw, 1.0), Gone("gone"), False, "said"),
        (lambda draw: part.polled(draw, 1.0), Gone("gone"), True, "rerun"),
        (lambda draw: part.polled(draw, 1.0), Damaged("damaged"), True, "said"),  # else again and again
    ],
)
def test_what_is_gone_later_has_the_page_look_anew(
    monkeypatch: pytest.MonkeyPatch, make: Callable[..., Callable[[], None]], error: Exception, later: bool, done: str
) -> None:
    happened = []
    page = SimpleNamespace(
        fragment=lambda draw, run_every=None: draw,
        rerun=lambda scope: happened.append("rerun"),
        error=lambda text, icon: happened.append("said"),
    )
    monkeypatch.setattr(part, "st", page)
    monkeypatch.setattr(part, "get_script_run_ctx", lambda: SimpleNamespace(fragment_ids_this_run=["part"] * later))

    def draw() -> None:
        raise error

    make(draw)()
    assert happened == [done]
