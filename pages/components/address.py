"""The state of a person's session, and its one form in the address: the question, the views' toggles, the encoder.

Defaults are written too, so a link means the same when a default has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from pages.components.linked_views import ViewState
from ssad_core.encoders import ENCODERS, default_encoder
from ssad_core.errors import BadInput, unknown
from ssad_core.lineup import PINS, parse_pin
from ssad_core.question import Question, call_text, check_augment, from_query, number, parse_call, whole
from ssad_core.reconstruction import ORDERS, Made
from ssad_core.spec import Anomaly

CHOICES = {
    "scale": ("auto", "linear", "log"),
    "map_of": ("run", "baseline"),
    "colour_by": ("category", "score"),
    "sort": ("nearest", "highest", "lowest", "disagreement", "lasso"),
    "encoder": tuple(ENCODERS),
    "order": tuple(ORDERS),
    "over": ("seeds", "classes"),
}
VIEW_FIELDS = ("fpr", *CHOICES, "lasso", "seeds", "pins", "start", "images", "errors", "made")
MOST_POINTS = 10_000  # that a lasso may speak of
MOST_SEEDS = 10  # of a what-if


@dataclass(frozen=True)
class PictureState:
    """What is set on the page of reconstructions: the order of the images and where it starts, the pinned ones (normal i is
    2i, anomaly i is 2i + 1), whether error maps are shown, and the anomaly made on the spot; None is the question's own gen
    of the first image."""

    order: str = "sample"
    start: int = 0
    images: tuple[int, ...] = ()
    errors: bool = False
    made: Made | None = None


@dataclass
class State:
    """What a session has set; ``seeds`` is the number of them in a what-if and ``over`` whether it has these or all normal
    classes, ``pins`` what is laid beside the question's run (`ssad_core.lineup`); ``rejected`` has a line for every value of
    its first address that could not be used."""

    question: Question = field(default_factory=Question)
    views: ViewState = field(default_factory=ViewState)
    pictures: PictureState = field(default_factory=PictureState)
    encoder: str = field(default_factory=default_encoder)
    seeds: int = 1
    over: str = "seeds"
    pins: tuple[str, ...] = PINS
    rejected: list[str] = field(default_factory=list)


def session() -> State:
    """This session's state, read from the address when it is new."""
    if "lab" not in st.session_state:
        st.session_state.lab = from_address({key: st.query_params[key] for key in st.query_params})
    return st.session_state.lab


def write_address(state: State) -> None:
    """Puts the whole state into the address bar."""
    query = to_address(state)
    if dict(st.query_params) != query:
        st.query_params.from_dict(query)


def show_rejected(state: State) -> None:
    """Says which values of the address could not be used, until it is read."""
    if not state.rejected:
        return
    box = st.container(border=True)
    lines = "\n".join(f"- {line}" for line in state.rejected)
    box.warning(
        f"Not everything in the address could be used; defaults stand in:\n\n{lines}", icon=":material/link_off:"
    )
    if box.button("Understood", key="rejected-seen"):
        state.rejected = []
        st.rerun()


def from_address(query: Mapping[str, str]) -> State:
    """The state in an address. Each field stands for itself: a bad one is reported, and the others still count."""
    question, rejected = from_query(query, VIEW_FIELDS)
    parsers = {
        "fpr": lambda text: _fraction("fpr", text),
        "lasso": lambda text: unpack("lasso", text),
        "start": lambda text: _natural("start", text),
        "images": lambda text: unpack("images", text),
        "errors": lambda text: _choice("errors", text, ("0", "1")) == "1",
        "made": _made,
        "seeds": _seeds,
        "pins": lambda text: tuple(map(parse_pin, filter(None, text.split("~")))),
        **{name: lambda text, name=name: _choice(name, text) for name in CHOICES},
    }
    values = {}
    for name, parse in parsers.items():
        if name in query:
            try:
                values[name] = parse(query[name])
            except BadInput as error:
                rejected.append(f"{name}: {error}")

    def taken(*names: str) -> dict[str, Any]:
        return {name: values.pop(name) for name in names if name in values}

    pictures = PictureState(**taken("order", "start", "images", "errors", "made"))
    others = taken("encoder", "seeds", "over", "pins")
    return State(question, ViewState(**values), pictures, rejected=rejected, **others)


def to_address(state: State) -> dict[str, str]:
    """The inverse of `from_address`."""
    views, pictures = state.views, state.pictures
    return {
        **state.question.to_query(),
        "fpr": f"{views.fpr:.4g}",
        **{name: getattr(views, name) for name in ("scale", "map_of", "colour_by", "sort")},
        "encoder": state.encoder,
        "lasso": pack(views.lasso),
        "seeds": str(state.seeds),
        "over": state.over,
        "pins": "~".join(state.pins),
        "order": pictures.order,
        "start": str(pictures.start),
        "images": pack(pictures.images),
        "errors": str(int(pictures.errors)),
        **({"made": _made_text(pictures.made)} if pictures.made else {}),
    }


def pack(points: tuple[int, ...]) -> str:
    """Indices as runs: ``(3, 4, 5, 9)`` to ``"3-5.9"``."""
    runs: list[list[int]] = []
    for point in sorted(points):
        if runs and point == runs[-1][1] + 1:
            runs[-1][1] = point
        else:
            runs.append([point, point])
    return ".".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def unpack(name: str, text: str) -> tuple[int, ...]:
    """The inverse of `pack`. BadInput when it is not one."""
    points: set[int] = set()
    for part in filter(None, text.split(".")):
        first, _, last = part.partition("-")
        a, b = whole(name, first), whole(name, last or first)
        if not 0 <= a <= b < MOST_POINTS:
            raise BadInput(f"{name} has points from 0 to {MOST_POINTS - 1}, not {part[:60]!r}")
        points.update(range(a, b + 1))
    return tuple(sorted(points))


def _fraction(name: str, text: str) -> float:
    value = number(name, text)
    if not 0 <= value <= 1:
        raise BadInput(f"{name} must be from 0 to 1, not {text[:60]}")
    return value


def _seeds(text: str) -> int:
    value = whole("seeds", text)
    if not 1 <= value <= MOST_SEEDS:
        raise BadInput(f"seeds must be from 1 to {MOST_SEEDS}, not {text[:60]}")
    return value


def _choice(name: str, text: str, known: tuple[str, ...] = ()) -> str:
    known = known or CHOICES[name]
    if text not in known:
        raise unknown("choice", text, known)
    return text


def _natural(name: str, text: str) -> int:
    value = whole(name, text)
    if not 0 <= value < MOST_POINTS:
        raise BadInput(f"{name} must be from 0 to {MOST_POINTS - 1}, not {text[:60]}")
    return value


def _made(text: str) -> Made:
    parts = text.split("~")
    if len(parts) != 5:
        raise BadInput(f"made is written image~gen~draw~down~across, unlike {text[:60]!r}")
    name, params = parse_call(parts[1])
    if name == "identity":
        raise BadInput("identity makes no anomalies")
    gen = Anomaly("gen", name, check_augment(name, params, role="gen"))
    down, across = (_fraction("made", part) for part in parts[3:])
    return Made(_natural("made", parts[0]), gen, _natural("made", parts[2]), down, across)


def _made_text(made: Made) -> str:
    place = f"{made.down:.4g}~{made.across:.4g}"
    return f"{made.image}~{call_text(made.gen.name, made.gen.params)}~{made.draw}~{place}"
