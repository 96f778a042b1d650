"""The state of a person's session, and its one form in the address: the question, the views' toggles, the encoder.

Defaults are written too, so a link means the same when a default has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import starmap
from operator import attrgetter

import streamlit as st

from pages.components.find import MOST_TEXT, Find
from pages.components.linked import ViewState
from pages.components.markdown import plain
from ssad_core.augment import augmentation_info
from ssad_core.colours import GROUP_COLOURS
from ssad_core.data import dataset_info, is_own
from ssad_core.detectors import detector_info
from ssad_core.embedding import PERPLEXITY
from ssad_core.encoders import ENCODERS, default_encoder
from ssad_core.errors import BadInput, unknown
from ssad_core.lineup import PINS, parse_pin
from ssad_core.question import (
    Question,
    call_text,
    check_augment,
    from_query,
    number,
    parse_anomaly,
    parse_call,
    whole,
)
from ssad_core.reconstruction import ORDERS, Made
from ssad_core.spec import Anomaly, Params
from ssad_core.store import is_run_id
from ssad_core.variants import VARIED

CHOICES = {
    "scale": ("auto", "linear", "log"),
    "map_of": ("run", "baseline"),
    "colour_by": ("category", "score"),
    "sort": ("nearest", "missed", "highest", "lowest", "disagreement", "lasso"),
    "encoder": tuple(ENCODERS),
    "order": tuple(ORDERS),
    "over": ("seeds", "classes"),
}
FIND_FIELDS = {"find": "text", "find_dataset": "dataset", "find_detector": "detector", "find_aug": "augment"}
PICTURE_FIELDS = ("order", "start", "images", "errors", "made")
HIDDEN = ("hidden_bars", "hidden_points")
MAP_FIELDS = ("perplexity", "map_seed", "two_seeds")
VIEW_FIELDS = (
    "fpr",
    *CHOICES,
    "lasso",
    *HIDDEN,
    "seeds",
    "vary",
    "pins",
    *PICTURE_FIELDS,
    *MAP_FIELDS,
    "bias_of",
    "bias_class",
    "gallery",
    *FIND_FIELDS,
)
VIEWS = tuple(field.name for field in fields(ViewState))
MOST_POINTS = 10_000  # that a lasso may speak of
MOST_PINNED = 20  # images on the page of reconstructions

NORMALS = attrgetter("dataset", "normal_class")  # of a question: which images its test normals are
POINTS = attrgetter("dataset", "normal_class", "anomaly", "profile", "settings.limit", "settings.test_limit")

MOST_SEEDS = 10  # of a what-if
PERPLEXITIES = (5, 100)
MOST_MAP_SEED = 2**31 - 2  # the one beside it is the next


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


@dataclass(frozen=True)
class MapState:
    """What is set on the page of embeddings: the perplexity and the seed of its t-SNE maps, and whether the next seed's are
    beside them."""

    perplexity: int = int(PERPLEXITY)
    map_seed: int = 0
    two_seeds: bool = False


@dataclass
class State:
    """What a session has set.

    seeds, over : the number of them in a what-if, and whether it has these or all normal classes.
    vary : the settings that are varied on the page Over settings.
    pins : what is laid beside the question's run (`ssad_core.lineup`).
    bias_of, bias_class : the run whose error bias is looked at, "" the question's own, and the class whose images are, "" the
        most telling one.
    gallery : by name the augmentations that the gallery shows with other parameters than the question's or their defaults.
    find : which of the stored runs are listed.
    rejected : a line for every value of its first address that could not be used.
    """

    question: Question = field(default_factory=Question)
    views: ViewState = field(default_factory=ViewState)
    pictures: PictureState = field(default_factory=PictureState)
    maps: MapState = field(default_factory=MapState)
    encoder: str = field(default_factory=default_encoder)
    seeds: int = 1
    over: str = "seeds"
    vary: tuple[str, ...] = VARIED[:2]
    pins: tuple[str, ...] = PINS
    bias_of: str = ""
    bias_class: str = ""
    gallery: dict[str, Params] = field(default_factory=dict)
    find: Find = field(default_factory=Find)
    rejected: list[str] = field(default_factory=list)

    def turn_to(self, question: Question) -> None:
        """Asks another question. What was chosen of the images of the last one goes with them."""
        before, self.question = self.question, question
        if NORMALS(question) != NORMALS(before):
            self.pictures = replace(self.pictures, images=())
        if POINTS(question) != POINTS(before):
            self.views = replace(self.views, lasso=())


def session() -> State:
    """This session's state, read when it is new from the address that app.py has kept."""
    if "lab" not in st.session_state:
        st.session_state.lab = from_address(st.session_state["address"])
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
    lines = "\n".join(f"- {plain(line)}" for line in state.rejected)
    box.warning(
        f"Not everything in the address could be used; defaults stand in:\n\n{lines}", icon=":material/link_off:"
    )
    if box.button("Understood", key="rejected-seen"):
        state.rejected = []
        st.rerun()


def from_address(query: Mapping[str, str]) -> State:
    """The state in an address. Each field stands for itself: a bad one is reported, and the others still count."""
    question, rejected = from_query(query, VIEW_FIELDS)

    def images(text: str) -> tuple[int, ...]:
        points = unpack("images", text)
        if more := len(points[MOST_PINNED:]):
            rejected.append(f"images: {MOST_PINNED} are pinned at most; {more} more are left out")
        return points[:MOST_PINNED]

    def gallery(text: str) -> dict[str, Params]:
        calls = (f"gen:{call}" for call in filter(None, text.split("~")))
        shown = [parse_anomaly(call, question.dataset, question.normal_class, question.profile) for call in calls]
        return {gen.name: gen.params for gen in shown}

    parsers = {
        "fpr": lambda text: _fraction("fpr", text),
        "lasso": lambda text: unpack("lasso", text),
        **{name: lambda text, name=name: unpack(name, text, len(GROUP_COLOURS)) for name in HIDDEN},
        "start": lambda text: _whole("start", text, 0, MOST_POINTS - 1),
        "images": images,
        "errors": lambda text: _choice("errors", text, ("0", "1")) == "1",
        "made": _made,
        "perplexity": lambda text: _whole("perplexity", text, *PERPLEXITIES),
        "map_seed": lambda text: _whole("map_seed", text, 0, MOST_MAP_SEED),
        "two_seeds": lambda text: _choice("two_seeds", text, ("0", "1")) == "1",
        "seeds": lambda text: _whole("seeds", text, 1, MOST_SEEDS),
        "vary": lambda text: tuple(_choice("vary", name, VARIED) for name in filter(None, text.split("~"))),
        "pins": lambda text: tuple(dict.fromkeys(map(parse_pin, filter(None, text.split("~"))))),
        "bias_of": _run_id,
        "bias_class": lambda text: (
            text and parse_anomaly(f"class:{text}", question.dataset, question.normal_class).name
        ),
        "gallery": gallery,
        "find": lambda text: text[:MOST_TEXT],
        "find_dataset": lambda text: text and (text if is_own(text) else dataset_info(text).name),
        "find_detector": lambda text: text and detector_info(text).name,
        "find_aug": lambda text: text and augmentation_info(text).name,
        **{name: lambda text, name=name: _choice(name, text) for name in CHOICES},
    }
    values = {}
    for name, parse in parsers.items():
        if name in query:
            try:
                values[name] = parse(query[name])
            except BadInput as error:
                rejected.append(f"{name}: {error}")

    def taken(names: Mapping[str, str]) -> dict[str, object]:
        """The values of these names, by what they are called in the state."""
        return {name: values.pop(field) for field, name in names.items() if field in values}

    views, pictures, maps = (taken({name: name for name in names}) for names in (VIEWS, PICTURE_FIELDS, MAP_FIELDS))
    find = Find(**taken(FIND_FIELDS))
    return State(
        question, ViewState(**views), PictureState(**pictures), MapState(**maps), find=find, rejected=rejected, **values
    )


def to_address(state: State) -> dict[str, str]:
    """The inverse of `from_address`."""
    views, pictures = state.views, state.pictures
    return {
        **state.question.to_query(),
        "fpr": f"{views.fpr:.4g}",
        **{name: getattr(views, name) for name in ("scale", "map_of", "colour_by", "sort")},
        "encoder": state.encoder,
        "lasso": pack(views.lasso),
        **{name: pack(getattr(views, name)) for name in HIDDEN},
        "seeds": str(state.seeds),
        "over": state.over,
        "vary": "~".join(state.vary),
        "pins": "~".join(state.pins),
        "order": pictures.order,
        "start": str(pictures.start),
        "images": pack(pictures.images),
        "errors": str(int(pictures.errors)),
        "perplexity": str(state.maps.perplexity),
        "map_seed": str(state.maps.map_seed),
        "two_seeds": str(int(state.maps.two_seeds)),
        **({"made": _made_text(pictures.made)} if pictures.made else {}),
        "bias_of": state.bias_of,
        "bias_class": state.bias_class,
        **({"gallery": "~".join(starmap(call_text, state.gallery.items()))} if state.gallery else {}),
        **{name: getattr(state.find, field) for name, field in FIND_FIELDS.items()},
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


def unpack(name: str, text: str, most: int = MOST_POINTS) -> tuple[int, ...]:
    """The inverse of `pack`, of indices below ``most``. BadInput when it is not one."""
    points: set[int] = set()
    for part in filter(None, text.split(".")):
        first, _, last = part.partition("-")
        a, b = whole(name, first), whole(name, last or first)
        if not 0 <= a <= b < most:
            raise BadInput(f"{name} has numbers from 0 to {most - 1}, not {part[:60]!r}")
        points.update(range(a, b + 1))
    return tuple(sorted(points))


def _fraction(name: str, text: str) -> float:
    value = number(name, text)
    if not 0 <= value <= 1:
        raise BadInput(f"{name} must be from 0 to 1, not {text[:60]}")
    return value


def _whole(name: str, text: str, low: int, high: int) -> int:
    value = whole(name, text)
    if not low <= value <= high:
        raise BadInput(f"{name} must be from {low} to {high}, not {text[:60]}")
    return value


def _run_id(text: str) -> str:
    if text and not is_run_id(text):
        raise BadInput(f"a run's id has 16 hexadecimal digits, unlike {text[:60]!r}")
    return text


def _choice(name: str, text: str, known: tuple[str, ...] = ()) -> str:
    known = known or CHOICES[name]
    if text not in known:
        raise unknown("choice", text, known)
    return text


def _made(text: str) -> Made:
    parts = text.split("~")
    if len(parts) != 5:
        raise BadInput(f"made is written image~gen~draw~down~across, unlike {text[:60]!r}")
    name, params = parse_call(parts[1])
    if name == "identity":
        raise BadInput("identity makes no anomalies")
    gen = Anomaly("gen", name, check_augment(name, params, role="gen"))
    down, across = (_fraction("made", part) for part in parts[3:])
    image, draw = (_whole("made", part, 0, MOST_POINTS - 1) for part in (parts[0], parts[2]))
    return Made(image, gen, draw, down, across)


def _made_text(made: Made) -> str:
    place = f"{made.down:.4g}~{made.across:.4g}"
    return f"{made.image}~{call_text(made.gen.name, made.gen.params)}~{made.draw}~{place}"
