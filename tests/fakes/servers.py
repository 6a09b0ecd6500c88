from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from companion.domain.actor import GuildId
from companion.ports import servers as port
from tests.fakes.tables import Tables


class FakeServers(port.Servers):
    def __init__(self, tables: Tables) -> None:
        self._servers = tables.servers

    async def known(self) -> Mapping[GuildId, datetime | None]:
        return dict(self._servers)

    async def left_at(self, guild: GuildId) -> datetime | None:
        return self._servers.get(guild)

    async def note_in(self, guilds: Sequence[GuildId]) -> None:
        for guild in guilds:
            self._servers[guild] = None

    async def note_left(self, guilds: Sequence[GuildId], now: datetime) -> None:
        for guild in guilds:
            self._servers[guild] = self._servers.get(guild) or now

    async def left_before(self, moment: datetime) -> Sequence[GuildId]:
        return [guild for guild, at in self._servers.items() if at is not None and at <= moment]

    async def hold_left_before(self, guild: GuildId, moment: datetime) -> datetime | None:
        left_at = self._servers.get(guild)
        return left_at if left_at is not None and left_at <= moment else None

    async def forget(self, guild: GuildId) -> None:
        self._servers.pop(guild, None)
