"""Chat channels: where every message is a question to the app."""

from __future__ import annotations

from typing import Final

from companion.domain.actor import Actor, ChannelId, GuildId, Place
from companion.ports.clock import Clock
from companion.ports.store import Store
from companion.services.access import AccessGate, Purpose

CACHE_S: Final = 5.0
"""How long another process may not know of a change: each message asks, few servers change."""

MOST_CACHED: Final = 10_000


class RoomsService:
    """Knows and sets the chat channels of servers."""

    def __init__(self, *, store: Store, gate: AccessGate, clock: Clock) -> None:
        self._store = store
        self._gate = gate
        self._clock = clock
        self._known: dict[GuildId, tuple[float, frozenset[ChannelId]]] = {}

    async def is_chat_channel(self, guild_id: GuildId, channel_id: ChannelId) -> bool:
        """Say whether every message there is a question; raises `StorageUnavailable`."""
        now = self._clock.monotonic()
        read_at, channels = self._known.get(guild_id, (None, frozenset[ChannelId]()))
        if read_at is None or now - read_at >= CACHE_S:
            channels = await self._read(guild_id)
            if len(self._known) >= MOST_CACHED:
                self._known.clear()
            self._known[guild_id] = (now, channels)
        return channel_id in channels

    async def chat_channels(self, actor: Actor, place: Place) -> frozenset[ChannelId]:
        """Return the server's chat channels, for who manages it; raises `ManagerOnly`."""
        return await self._read(self._managed(actor, place))

    async def set_chat_channels(
        self, actor: Actor, place: Place, channels: frozenset[ChannelId]
    ) -> None:
        """Replace the server's chat channels; raises `ManagerOnly`."""
        guild = self._managed(actor, place)
        async with self._store.write() as unit:
            await unit.chat_channels.save(guild, channels)
        self._known.pop(guild, None)

    def _managed(self, actor: Actor, place: Place) -> GuildId:
        self._gate.check(actor, place, None, Purpose.SERVER_SETTINGS)
        assert place.guild_id is not None  # the gate lets nobody manage anything else
        return place.guild_id

    async def _read(self, guild: GuildId) -> frozenset[ChannelId]:
        async with self._store.read() as unit:
            return await unit.chat_channels.of_guild(guild)
