from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class FakeClock:
    """Stands still until a test moves it; sleepers wake when their time comes."""

    def __init__(self) -> None:
        self._passed = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return 1000.0 + self._passed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return await asyncio.sleep(0)
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._passed + seconds, sleeper))
        return await sleeper

    @property
    def sleeping(self) -> int:
        """How many wait for time to pass."""
        return sum(not sleeper.done() for _, sleeper in self._sleepers)

    def advance(self, seconds: float = 0.0, **parts: float) -> None:
        """Move on by that many seconds, and `timedelta` parts."""
        self._passed += seconds + timedelta(**parts).total_seconds()
        for due, sleeper in self._sleepers:
            if due <= self._passed and not sleeper.done():
                sleeper.set_result(None)
        self._sleepers = [(due, sleeper) for due, sleeper in self._sleepers if not sleeper.done()]
