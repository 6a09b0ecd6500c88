"""The line for the database: whoever is waited for goes before the rest."""

from __future__ import annotations

import asyncio
from collections import deque
from math import inf

from companion.domain.errors import StorageUnavailable


class WaitingLine:
    """Places with two lines. A place is handed on: nobody who comes later gets in between.

    `in_a_row`: so many of the first go before one of the rest does.
    """

    def __init__(self, places: int, *, in_a_row: float = inf) -> None:
        self._free = places
        self._most_in_a_row = in_a_row
        self._in_a_row = 0
        self._first: deque[asyncio.Future[None]] = deque()
        self._rest: deque[asyncio.Future[None]] = deque()

    @property
    def is_full(self) -> bool:
        """Whether whoever comes now would wait."""
        return self._free == 0

    async def acquire(self, *, first: bool = False, within_s: float | None = None) -> None:
        """Wait for a place; `first` before all who are not.

        Raises `StorageUnavailable` when it does not come in time, or to all were turned away.
        """
        if self._free > 0:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (self._first if first else self._rest).append(turn)
        try:
            async with asyncio.timeout(within_s):
                await turn
        except (TimeoutError, asyncio.CancelledError) as gone:
            if not turn.cancelled() and turn.exception() is None:
                self.release()  # it came at the same moment, and is somebody else's now
            if isinstance(gone, TimeoutError):
                raise StorageUnavailable(reason="busy") from None
            raise

    def release(self) -> None:
        """Hand the place on."""
        turn = self._next()
        if turn is None:
            self._free += 1
        else:
            turn.set_result(None)

    def turn_away(self) -> None:
        """Let nobody wait any longer: the database is lost."""
        while turn := self._next():
            turn.set_exception(StorageUnavailable(reason="unreachable"))

    def _next(self) -> asyncio.Future[None] | None:
        while self._first or self._rest:
            rests_turn = self._rest and self._in_a_row >= self._most_in_a_row
            line = self._rest if rests_turn or not self._first else self._first
            self._in_a_row = self._in_a_row + 1 if line is self._first else 0
            turn = line.popleft()
            if not turn.done():
                return turn
        return None
