"""The one exception for what a person typed, uploaded or pointed at.

Everything else that is raised is a bug of ours and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BadInput(ValueError):
    """Input that cannot be used. Its text is one clear line, ready to be shown."""


def unknown(kind: str, name: object, known: Iterable[str]) -> BadInput:
    """The error for a name that is not in a table, with the known name that is near it, if one is.

    >>> str(unknown("augmentation", "cutuot", ["cutout", "flip"]))
    "unknown augmentation 'cutuot'; did you mean 'cutout'? Known: cutout, flip"
    >>> str(unknown("augmentation", "foo", ["color", "flip"]))
    "unknown augmentation 'foo'. Known: color, flip"
    """
    known = list(known)
    near = difflib.get_close_matches(str(name).lower(), [k.lower() for k in known], n=1)
    hint = next((f"; did you mean {k!r}?" for k in known if near and k.lower() == near[0]), ".")
    return BadInput(f"unknown {kind} {str(name)[:60]!r}{hint} Known: {', '.join(known)}")
