"""The augmentations of App. B, as aug in training, as gen of anomalies, and for analysis.

The table is read without torch; the kernels are imported when the first augmentation is made.

>>> import torch
>>> cutout = get("cutout", c=0.5)
>>> float(cutout(torch.ones(1, 3, 32, 32), torch.Generator().manual_seed(0)).mean())
0.75
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .measure import modification
from .table import (
    AUGMENTATIONS,
    CATEGORY_COLOURS,
    ROLES,
    Info,
    Parameter,
    augmentation_info,
    check,
    functions,
    label,
    usual,
)

if TYPE_CHECKING:
    from .base import Augmentation

__all__ = [
    "AUGMENTATIONS",
    "CATEGORY_COLOURS",
    "ROLES",
    "Info",
    "Parameter",
    "augmentation_info",
    "check",
    "functions",
    "get",
    "label",
    "modification",
    "usual",
]


def get(name: str, profile: str = "paper", role: str = "aug", **params: float) -> Augmentation:
    """The augmentation of a name.

    Parameters
    ----------
    profile : "paper" or "reference" (METHOD's table; `ssad_core.protocol`).
    role : "aug", in training: flip and invert with probability p; "gen", making anomalies: p is 1, and rotate and geom never
        draw the identity; "analysis", in the views: as aug, with p = 1. mask's p, of pixels, is the same in all.
    params : of the table; one that is left out has its default.

    BadInput on an unknown name, profile, role or parameter, or a value out of range.
    """
    values = check(name, profile, role, **params)
    from .base import Identity
    from .color import Color, Invert
    from .elementwise import Blur, Mask, Noise
    from .geometric import Crop, Flip, Geom, Rotate
    from .local import CutOut, CutPaste, CutPasteScar
    from .mixed import SimCLR

    kernels = {
        "identity": Identity,
        "rotate": Rotate,
        "crop": Crop,
        "flip": Flip,
        "geom": Geom,
        "cutout": CutOut,
        "cutpaste": CutPaste,
        "cutpaste-scar": CutPasteScar,
        "noise": Noise,
        "mask": Mask,
        "blur": Blur,
        "color": Color,
        "invert": Invert,
        "simclr": SimCLR,
    }
    return kernels[name](name, values, profile, role)
