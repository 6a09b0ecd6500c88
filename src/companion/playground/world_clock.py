"""The time of the local Discord: real time plus what a test added."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime


class WorldClock:
    """Real time that can be moved forward, so that 15 minutes pass at once."""

    def __init__(self) -> None:
        self._shift_s = 0.0
        self._listeners: list[Callable[[], None]] = []

    def now(self) -> float:
        """Return seconds since 1970."""
        return time.time() + self._shift_s

    def advance(self, seconds: float) -> None:
        """Move forward; whatever is due by then happens before this returns."""
        self._shift_s += seconds
        for listener in self._listeners:
            listener()

    def on_advance(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each move."""
        self._listeners.append(listener)


def timestamp(seconds: float) -> str:
    """Return a moment as Discord writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
