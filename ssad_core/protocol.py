"""Where the paper's text and the authors' public code differ: the two profiles, each switch named and cited once."""

from __future__ import annotations

from dataclasses import dataclass

PROFILES = ("paper", "reference")
# Of what is computed: part of every run's identity, raised when results change by more than other rounding would.
METHOD_VERSION = 1


@dataclass(frozen=True)
class Switch:
    """One difference: what the ``paper`` profile does (the text, wherever it is explicit) and what the ``reference``
    profile does (the code), with the place that says so."""

    name: str
    paper: str
    reference: str
    source: str


SWITCHES = (
    Switch(
        name="CutOut's c",
        paper="the patch's width as a share of the image's",
        reference="the patch's area as a share of the image's",
        source="Sec. 4.2, Fig. 4a; torchvision's RandomErasing takes an area",
    ),
    Switch(
        name="DeepSAD's loss",
        paper="of the distances to the centre: a normal's, plus the inverse of its augmented one's",
        reference="the same of the squared distances",
        source="Sec. 2.4; Deep-SAD-PyTorch",
    ),
    Switch(
        name="DeepSAD's centre",
        paper="the mean of the training normals' codes, again after every epoch",
        reference="the mean before training, moved away from 0 by components and kept",
        source="Sec. 2.4, our reading of it (a centre that followed every step diverged); Deep-SAD-PyTorch",
    ),
    Switch(
        name="GEOM",
        paper="Rotate, then Flip with p = .5, then one of four shifts by 8 pixels",
        reference="a horizontal flip with p = .5, then 0 or ±8 pixels in x and in y, then Rotate",
        source="App. B, our reading of it; the authors' code",
    ),
    Switch(
        name="Mask",
        paper="p = .2, all channels of a pixel together",
        reference="p = .1, each channel on its own",
        source="App. B; the authors' code",
    ),
    Switch(
        name="CutPaste-scar",
        paper="10 to 25 pixels wide, 2 to 16 high",
        reference="2 to 15 pixels wide, 10 to 24 high",
        source="App. B; the authors' code",
    ),
)
