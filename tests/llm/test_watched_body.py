"""One timer for many waits: over a real connection, with a server that is told what to say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

import aiohttp
import httpx2
import pytest

from companion.llm.answer import Watchdog
from companion.llm.timings import ProviderTimings
from companion.llm.watched_body import WatchedBody

LONG_S = 30.0
SHORT_S = 0.1


@dataclass
class Stream:
    """A body that is being read, and the server's end of it."""

    says: asyncio.StreamWriter
    watchdog: Watchdog
    body: WatchedBody

    async def next(self) -> bytes:
        """Read a piece."""
        async with asyncio.timeout(LONG_S / 2):
            return await self.body.next_piece()


@pytest.fixture
async def stream() -> AsyncGenerator[Stream]:
    writers: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        await writers.put(writer)

    timings = replace(ProviderTimings(), first_event_s=LONG_S)
    async with (
        await asyncio.start_server(serve, "127.0.0.1") as server,
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as answer,
    ):
        watchdog = Watchdog(timings, streaming=True)
        body = WatchedBody(answer, watchdog)
        writer = await writers.get()
        yield Stream(writer, watchdog, body)
        body.close()
        writer.close()


async def test_pieces_and_the_end_are_read(stream: Stream) -> None:
    stream.says.write(b"one")
    assert await stream.next() == b"one"
    stream.says.close()
    assert await stream.next() == b""


async def test_silence_ends_at_the_deadline(stream: Stream) -> None:
    stream.watchdog.allow(SHORT_S)

    with pytest.raises(httpx2.ReadTimeout):
        await stream.next()
    assert stream.watchdog.deadline <= asyncio.get_running_loop().time()


async def test_a_deadline_that_comes_nearer_is_kept(stream: Stream) -> None:
    stream.says.write(b"one")
    await stream.next()  # waited for under the long deadline
    stream.watchdog.allow(SHORT_S)

    with pytest.raises(httpx2.ReadTimeout):
        await stream.next()


async def test_a_deadline_that_moved_away_ends_nothing(stream: Stream) -> None:
    stream.watchdog.allow(SHORT_S)
    stream.says.write(b"one")
    await stream.next()
    stream.watchdog.allow(LONG_S)
    reading = asyncio.create_task(stream.next())
    await asyncio.sleep(SHORT_S * 2)
    stream.says.write(b"two")

    assert await reading == b"two"


async def test_what_came_is_read_however_late_the_reader_is(stream: Stream) -> None:
    stream.watchdog.allow(SHORT_S)
    stream.says.write(b"one")
    await stream.next()
    stream.says.write(b"two")
    await asyncio.sleep(SHORT_S * 2)  # the reader is busy, and the deadline passes

    assert await stream.next() == b"two"
    with pytest.raises(httpx2.ReadTimeout):
        await stream.next()
