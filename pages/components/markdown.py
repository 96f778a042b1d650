"""Texts of others, such as the names of own images' classes, in Markdown."""

import re


def plain(text: str) -> str:
    """A text in Markdown as it is, whatever signs are in it: `nuts *A* [$1]` too."""
    return re.sub(r"([\\`*\[\]<>$~|]|(?<!\w)_|_(?!\w)|:(?=\w)|&(?=[\w#])|^#)", r"\\\1", text, flags=re.MULTILINE)
