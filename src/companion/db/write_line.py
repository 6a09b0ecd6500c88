"""The line for the one writing connection: whoever is waited for goes before the rest.

An answer that begins has a person looking at an empty message, and few begin at once. Ends
and notes of what was shown come by the hundred when a crowd's answers end together.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

IN_A_ROW: Final = 2
"""So many of the first go before one of the rest does."""


class WriteLine:
    """A lock with two lines. It is handed on: nobody who comes later gets in between."""

    def __init__(self) -> None:
        self._taken = False
        self._first: deque[asyncio.Future[None]] = deque()
        self._rest: deque[asyncio.Future[None]] = deque()
        self._in_a_row = 0

    @property
    def is_taken(self) -> bool:
        """Whether somebody writes."""
        return self._taken

    async def acquire(self, *, first: bool) -> None:
        """Wait for the turn; `first` before all who are not."""
        if not self._taken:
            self._taken = True
            return
        line = self._first if first else self._rest
        turn = asyncio.get_running_loop().create_future()
        line.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it came at the same moment, and is somebody else's now
                self.release()
            raise

    def release(self) -> None:
        """Hand the turn on."""
        turn = self._next()
        if turn is None:
            self._taken = False
        else:
            turn.set_result(None)

    def _next(self) -> asyncio.Future[None] | None:
        while self._first or self._rest:
            rests_turn = self._rest and self._in_a_row >= IN_A_ROW
            line = self._rest if rests_turn or not self._first else self._first
            self._in_a_row = self._in_a_row + 1 if line is self._first else 0
            turn = line.popleft()
            if not turn.cancelled():
                return turn
        return None
