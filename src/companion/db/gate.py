"""The queue before the pool: as many go in as there are connections, the others wait in order.

A pool's own waiting time tells a database that is away from one that is busy only when it is
short. Two hundred people at once are neither: they wait here, for longer, without a connection.

What is few and has others waiting for it goes before them: leases that would run out, say.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from companion.db.waiting_line import WaitingLine
from companion.domain.errors import StorageUnavailable

QUEUE_S: Final = 15.0
AWAY_AFTER: Final = 3
"""So many losses in a row, and nobody waits any longer to find out the same."""


class Gate:
    """So many may be beyond it at once."""

    def __init__(self, places: int) -> None:
        self._line = WaitingLine(places)
        self._lost = 0

    @asynccontextmanager
    async def passing(self, *, first: bool = False) -> AsyncGenerator[None]:
        """Hold a place; `first` before all others who wait, which is for few, and briefly.

        Raises `StorageUnavailable` when one's turn does not come.
        """
        await self._line.acquire(first=first, within_s=QUEUE_S)
        lost = False
        try:
            yield
        except StorageUnavailable as error:
            lost = error.reason == "unreachable"
            raise
        finally:
            self._lost = self._lost + 1 if lost else 0
            if self._lost >= AWAY_AFTER:
                self._line.turn_away()
            self._line.release()
