"""Text of others on its way into a message.

A model's answer is shown as it is: nothing in it can ping (mentions are switched off
on every request) and it stands above our footer. Names, titles and labels are another
matter: they stand in lines of our own, where invisible characters could make them look
like something we said.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from companion.domain.graphemes import boundary_before

_BLANKS: Final = re.compile(r"\s+")
_JOINER: Final = "\u200d"
_FILLERS: Final = "\u115f\u1160\u3164\uffa0\u2800\u17b4\u17b5\u034f"
_MOST_MARKS: Final = 3


def clean_label(text: str, limit: int = 80) -> str:
    """Return `text` as one visible line of at most `limit` characters; may be empty.

    Control, bidi and zero-width characters go (joiners inside emoji stay), towers of
    combining marks are lowered, blanks become single spaces.
    """
    kept: list[str] = []
    marks = 0
    for char in _BLANKS.sub(" ", unicodedata.normalize("NFC", text)):
        marks = marks + 1 if unicodedata.category(char) in {"Mn", "Me"} else 0
        if marks <= _MOST_MARKS and _shows(char, kept[-1] if kept else ""):
            kept.append(char)
    label = _BLANKS.sub(" ", "".join(kept)).strip(f" {_JOINER}")
    return label if len(label) <= limit else f"{_start(label, limit - 1)}…"


def _shows(char: str, before: str) -> bool:
    if char == _JOINER:
        return before != "" and unicodedata.category(before) in {"So", "Sk", "Mn"}
    return char not in _FILLERS and unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"}


def _start(label: str, limit: int) -> str:
    cut = boundary_before(label, limit, 1)
    return label[: limit if cut is None else cut].rstrip()
