"""How often a stream is looked at.

A model writes a hundred tokens a second, each in a packet of its own. Taken one by one,
each costs two turns of the event loop and the way through every layer up to the door,
which shows text once a second. So a stream is read, left alone for a moment in which the
kernel gathers what comes, and read again. The first pieces come at once: the pauses
begin small and grow. The more streams there are, the longer they get.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import aiohttp

FIRST_PAUSE_S: Final = 0.004
SHORTEST_S: Final = 0.2
LONGEST_S: Final = 0.5
LOOKS_PER_S: Final = 400
"""Of all streams together."""


class ReadingPace:
    """Counts the streams that are being read; one for the process."""

    def __init__(self) -> None:
        self._streams = 0

    @property
    def pause_s(self) -> float:
        """The seconds between two looks at a stream, as things are now."""
        return min(LONGEST_S, max(SHORTEST_S, self._streams / LOOKS_PER_S))

    @contextmanager
    def stream(self) -> Generator[StreamPauses]:
        """Count a stream for the length of the block."""
        self._streams += 1
        try:
            yield StreamPauses(self)
        finally:
            self._streams -= 1


class StreamPauses:
    """The pauses of one stream."""

    def __init__(self, pace: ReadingPace) -> None:
        self._pace = pace
        self._next_s = FIRST_PAUSE_S

    async def rest(self, answer: aiohttp.ClientResponse) -> None:
        """Let the provider write for a while, unread."""
        seconds = min(self._next_s, self._pace.pause_s)
        self._next_s = seconds * 2
        connection = answer.connection
        transport = None if connection is None else connection.transport
        if transport is None or transport.is_closing():
            return  # all that there will be is here
        transport.pause_reading()
        try:
            await asyncio.sleep(seconds)
        finally:
            if not transport.is_closing():
                transport.resume_reading()
