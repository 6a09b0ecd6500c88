"""Discord's ids: 64-bit numbers that carry the moment they were made."""

from __future__ import annotations

from companion.playground.world_clock import WorldClock

DISCORD_EPOCH_MS = 1_420_070_400_000
_TIME_SHIFT = 22


class Snowflakes:
    """Gives out ids, each greater than the last."""

    def __init__(self, clock: WorldClock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        """Return a new id."""
        candidate = (int(self._clock.now() * 1000) - DISCORD_EPOCH_MS) << _TIME_SHIFT
        self._last = max(candidate, self._last + 1)
        return self._last


def created_at(snowflake: int) -> float:
    """Return the moment in an id, in seconds since 1970."""
    return ((snowflake >> _TIME_SHIFT) + DISCORD_EPOCH_MS) / 1000
