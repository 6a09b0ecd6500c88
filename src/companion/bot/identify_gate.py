"""When a shard may begin a new session with Discord.

As many at a time as Discord says (`max_concurrency`), the others five seconds apart and in
order; not again and again when nothing comes of it; and not the day's last ones.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from companion.bot.command_shapes import mapping
from companion.bot.identify_record import IdentifyRecord
from companion.domain.gateway_errors import ConnectionsUsedUp
from companion.ports.clock import Clock

log = structlog.get_logger()

KEPT: Final = 50
"""So many sessions of the day are left alone."""
APART_S: Final = 5.0
FRESH_S: Final = 30.0
LONGEST_NAP_S: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BotGateway:
    """What Discord says at `GET /gateway/bot`."""

    url: str
    shards: int
    left: int
    reset_s: float
    concurrency: int

    @classmethod
    def read(cls, answer: object) -> BotGateway:
        """Read an answer; what is missing means no limit."""
        fields = mapping(answer)
        limit = mapping(fields.get("session_start_limit"))
        return cls(
            url=str(fields.get("url", "")),
            shards=max(1, _int(fields.get("shards"), 1)),
            left=_int(limit.get("remaining"), 1000),
            reset_s=_int(limit.get("reset_after"), 86_400_000) / 1000,
            concurrency=max(1, _int(limit.get("max_concurrency"), 1)),
        )


class IdentifyGate:
    """One a process. `ask` asks Discord, which counts over all processes of a bot."""

    def __init__(
        self, ask: Callable[[], Awaitable[BotGateway]], record: IdentifyRecord, clock: Clock
    ) -> None:
        self._ask = ask
        self._record = record
        self._clock = clock
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._last: dict[int, float] = {}
        self._known: BotGateway | None = None
        self._asked_at = 0.0
        self._unserved = False
        self._noting: asyncio.Task[None] | None = None

    async def check(self) -> BotGateway:
        """Ask Discord at the start; raises `ConnectionsUsedUp`."""
        known = await self._fresh()
        if known.left < KEPT:
            raise ConnectionsUsedUp(left=known.left, reset_s=known.reset_s)
        return known

    async def address(self) -> str:
        """Return the gateway's general address."""
        return (await self._fresh()).url

    async def pass_through(self, shard: int) -> str:
        """Wait until the shard may begin a session, and return the gateway's address."""
        known = await self._fresh()
        key = shard % known.concurrency
        async with self._locks[key]:
            known = await self._until_some_are_left(shard)
            await self._nap(shard, await self._record.wait_s(shard), "nothing_came_of_the_last")
            since_s = self._clock.monotonic() - self._last.get(key, -APART_S)
            await self._clock.sleep(APART_S - since_s)
            self._last[key] = self._clock.monotonic()
            await self._record.note(shard)
            self._unserved = True
            return known.url

    def note_use(self) -> None:
        """Note that somebody is being served; nothing waits for it to be written."""
        if self._unserved:
            self._unserved = False
            self._noting = asyncio.create_task(self._record.note_use())

    async def close(self) -> None:
        """Note that all ends as it should."""
        self.note_use()
        if self._noting is not None:
            await asyncio.wait({self._noting})

    async def _until_some_are_left(self, shard: int) -> BotGateway:
        """Other shards may be connected: they are not given up for this one."""
        while (known := await self._fresh()).left < KEPT:
            await self._nap(shard, min(known.reset_s, LONGEST_NAP_S), "connections_used_up")
        return known

    async def _nap(self, shard: int, seconds: float, why: str) -> None:
        if seconds > 0:
            log.error("session_begins_later", shard=shard, seconds=round(seconds), why=why)
            await self._clock.sleep(seconds)

    async def _fresh(self) -> BotGateway:
        now = self._clock.monotonic()
        if self._known is None or now - self._asked_at > FRESH_S:
            self._known, self._asked_at = await self._ask(), now
        return self._known


def _int(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) else otherwise
