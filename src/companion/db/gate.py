"""The queue before the pool: as many go in as there are connections, the others wait in order.

A pool's own waiting time tells a database that is away from one that is busy only when it is
short. Two hundred people at once are neither: they wait here, for longer, without a connection.
"""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType
from typing import Final

from companion.domain.errors import StorageUnavailable

QUEUE_S: Final = 15.0
AWAY_AFTER: Final = 3
"""So many losses in a row, and nobody waits any longer to find out the same."""


class Gate:
    """Enter it with `async with`; raises `StorageUnavailable` when one's turn does not come."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._lost = 0

    async def __aenter__(self) -> None:
        """Wait for a place."""
        if self._free > 0:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(QUEUE_S):
                await turn
        except (TimeoutError, asyncio.CancelledError) as gone:
            if not turn.cancelled() and turn.exception() is None:
                self._leave()  # the turn came in the same moment
            if isinstance(gone, TimeoutError):
                raise StorageUnavailable(reason="busy") from None
            raise

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Make room for the next, or turn away all when the database is lost."""
        lost = isinstance(error, StorageUnavailable) and error.reason == "unreachable"
        self._lost = self._lost + 1 if lost else 0
        if self._lost >= AWAY_AFTER:
            self._turn_away()
        self._leave()

    def _leave(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _turn_away(self) -> None:
        for turn in self._waiting:
            if not turn.done():
                turn.set_exception(StorageUnavailable(reason="unreachable"))
        self._waiting.clear()
