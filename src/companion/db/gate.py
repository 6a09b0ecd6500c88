"""The queue before the pool: as many go in as there are connections, the others wait in order.

A pool's own waiting time tells a database that is away from one that is busy only when it is
short. Two hundred people at once are neither: they wait here, for longer, without a connection.

What is few and has others waiting for it goes before them: leases that would run out, say.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from companion.domain.errors import StorageUnavailable

QUEUE_S: Final = 15.0
AWAY_AFTER: Final = 3
"""So many losses in a row, and nobody waits any longer to find out the same."""


class Gate:
    """So many may be beyond it at once."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._first: deque[asyncio.Future[None]] = deque()
        self._rest: deque[asyncio.Future[None]] = deque()
        self._lost = 0

    @asynccontextmanager
    async def passing(self, *, first: bool = False) -> AsyncGenerator[None]:
        """Hold a place; `first` before all others who wait, which is for few, and briefly.

        Raises `StorageUnavailable` when one's turn does not come.
        """
        await self._enter(self._first if first else self._rest)
        lost = False
        try:
            yield
        except StorageUnavailable as error:
            lost = error.reason == "unreachable"
            raise
        finally:
            self._lost = self._lost + 1 if lost else 0
            if self._lost >= AWAY_AFTER:
                self._turn_away()
            self._leave()

    async def _enter(self, line: deque[asyncio.Future[None]]) -> None:
        if self._free > 0:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.append(turn)
        try:
            async with asyncio.timeout(QUEUE_S):
                await turn
        except (TimeoutError, asyncio.CancelledError) as gone:
            if not turn.cancelled() and turn.exception() is None:
                self._leave()  # the turn came in the same moment
            if isinstance(gone, TimeoutError):
                raise StorageUnavailable(reason="busy") from None
            raise

    def _leave(self) -> None:
        for line in (self._first, self._rest):
            while line:
                turn = line.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._free += 1

    def _turn_away(self) -> None:
        """Turn away all: the database is lost."""
        for turn in (*self._first, *self._rest):
            if not turn.done():
                turn.set_exception(StorageUnavailable(reason="unreachable"))
        self._first.clear()
        self._rest.clear()
