"""Where a text may be cut without breaking what a reader sees as one character.

The standard library has no segmentation tables, so this follows the rules of Unicode
Standard Annex 29 by general category and ranges. It errs towards keeping together.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_JOINERS: Final = "\u200c\u200d\uff9e\uff9f"
_MARKS: Final = frozenset({"Mn", "Me", "Mc"})
_VIRAMA: Final = 9
_ZWJ: Final = "\u200d"


def inside_cluster(text: str, index: int) -> bool:
    """Whether `index` lies inside a grapheme cluster (emoji sequence, flag, accents, CR LF …)."""
    if not 0 < index < len(text):
        return False
    before, after = text[index - 1], text[index]
    if before < " " or (before.isascii() and after.isascii()):
        return before == "\r" and after == "\n"
    return (
        before == _ZWJ
        or _extends(after)
        or _flag_half(text, index)
        or _conjunct(before, after)
        or _hangul(before, after)
    )


def boundary_before(text: str, index: int, lowest: int) -> int | None:
    """Return the last boundary in `lowest`..`index`, or `None` when one cluster fills it."""
    while index >= lowest:
        if not inside_cluster(text, index):
            return index
        index -= 1
    return None


def _extends(char: str) -> bool:
    return (
        char in _JOINERS
        or "\U0001f3fb" <= char <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= char <= "\U000e007f"  # tags: flags of regions
        or unicodedata.category(char) in _MARKS
    )


def _regional(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _flag_half(text: str, index: int) -> bool:
    if not (_regional(text[index]) and _regional(text[index - 1])):
        return False
    start = index
    while start > 0 and _regional(text[start - 1]):
        start -= 1
    return (index - start) % 2 == 1


def _conjunct(before: str, after: str) -> bool:
    return unicodedata.combining(before) == _VIRAMA and unicodedata.category(after) == "Lo"


def _hangul(before: str, after: str) -> bool:
    if "\u1100" <= before <= "\u115f":
        return "\u1100" <= after <= "\u11a7" or "\uac00" <= after <= "\ud7a3"
    if "\u1160" <= before <= "\u11ff" or "\uac00" <= before <= "\ud7a3":
        return "\u1160" <= after <= "\u11ff"
    return False
