"""Which servers the app is in, and what becomes of the data of those it left.

Discord tells of each removal, and lists all servers of a shard whenever a session begins, so
a removal that nobody was there to hear of is found then. A server that has an outage is
listed, too. What is noted is taken back when the app comes back; only when it stayed away for
`KEPT` is anything deleted, and only by the process whose session would have the server.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from companion.domain.accounts import KeyOwner
from companion.domain.actor import GuildId
from companion.domain.errors import StorageError
from companion.ports.clock import Clock
from companion.ports.store import Store
from companion.services.access import AccessGate
from companion.services.background import BackgroundTasks
from companion.services.deliveries import Deliveries
from companion.services.later import written_later
from companion.services.running_turns import RunningTurns
from companion.services.session_keys import SessionKeys

KEPT: Final = timedelta(days=30)
"""How long a server's data stays after the app left it, in case it is added again."""
AT_ONCE: Final = 20
"""Conversations that are deleted in one transaction: others want to write, too."""
_log = logging.getLogger(__name__)


class Membership:
    """Knows where the app is; one a process."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        tasks: BackgroundTasks,
        gate: AccessGate,
        running: RunningTurns,
        deliveries: Deliveries,
        session_keys: SessionKeys,
    ) -> None:
        self._store = store
        self._clock = clock
        self._tasks = tasks
        self._gate = gate
        self._running = running
        self._deliveries = deliveries
        self._session_keys = session_keys
        self._in: set[GuildId] = set()
        self._shards: dict[int, int] = {}
        self._writing = asyncio.Lock()

    async def left(self, guild: GuildId) -> None:
        """End at once what waits, runs or is written there, and note that the app is gone."""
        self._in.discard(guild)
        self._gate.shut(guild)
        self._session_keys.remove(KeyOwner(guild_id=guild))
        self._deliveries.silence(guild)
        cut = self._running.leave(guild)
        _log.info("server_left", extra={"cut": cut})
        now = self._clock.now()
        await self._stored(lambda: self._note([guild], now))

    async def joined(self, guild: GuildId) -> None:
        """Note that the app is there, for the first time or again; nothing if that is known."""
        if guild in self._in:
            return
        self._in.add(guild)
        self._gate.open(guild)
        now = self._clock.now()
        await self._stored(lambda: self._note([guild], now))

    async def listed(self, shard: int, shards: int, guilds: frozenset[GuildId]) -> None:
        """Compare with all servers that the session of a shard, one of so many, begins with."""
        self._shards[shard] = shards
        self._in = {guild for guild in self._in if shard_of(guild, shards) != shard} | guilds
        for guild in guilds:
            self._gate.open(guild)
        await self._stored(lambda: self._compare(shard, shards))

    async def erase_due(self) -> int:
        """Delete the data of servers that were left long ago; return of how many.

        Only where this process's own sessions say that the app is not there: it may have been
        added again while no process ran. Raises `StorageUnavailable`.
        """
        before = self._clock.now() - KEPT
        async with self._store.read() as unit:
            due = [each for each in await unit.servers.left_before(before) if self._misses(each)]
        for guild in due:
            while await self._erase_some(guild, before):
                pass
        return len(due)

    def _misses(self, guild: GuildId) -> bool:
        listed = any(shard_of(guild, shards) == shard for shard, shards in self._shards.items())
        return listed and guild not in self._in

    async def _erase_some(self, guild: GuildId, before: datetime) -> bool:
        """Delete a part, the server's own things last; say whether there is more."""
        async with self._store.write() as unit:
            left_at = await unit.servers.hold_left_before(guild, before)
            if left_at is None:
                return False
            # who brings the app along goes on with theirs: it is not the server's then
            unused = await unit.conversations.unused_since(guild, left_at, AT_ONCE)
            for conversation in unused:
                await unit.conversations.drop(conversation)
            if len(unused) == AT_ONCE:
                return True
            await unit.provider_log.drop_contents_of(guild, left_at)
            await unit.chat_channels.save(guild, frozenset())
            await unit.preferences.remove_guild(guild)
            await unit.keys.remove(KeyOwner(guild_id=guild))
            await unit.servers.forget(guild)
        return False

    async def _compare(self, shard: int, shards: int) -> None:
        async with self._store.read() as unit:
            known = await unit.servers.known()
        noted = {guild for guild, left_at in known.items() if left_at is None}
        changed = noted ^ self._in
        ours = [guild for guild in changed if shard_of(guild, shards) == shard]
        if ours:
            await self._note(ours, self._clock.now())

    async def _note(self, guilds: Sequence[GuildId], now: datetime) -> None:
        async with self._writing:  # in turn, so that what is true last is also written last
            there = [guild for guild in guilds if guild in self._in]
            gone = [guild for guild in guilds if guild not in self._in]
            async with self._store.write() as unit:
                await unit.servers.note_in(there)
                await unit.servers.note_left(gone, now)

    async def _stored(self, write: Callable[[], Awaitable[None]]) -> None:
        """Write, later if the database is away; the next list of servers makes up for the rest."""
        try:
            await write()
        except StorageError as error:
            _log.warning("servers_not_noted", extra={"reason": error.code})
            self._tasks.start("note servers", self._later(write))

    async def _later(self, write: Callable[[], Awaitable[None]]) -> None:
        await written_later(write, self._clock, "servers_not_noted")


def shard_of(guild: GuildId, shards: int) -> int:
    """Return which of so many shards has that server (Discord's documents: “Sharding”)."""
    return (guild >> 22) % shards
