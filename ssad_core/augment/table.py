"""The table of augmentations (App. B): names, categories, colours, parameters. Reading it does not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real

from ..errors import BadInput, unknown
from ..protocol import PROFILES

ROLES = ("aug", "gen", "analysis")

# After the paper's Figs. 2, 4 and 5 (blue, red, purple, green, orange). Within those hues the shades are the ones that stay
# furthest apart for protan, deutan and tritan readers at a contrast of 3:1 on Streamlit's white and on its dark.
CATEGORY_COLOURS = {
    "none": "#8a8f98",
    "geometric": "#0f90fe",
    "local": "#c83314",
    "elementwise": "#7955a8",
    "color": "#1c7c5d",
    "mixed": "#df7813",
}


@dataclass(frozen=True)
class Parameter:
    """A continuous parameter, ``low <= value <= high``. A default of None means the paper's random range."""

    name: str
    title: str
    low: float
    high: float
    default: float | None
    step: float
    help: str


@dataclass(frozen=True)
class Info:
    """A row of the table; ``title`` is how the paper writes the name."""

    name: str
    title: str
    category: str
    parameters: tuple[Parameter, ...]
    help: str
    source: str


def _probability(what: str) -> Parameter:
    return Parameter(
        "p",
        "probability p",
        0.0,
        1.0,
        0.5,
        0.05,
        f"Share of the training images that are {what}; as a gen it is always 1.",
    )


AUGMENTATIONS: dict[str, Info] = {
    info.name: info
    for info in (
        Info("identity", "Identity", "none", (), "Leaves every image as it is; DAE becomes AE.", "Sec. 2.4"),
        Info(
            "rotate",
            "Rotate",
            "geometric",
            (),
            "A random quarter turn: 0, 90, 180 or 270 degrees; as a gen never 0.",
            "App. B",
        ),
        Info("flip", "Flip", "geometric", (_probability("flipped"),), "Turns the image upside down.", "App. B"),
        Info(
            "cutout",
            "CutOut",
            "local",
            (
                Parameter(
                    "c",
                    "patch size c",
                    0.1,
                    0.9,
                    None,
                    0.1,
                    "Patch size. Not fixed: a random rectangle of 2% to 33% of the image's area. Fixed: a square, c times "
                    "the image's width wide (profile reference: of area c).",
                ),
            ),
            "Erases a random patch: its pixels become 0 (black).",
            "App. B; Sec. 4.2 for c",
        ),
        Info("invert", "Invert", "color", (_probability("inverted"),), "Inverts every pixel: 1 - x.", "App. B"),
    )
}


def augmentation_info(name: str) -> Info:
    """The row of a name. BadInput, with the nearest known name, when there is none."""
    if name not in AUGMENTATIONS:
        raise unknown("augmentation", name, AUGMENTATIONS)
    return AUGMENTATIONS[name]


def check(name: str, profile: str = "paper", role: str = "aug", **params: float) -> dict[str, float | None]:
    """All parameters of an augmentation with their values, defaults filled in. BadInput says what is wrong."""
    info = augmentation_info(name)
    if profile not in PROFILES:
        raise unknown("profile", profile, PROFILES)
    if role not in ROLES:
        raise unknown("role", role, ROLES)
    known = {parameter.name: parameter for parameter in info.parameters}
    values: dict[str, float | None] = {parameter.name: parameter.default for parameter in info.parameters}
    for key, value in params.items():
        if key not in known:
            has = f"its parameters: {', '.join(known)}" if known else "it has none"
            raise BadInput(f"{name} has no parameter {key[:60]!r}; {has}")
        low, high = known[key].low, known[key].high
        number = isinstance(value, Real) and not isinstance(value, bool)
        if not number or not low <= value <= high:  # NaN lies nowhere
            raise BadInput(f"{name}'s {key} must be a number between {low:g} and {high:g}, not {value!r:.60}")
        values[key] = float(value)
    return values


def label(name: str, params: Mapping[str, float | None]) -> str:
    """How the paper writes an augmentation: "CutOut", "CutOut-0.4"; "Flip (p = 0.3)" for a probability. Parameters at
    their default go without saying.

    >>> label("cutout", {"c": 0.4}), label("flip", {"p": 0.5})
    ('CutOut-0.4', 'Flip')
    """
    info = augmentation_info(name)
    defaults = {parameter.name: parameter.default for parameter in info.parameters}
    given = {key: value for key, value in params.items() if value != defaults[key]}
    if not given:
        return info.title
    if set(given) == {"c"}:
        return f"{info.title}-{given['c']:g}"
    return f"{info.title} ({', '.join(f'{key} = {value:g}' for key, value in given.items())})"
