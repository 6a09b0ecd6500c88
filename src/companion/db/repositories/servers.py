"""Which servers the app is in, and since when it is no longer in others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, func, select

from companion.db.server_rows import ServerRow
from companion.db.statements import Statements
from companion.domain.actor import GuildId

_TABLE: Final = ServerRow.metadata.tables[ServerRow.__tablename__]
_LEFT_AT: Final = select(_TABLE.c.left_at).where(_TABLE.c.guild_id == bindparam("guild"))
_AT_ONCE: Final = 500
"""Rows in one statement; a bot's first start has one for each of its servers."""


class SqlServers:
    """One row a server."""

    def __init__(self, run: Statements) -> None:
        self._run = run

    async def known(self) -> Mapping[GuildId, datetime | None]:
        """Return all of them, each with when the app was found to have left it."""
        rows = await self._run.rows(select(ServerRow.guild_id, ServerRow.left_at))
        return {GuildId(row.guild_id): row.left_at for row in rows}

    async def left_at(self, guild: GuildId) -> datetime | None:
        """Return when the app was found to have left that server; `None` when it did not."""
        row = (await self._run.quick(_LEFT_AT, {"guild": guild})).first()
        return None if row is None else row.left_at

    async def note_in(self, guilds: Sequence[GuildId]) -> None:
        """Note that the app is in these servers, whatever was noted of them before."""
        await self._note(guilds, None)

    async def note_left(self, guilds: Sequence[GuildId], now: datetime) -> None:
        """Note that the app is not in these servers; an earlier note of that stays."""
        await self._note(guilds, now)

    async def _note(self, guilds: Sequence[GuildId], left_at: datetime | None) -> None:
        # in one order, so that two who note the same do not wait for each other
        in_order = sorted(guilds)
        for start in range(0, len(in_order), _AT_ONCE):
            some = in_order[start : start + _AT_ONCE]
            insert = self._run.insert(ServerRow).values(
                [{"guild_id": guild, "left_at": left_at} for guild in some]
            )
            new = insert.excluded.left_at
            kept = new if left_at is None else func.coalesce(ServerRow.left_at, new)
            await self._run.run(
                insert.on_conflict_do_update(index_elements=["guild_id"], set_={"left_at": kept})
            )

    async def hold_left_before(self, guild: GuildId, moment: datetime) -> datetime | None:
        """Return when the app left, if that was before `moment`, and keep it so until the end."""
        left = select(ServerRow.left_at).where(
            ServerRow.guild_id == guild, ServerRow.left_at <= moment
        )
        return await self._run.one(left.with_for_update())

    async def forget(self, guild: GuildId) -> None:
        """Delete what is noted of a server."""
        await self._run.run(delete(ServerRow).where(ServerRow.guild_id == guild))
