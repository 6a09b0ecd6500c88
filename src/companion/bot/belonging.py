"""Which servers the app is in, as the gateway tells of it.

Each session begins with the list of all servers of its shard. The library adds them to what
it knows; one that removed the app while there was no session would stay there for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any, Final, cast

import discord
from discord.state import AutoShardedConnectionState

from companion.bot.closed_channels import ClosedChannels
from companion.domain.actor import GuildId
from companion.services.membership import Membership, shard_of

LISTED: Final = "servers_listed"


class Belonging:
    """Passes on where the app is."""

    def __init__(self, membership: Membership, closed: ClosedChannels) -> None:
        self._membership = membership
        self._closed = closed

    async def left(self, guild: discord.Guild) -> None:
        """Send nothing more there, and end what runs there."""
        channels = chain(guild.channels, guild.threads)
        self._closed.leave(guild.id, (channel.id for channel in channels))
        await self._membership.left(GuildId(guild.id))

    async def joined(self, guild: discord.Guild) -> None:
        """Take that back."""
        self._closed.enter(guild.id)
        await self._membership.joined(GuildId(guild.id))

    async def listed(self, shard: int, shards: int, guilds: frozenset[int]) -> None:
        """Compare with what is known."""
        for guild_id in guilds:
            self._closed.enter(guild_id)
        listed = frozenset(GuildId(guild_id) for guild_id in guilds)
        await self._membership.listed(shard, shards, listed)


def announce_lists(state: AutoShardedConnectionState) -> None:
    """Let the library tell of each list of servers, and of what is on it no more."""
    parsers: dict[str, Any] = state.parsers  # pyright: ignore[reportUnknownMemberType]
    parse_ready, dispatch = parsers["READY"], cast("Callable[..., None]", state.dispatch)  # pyright: ignore[reportUnknownMemberType]

    def ready(data: Mapping[str, Any]) -> None:
        parse_ready(data)
        shard, shards = data["shard"]
        listed = frozenset(int(guild["id"]) for guild in data["guilds"])
        for guild in list(state.guilds):
            if shard_of(GuildId(guild.id), shards) == shard and guild.id not in listed:
                state._remove_guild(guild)  # pyright: ignore[reportPrivateUsage]
                dispatch("guild_remove", guild)
        dispatch(LISTED, shard, shards, listed)

    parsers["READY"] = ready
