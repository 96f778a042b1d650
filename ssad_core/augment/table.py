"""The table of augmentations (App. B): names, categories, colours, parameters. Reading it does not import torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from numbers import Real

from ..errors import BadInput, unknown
from ..protocol import PROFILES, by_profile

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


CUTOUT_AREA = (0.02, 0.33)  # of CutOut's patch as a share of the image's, where its size is not fixed


@dataclass(frozen=True)
class Parameter:
    """A continuous parameter, ``low <= value <= high``. A default of None means the profile's own value or random range.

    training_only : only the role "aug" has a use for it (the p of flip and invert, which else change every image).
    """

    name: str
    title: str
    low: float
    high: float
    default: float | None
    step: float
    help: str
    training_only: bool = False


@dataclass(frozen=True)
class Info:
    """A row of the table; ``title`` is how the paper writes the name.

    classes : K of augmentation prediction (METHOD, "AP"): that many fixed functions, or 2, the identity against one draw,
        where the function is random; 1 of the identity, of which there is nothing to predict.
    """

    name: str
    title: str
    category: str
    parameters: tuple[Parameter, ...]
    help: str
    source: str
    classes: int = 2


def _probability(what: str) -> Parameter:
    return Parameter(
        "p",
        "probability p",
        0.0,
        1.0,
        0.5,
        0.05,
        f"Share of the training images that are {what}; as a gen it is always 1.",
        training_only=True,
    )


AUGMENTATIONS: dict[str, Info] = {
    info.name: info
    for info in (
        Info("identity", "Identity", "none", (), "Leaves every image as it is; DAE becomes AE.", "Sec. 2.4", 1),
        Info(
            "rotate",
            "Rotate",
            "geometric",
            (),
            "A random quarter turn: 0, 90, 180 or 270 degrees; as a gen never 0.",
            "App. B",
            4,
        ),
        Info(
            "crop",
            "Crop",
            "geometric",
            (),
            "Enlarges a random part, of 8% to 100% of the image's area, to the whole image.",
            "App. B",
        ),
        Info("flip", "Flip", "geometric", (_probability("flipped"),), "Turns the image upside down.", "App. B"),
        Info(
            "geom",
            "GEOM",
            "geometric",
            (),
            "A quarter turn, a flip and a shift by a quarter of the image at once; as a gen never none of them.",
            "App. B",
            72,
        ),
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
                    "Patch size. Not fixed: a random rectangle of 2% to 33% of the image's area. Fixed: a square; c is its "
                    f"{by_profile(lambda profile: profile.cutout_c)} as a share of the image's.",
                ),
            ),
            "Erases a random patch: its pixels become 0 (black).",
            "App. B; Sec. 4.2 for c",
        ),
        Info(
            "cutpaste",
            "CutPaste",
            "local",
            (),
            "Copies a random patch, of 2% to 15% of the image's area, to another place in the image.",
            "App. B",
        ),
        Info(
            "cutpaste-scar",
            "CutPaste-scar",
            "local",
            (),
            "Copies a thin random patch to another place in the image, turned by up to 45 degrees.",
            "App. B",
        ),
        Info(
            "noise",
            "Noise",
            "elementwise",
            (
                Parameter(
                    "sigma",
                    "standard deviation sigma",
                    0.0,
                    1.0,
                    0.1,
                    0.05,
                    "Standard deviation of the noise; pixels lie between 0 and 1.",
                ),
            ),
            "Adds Gaussian noise to every pixel; the sum is not clipped.",
            "App. B",
        ),
        Info(
            "mask",
            "Mask",
            "elementwise",
            (
                Parameter(
                    "p",
                    "masking probability p",
                    0.0,
                    1.0,
                    None,
                    0.05,
                    "Share of the pixels that become 0. Not fixed: "
                    f"{by_profile(lambda profile: f'{profile.mask_p:g}')}.",
                ),
            ),
            f"Sets random pixels to 0 (black), their channels {by_profile(lambda profile: profile.mask_channels)}.",
            "App. B",
        ),
        Info(
            "blur",
            "Blur",
            "elementwise",
            (
                Parameter(
                    "sigma",
                    "filter width sigma",
                    0.1,
                    2.0,
                    None,
                    0.1,
                    "Standard deviation of the filter in pixels. Not fixed: random between 0.1 and 2 for each image.",
                ),
            ),
            "Smooths the image with a Gaussian filter 3 pixels wide (a tenth of the image).",
            "App. B",
        ),
        Info(
            "color",
            "Color",
            "color",
            (
                Parameter(
                    "s",
                    "strength s",
                    0.0,
                    2.0,
                    1.0,
                    0.1,
                    "Strength of the jitter: brightness, contrast and saturation change by up to 80% of it, the hue by up "
                    "to 20% of the circle.",
                ),
            ),
            "Changes brightness, contrast, saturation and hue at random; grey images have only the first two.",
            "App. B",
        ),
        Info("invert", "Invert", "color", (_probability("inverted"),), "Inverts every pixel: 1 - x.", "App. B"),
        Info(
            "simclr",
            "SimCLR",
            "mixed",
            (),
            "Crop, a horizontal flip (half of the images), Color (80%), grey (20%) and Blur, one after the other.",
            "App. B",
        ),
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


def usual(name: str, profile: str = "paper") -> tuple[float, float]:
    """Between what values an augmentation's parameter is drawn where it is not fixed; twice the same where it has one value.
    CutOut's rectangles count as the squares of their area.

    >>> usual("cutout", "reference"), usual("blur"), usual("noise")
    ((0.02, 0.33), (0.1, 2.0), (0.1, 0.1))
    """
    (parameter,) = augmentation_info(name).parameters
    if name == "cutout":
        low, high = CUTOUT_AREA
        return (math.sqrt(low), math.sqrt(high)) if PROFILES[profile].cutout_c == "width" else (low, high)
    value = PROFILES[profile].mask_p if name == "mask" else parameter.default
    return (parameter.low, parameter.high) if value is None else (value, value)


def functions(name: str) -> list[str]:
    """What the K functions do that augmentation prediction tells apart, in the order of `Augmentation.function`.

    >>> functions("flip"), functions("rotate"), functions("geom")[:4]
    (['as is', 'Flip'], ['as is', '90°', '180°', '270°'], ['as is', 'mirrored', 'right', 'mirrored, right'])
    """
    if name == "rotate":
        return ["as is", *(f"{degrees}°" for degrees in (90, 180, 270))]
    if name == "geom":
        parts = [("", "mirrored"), ("", "right", "left"), ("", "down", "up"), ("", "90°", "180°", "270°")]
        every = [", ".join(filter(None, reversed(words))) for words in product(*reversed(parts))]
        return [words or "as is" for words in every]
    return ["as is", augmentation_info(name).title][: augmentation_info(name).classes]


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
