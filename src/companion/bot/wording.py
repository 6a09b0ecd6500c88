"""How values are written in a message: numbers, money, times, and what others typed."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from typing import Final

from companion.domain.usage import Micros

SHOWN_LIMIT: Final = 60
MICROS: Final = 1_000_000
_UNSAFE: Final = re.compile(r"[`@<>\s]+")


def quoted(typed: str) -> str:
    """Return what someone typed as short inline code: no mention, no markup, one line."""
    visible = "".join(char if char.isprintable() else " " for char in typed)
    cleaned = _UNSAFE.sub(" ", visible).strip()
    if len(cleaned) > SHOWN_LIMIT:
        cleaned = f"{cleaned[: SHOWN_LIMIT - 1]}…"
    return f"`{cleaned or '?'}`"


def listed(words: tuple[str, ...], *, limit: int = 12) -> str:
    """Return the words as inline code, joined by commas."""
    shown = ", ".join(quoted(word) for word in words[:limit])
    return f"{shown}, …" if len(words) > limit else shown


def in_(seconds: float, now: datetime) -> str:
    """Return when that is as a Discord timestamp, which counts down on the reader's screen."""
    # rounded up: "in 0 seconds" would invite a click that is refused again
    return moment(now + timedelta(seconds=max(1.0, seconds)))


def moment(when: datetime) -> str:
    """Return a moment as a Discord timestamp relative to the reader's clock."""
    return f"<t:{math.ceil(when.timestamp())}:R>"


def money(micros: Micros) -> str:
    """Return an amount in dollars, with as many digits as it needs to say something."""
    dollars = micros / MICROS
    if micros == 0:
        return "$0"
    if micros < MICROS // 10_000:
        return "<$0.0001"
    whole_cents = micros % (MICROS // 100) == 0
    return f"${dollars:,.2f}" if whole_cents or micros >= MICROS else f"${dollars:.4f}"


def count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural when it needs one."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size(number_of_bytes: int) -> str:
    """Return a file size in the unit a person would use."""
    if number_of_bytes < 1024:  # noqa: PLR2004
        return count(number_of_bytes, "byte")
    kib = number_of_bytes / 1024
    return f"{kib:,.0f} KB" if kib < 1024 else f"{kib / 1024:,.1f} MB"  # noqa: PLR2004
