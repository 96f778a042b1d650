"""Texts of others, such as the names of own images' classes, in Markdown."""

import re

JOINER = "\u2060"  # it is not seen


def plain(text: str) -> str:
    """A text in Markdown as it is, whatever signs are in it: `nuts *A* [$1]` too.

    A backslash does not keep Streamlit from making one sign of `->`, `<=`, `--` or `:smile:`; a joiner in them does.
    """
    text = re.sub(r"(?<=[-<>~])(?=[-=>])|(?<=:)(?=[\w+/-]+:)", JOINER, text)
    return re.sub(r"([\\`*\[\]<>$~|]|(?<!\w)_|_(?!\w)|:(?=\w)|&(?=[\w#])|^#)", r"\\\1", text, flags=re.MULTILINE)
