"""Reading a key ring from text, and refusing one that could be guessed.

No message holds any part of a key, nor an id that might be a key in the wrong place.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from itertools import pairwise
from typing import Final

from companion.domain.errors import ConfigurationError

VARIABLE: Final = "COMPANION_KEYRING"
KEY_BYTES: Final = 32
FEWEST_DISTINCT: Final = 12
"""32 random bytes have about 30 distinct values; fewer than 12 never happens by chance."""

_KEY_ID: Final = re.compile(r"[a-z0-9]{1,16}")
_SEPARATORS: Final = re.compile(r"[,\s]+")
_FIX: Final = "print a new key with `companion keyring new` and put it in front: k2:…,k1:…"


def parse_ring(text: str) -> dict[str, bytes]:
    """Return the keys by id, in order. Raises `ConfigurationError`."""
    entries = [entry for entry in _SEPARATORS.split(text.strip()) if entry]
    if not entries:
        raise _refused("holds no key")
    keys: dict[str, bytes] = {}
    for number, entry in enumerate(entries, start=1):
        key_id, key = _parse_entry(number, entry)
        if key_id in keys:
            raise _refused(f"uses the id of entry {number} twice")
        if key in keys.values():
            raise _refused(f"holds the key of entry {number} twice")
        keys[key_id] = key
    return keys


def _parse_entry(number: int, entry: str) -> tuple[str, bytes]:
    key_id, colon, encoded = entry.partition(":")
    if not colon:
        raise _refused(f"has no `id:` before the key of entry {number}")
    if not _KEY_ID.fullmatch(key_id):
        raise _refused(f"has an id in entry {number} that is not 1-16 lower-case letters or digits")
    key = _decode(encoded)
    if key is None or len(key) != KEY_BYTES:
        raise _refused(f"has a key in entry {number} that is not the base64 of {KEY_BYTES} bytes")
    if _is_guessable(key):
        raise _refused(f"has a key in entry {number} that is not random")
    return key_id, key


def _decode(encoded: str) -> bytes | None:
    standard = encoded.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (NotBase64, ValueError):
        return None


def _is_guessable(key: bytes) -> bool:
    steps = {(after - before) % 256 for before, after in pairwise(key)}
    typed = key.isascii() and key.decode("ascii").isprintable()
    return typed or len(set(key)) < FEWEST_DISTINCT or len(steps) < FEWEST_DISTINCT


def _refused(problem: str) -> ConfigurationError:
    return ConfigurationError(variable=VARIABLE, problem=problem, fix=_FIX)
