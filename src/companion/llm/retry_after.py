"""How long a provider asks us to wait, from the headers of its refusal."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_S: Final = 86_400.0
"""What a provider says beyond a day is taken for a day."""

_DURATION: Final = re.compile(
    r"(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m(?!s))?(?:(?P<s>\d+(?:\.\d+)?)s)?(?:(?P<ms>\d+)ms)?"
)
_LIMITS: Final = ("requests", "tokens")


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the wait in seconds, `None` when nothing usable is said.

    `retry-after-ms` and `retry-after` (seconds, or an HTTP date: RFC 9110, 10.2.3),
    and the reset time of whichever of OpenAI's limits has nothing remaining; the
    longest counts. Negative numbers, NaN and infinity say nothing.
    """
    said = [
        _number(headers.get("retry-after-ms"), scale=0.001),
        _number(headers.get("retry-after")),
        _date(headers.get("retry-after"), now),
        *(_reset(headers, limit) for limit in _LIMITS),
    ]
    waits = [wait for wait in said if wait is not None]
    return min(max(waits), LONGEST_S) if waits else None


def _number(text: str | None, *, scale: float = 1.0) -> float | None:
    try:
        value = float(text or "") * scale
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _date(text: str | None, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    if moment.tzinfo is None:  # "-0000": a UTC time of unknown place
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _reset(headers: Mapping[str, str], limit: str) -> float | None:
    if headers.get(f"x-ratelimit-remaining-{limit}") != "0":
        return None
    said = _DURATION.fullmatch(headers.get(f"x-ratelimit-reset-{limit}", ""))
    if said is None or not said.group():
        return None
    hours, minutes, seconds, millis = (float(said[name] or 0) for name in ("h", "m", "s", "ms"))
    return hours * 3600 + minutes * 60 + seconds + millis / 1000
