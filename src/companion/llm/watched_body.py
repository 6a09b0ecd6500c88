"""The body of a stream whose every event goes on at once: a hundred waits a second."""

from __future__ import annotations

import asyncio

import aiohttp

from companion.llm.answer import Watchdog
from companion.llm.transport import next_piece


class WatchedBody:
    """Reads as far as its watchdog allows, with one timer for all waits.

    `asyncio.timeout_at` around each costs a tenth of what an event takes.
    """

    def __init__(self, answer: aiohttp.ClientResponse, watchdog: Watchdog) -> None:
        self._answer = answer
        self._watchdog = watchdog
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._waits_from: int | None = None

    async def next_piece(self) -> bytes:
        """Return what came, nothing at the end; raises an `httpx2.TransportError`.

        It is a `ReadTimeout`, and nothing more can be read, when the deadline passed.
        """
        deadline = self._watchdog.deadline
        if self._timer is None or deadline < self._timer.when():
            self._look_at(deadline)
        self._waits_from = self._answer.content.total_bytes
        try:
            return await next_piece(self._answer)
        finally:
            self._waits_from = None

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_at(self, moment: float) -> None:
        self.close()
        self._timer = self._loop.call_at(moment, self._look)

    def _look(self) -> None:
        self._timer = None
        content = self._answer.content
        if self._loop.time() < self._watchdog.deadline:
            self._look_at(self._watchdog.deadline)
        elif self._waits_from == content.total_bytes:  # else it came in this very moment
            content.set_exception(aiohttp.SocketTimeoutError())
