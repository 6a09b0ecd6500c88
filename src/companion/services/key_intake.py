"""What someone pasted as an API key, made clean or refused.

Vendors change how their keys look, so no pattern of theirs is matched: only what
copying and pasting adds is taken off, and what no key can be is refused.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from companion.domain.errors import KeyEmpty, KeyMalformed
from companion.domain.secrets import Secret

SHORTEST: Final = 8
LONGEST: Final = 512

# a name that says it is a key: keys themselves may hold `=` (base64)
_ASSIGNED: Final = re.compile(
    r"(?:export\s+)?\w*(?:key|token|secret)[\"']?\s*[=:]\s*(?=[^\s=])", re.ASCII | re.IGNORECASE
)
_HEADER: Final = re.compile(r"(?:authorization\s*:\s*)?bearer\s+(?=\S)", re.IGNORECASE)
_QUOTES: Final = "\"'`“”„‘’‚«»"


def clean(typed: str) -> Secret:
    """Return the key; raises `KeyEmpty` or `KeyMalformed`.

    The `reason` of a `KeyMalformed` is `blank`, `too_short`, `too_long` or `characters`.
    """
    key = _unwrapped("".join(_visible(char) for char in typed))
    if not key:
        raise KeyEmpty
    if any(char.isspace() for char in key):
        raise KeyMalformed(reason="blank")
    if not (key.isascii() and key.isprintable()):
        raise KeyMalformed(reason="characters")
    if len(key) < SHORTEST:
        raise KeyMalformed(reason="too_short")
    if len(key) > LONGEST:
        raise KeyMalformed(reason="too_long")
    return Secret(key)


def _visible(char: str) -> str:
    """Drop what cannot be seen (zero-width, BOM, direction marks); any blank becomes a space."""
    if char.isspace():
        return " "
    return "" if unicodedata.category(char) in {"Cf", "Cc"} else char


def _unwrapped(text: str) -> str:
    """Take off, from the outside in, all that may stand around a key."""
    before = None
    while before != text:
        before = text
        text = text.strip().strip(_QUOTES).strip().rstrip(";,")
        for wrapping in (_ASSIGNED, _HEADER):
            if found := wrapping.match(text):
                text = text[found.end() :]
    return text
