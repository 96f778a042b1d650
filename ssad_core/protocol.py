"""Where the paper's text and the authors' public code differ: the two profiles, each switch named and cited once."""

from __future__ import annotations

from dataclasses import dataclass

PROFILES = ("paper", "reference")
METHOD_VERSION = 1  # of what is computed: part of every run's identity, raised when results change


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
)
