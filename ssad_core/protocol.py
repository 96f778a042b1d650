"""Where the paper's text and the authors' public code differ: what each profile does, and each switch named and cited once.

Kernels and losses read the values, and what is said of a switch is put together from them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

# Of what is computed: part of every run's identity, raised when results change by more than other rounding would.
METHOD_VERSION = 1


@dataclass(frozen=True)
class Profile:
    """Where the switches stand."""

    cutout_c: Literal["width", "area"]  # of the square patch, as a share of the image's
    deepsad_squared: bool  # the loss is of squared distances to the centre
    deepsad_follows: bool  # the centre follows the codes' mean, else it is kept
    geom: tuple[str, ...]  # its steps, of `GEOM_STEPS`, in their order
    mask_p: float
    mask_channels: Literal["together", "apart"]
    scar_width: tuple[int, int]  # of 32 pixels, both ends included
    scar_height: tuple[int, int]


PROFILES = {
    "paper": Profile(  # the text, wherever it is explicit
        cutout_c="width",
        deepsad_squared=False,
        deepsad_follows=True,
        geom=("rotate", "flip", "shift"),
        mask_p=0.2,
        mask_channels="together",
        scar_width=(10, 25),
        scar_height=(2, 16),
    ),
    "reference": Profile(  # the code
        cutout_c="area",
        deepsad_squared=True,
        deepsad_follows=False,
        geom=("mirror", "move", "rotate"),
        mask_p=0.1,
        mask_channels="apart",
        scar_width=(2, 15),
        scar_height=(10, 24),
    ),
}

GEOM_STEPS = {
    "rotate": "Rotate",
    "flip": "upside down or not",
    "mirror": "mirrored left to right or not",
    "shift": "one of four shifts",
    "move": "a shift or none in x and in y",
}


@dataclass(frozen=True)
class Switch:
    """One difference: what a profile does, in words, and the place that says so."""

    name: str
    says: Callable[[Profile], str]
    source: str


SWITCHES = (
    Switch(
        "CutOut's c",
        lambda profile: f"the patch's {profile.cutout_c} as a share of the image's",
        "Sec. 4.2, Fig. 4a; torchvision's RandomErasing takes an area",
    ),
    Switch(
        "DeepSAD's loss",
        lambda profile: (
            f"of the {'squared ' if profile.deepsad_squared else ''}distances to the centre: a normal's, plus the inverse "
            "of its augmented one's"
        ),
        "Sec. 2.4; Deep-SAD-PyTorch",
    ),
    Switch(
        "DeepSAD's centre",
        lambda profile: (
            "the mean of the training normals' codes, again after every epoch"
            if profile.deepsad_follows
            else "the mean before training, moved away from 0 by components and kept"
        ),
        "Sec. 2.4, our reading of it (a centre that followed every step diverged); Deep-SAD-PyTorch",
    ),
    Switch(
        "GEOM",
        lambda profile: ", then ".join(GEOM_STEPS[step] for step in profile.geom),
        "App. B, our reading of it; the authors' code",
    ),
    Switch(
        "Mask",
        lambda profile: f"p = {profile.mask_p:g}, a pixel's channels {profile.mask_channels}",
        "App. B; the authors' code",
    ),
    Switch(
        "CutPaste-scar",
        lambda profile: "{} to {} pixels wide, {} to {} high".format(*profile.scar_width, *profile.scar_height),
        "App. B; the authors' code",
    ),
)


def by_profile(says: Callable[[Profile], str]) -> str:
    """What the profiles say, for a sentence.

    >>> by_profile(lambda profile: f"{profile.mask_p:g}")
    '0.2 (profile reference: 0.1)'
    """
    default, other = map(says, PROFILES.values())
    return f"{default} (profile reference: {other})"
