"""One shard's connection to Discord, kept up by a task of its own.

The library resumes at the wrong address, forgets the right one at the first resume, lets
one shard's reconnecting hold up all others', and takes two missed answers to a heartbeat
for granted. Here a shard resumes where Discord told it to, and a connection that does not
answer heartbeats is left within one and a half of them. Its sockets are the library's.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import zlib
from collections.abc import Callable
from typing import Final, Protocol

import aiohttp
import discord
import structlog
from discord.gateway import DiscordWebSocket, ReconnectWebSocket

from companion.bot.identify_gate import IdentifyGate

log = structlog.get_logger()

CONNECT_S: Final = 20.0
GOODBYE_S: Final = 2.0
LONGEST_PAUSE_S: Final = 60.0
RESUME_TRIES: Final = 3
"""So often the address for resuming is tried, then the general one."""
AFTER_INVALID_S: Final = (1.0, 5.0)
"""How long Discord wants one to wait before a new session after it ended the old one."""
UNFINISHED: Final = 4000
SILENT: Final = 1.35
"""Heartbeats without an answer after which a connection counts as dead."""

_NETWORK: Final = (
    OSError,
    aiohttp.ClientError,
    TimeoutError,
    discord.GatewayNotFound,
    discord.HTTPException,
    ReconnectWebSocket,
    zlib.error,
)
_SENSELESS: Final = (LookupError, ValueError, TypeError, AttributeError)


class Silent(Exception):
    """The other end does not answer heartbeats any more."""


class Opener(Protocol):
    """Opens a socket and says hello; see `DiscordWebSocket.from_client`."""

    async def __call__(
        self,
        gateway: str,
        *,
        shard_id: int,
        resume: bool,
        session: str | None,
        sequence: int | None,
    ) -> DiscordWebSocket:
        """Return the socket after RESUME or IDENTIFY was sent."""
        ...


Begun = Callable[["ShardLine"], None]


class ShardLine:
    """One shard. What the library wants of its own class is here: `id`, `ws` and `close`."""

    def __init__(
        self, shard_id: int, gate: IdentifyGate, open_socket: Opener, begun: Begun
    ) -> None:
        self.id = shard_id
        self.ws: DiscordWebSocket | None = None
        self._gate = gate
        self._open_socket = open_socket
        self._begun = begun
        self._resume_url = ""
        self._failures = 0
        self._ending = False
        self._goodbyes: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Stay connected until closed; raises `discord.ConnectionClosed` when that is no use."""
        while not self._ending:
            ws: DiscordWebSocket | None = None
            try:
                ws = await self._connect()
                await self._listen(ws)
            except (*_NETWORK, Silent) as error:
                self._note_end(ws, type(error).__name__)
            except discord.ConnectionClosed:
                if not self._ending:
                    raise

    async def close(self) -> None:
        """Say goodbye for good."""
        self._ending = True
        if self.ws is not None:
            await _say_goodbye(self.ws, code=1000)

    async def _connect(self) -> DiscordWebSocket:
        await asyncio.sleep(self._pause_s())
        session, sequence = (None, None) if self.ws is None else _place(self.ws)
        address = await self._address(resume=session is not None)
        async with asyncio.timeout(CONNECT_S):
            self.ws = await self._open_socket(
                address,
                shard_id=self.id,
                resume=session is not None,
                session=session,
                sequence=sequence,
            )
        self._begun(self)
        return self.ws

    async def _address(self, *, resume: bool) -> str:
        if not resume:
            return await self._gate.pass_through(self.id)
        if self._resume_url and self._failures < RESUME_TRIES:
            return self._resume_url
        return await self._gate.address()

    def _pause_s(self) -> float:
        """Return the wait before the next try: none after a connection that was any good."""
        if self._failures:
            longest = min(LONGEST_PAUSE_S, 2.0 ** (self._failures - 1))
            return random.uniform(longest / 2, longest)  # noqa: S311  only spreads tries
        lost_its_session = self.ws is not None and self.ws.session_id is None
        return random.uniform(*AFTER_INVALID_S) if lost_its_session else 0.0  # noqa: S311

    async def _listen(self, ws: DiscordWebSocket) -> None:
        """Take in events; raises one of `_NETWORK`, `Silent` or `discord.ConnectionClosed`."""
        reading = asyncio.create_task(_read(ws), name=f"shard {self.id}")
        watching = asyncio.create_task(_until_silent(ws), name=f"heartbeats of {self.id}")
        try:
            await asyncio.wait({reading, watching}, return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                raise Silent
            reading.result()
        finally:
            reading.cancel()
            watching.cancel()

    def _note_end(self, ws: DiscordWebSocket | None, why: str) -> None:
        if self._ending:
            return
        if ws is not None:
            self._abandon(ws)
        if ws is not None and _was_good(ws):
            self._failures = 0
            self._resume_url = ws.resume_gateway_url or self._resume_url
        else:
            self._failures += 1
        log.warning("gateway_connection_lost", shard=self.id, why=why, failures=self._failures)

    def _abandon(self, ws: DiscordWebSocket) -> None:
        """Say goodbye without waiting for who is not there; this code keeps the session."""
        goodbye = asyncio.create_task(_say_goodbye(ws, code=UNFINISHED))
        self._goodbyes.add(goodbye)
        goodbye.add_done_callback(self._goodbyes.discard)


async def _read(ws: DiscordWebSocket) -> None:
    """Read until the connection ends; an event that the library cannot make sense of is left out.

    Raised further it would end the process, and come again with the next resume.
    """
    while True:
        try:
            await ws.poll_event()
        except _SENSELESS:
            log.exception("gateway_event_unreadable")


async def _until_silent(ws: DiscordWebSocket) -> None:
    """Return when a heartbeat was not answered for too long."""
    while True:
        beats = ws._keep_alive  # pyright: ignore[reportPrivateUsage]
        interval_s = (beats.interval if beats is not None else None) or 1.0
        # the library's own timeouts know nothing of the interval: they only stand behind this
        ws._max_heartbeat_timeout = 2 * interval_s  # pyright: ignore[reportPrivateUsage]
        await asyncio.sleep(interval_s / 10)
        if beats is None or not _is_overdue(beats._last_ack, interval_s):  # pyright: ignore[reportPrivateUsage]
            continue
        await asyncio.sleep(interval_s / 20)  # had this process stood still, it reads on now
        if _is_overdue(beats._last_ack, interval_s):  # pyright: ignore[reportPrivateUsage]
            return


def _is_overdue(answered_at: float, interval_s: float) -> bool:
    return time.perf_counter() - answered_at > SILENT * interval_s


def _place(ws: DiscordWebSocket) -> tuple[str | None, int | None]:
    """Return the session and how far it was read; none after Discord ended it."""
    return ws.session_id, ws.sequence


def _was_good(ws: DiscordWebSocket) -> bool:
    """Say whether the session began, or went on: the library sets this with either event."""
    return hasattr(ws, "_trace")


async def _say_goodbye(ws: DiscordWebSocket, *, code: int) -> None:
    with contextlib.suppress(*_NETWORK):
        async with asyncio.timeout(GOODBYE_S):
            await ws.close(code=code)
