"""Which servers the app is in, and since when it is no longer in others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Final

from sqlalchemy import bindparam, delete, func, select

from companion.db.server_rows import ServerRow
from companion.db.statements import Insert, Statements, insert_into
from companion.domain.actor import GuildId

_TABLE: Final = ServerRow.metadata.tables[ServerRow.__tablename__]
_LEFT_AT: Final = select(_TABLE.c.left_at).where(_TABLE.c.guild_id == bindparam("guild"))
_AT_ONCE: Final = 500
"""Rows in one go: at its first start a bot has one for each of its servers."""


@cache
def _noting(*, on_sqlite: bool, left: bool) -> Insert:
    """Return the INSERT of a server, or its UPDATE; one that was left stays as it is."""
    insert = insert_into(_TABLE, on_sqlite=on_sqlite)
    new = insert.excluded.left_at
    kept = func.coalesce(_TABLE.c.left_at, new) if left else new
    return insert.on_conflict_do_update(index_elements=[_TABLE.c.guild_id], set_={"left_at": kept})


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
        noting = _noting(on_sqlite=self._run.on_sqlite, left=left_at is not None)
        # in one order, so that two who note the same do not wait for each other
        rows = [{"guild_id": guild, "left_at": left_at} for guild in sorted(guilds)]
        for start in range(0, len(rows), _AT_ONCE):
            await self._run.run_all(noting, rows[start : start + _AT_ONCE])

    async def left_before(self, moment: datetime) -> Sequence[GuildId]:
        """Return the servers that the app left before then."""
        query = select(ServerRow.guild_id).where(ServerRow.left_at <= moment)
        return [GuildId(found) for found in await self._run.all(query)]

    async def hold_left_before(self, guild: GuildId, moment: datetime) -> datetime | None:
        """Return when the app left, if that was before `moment`, and keep it so until the end."""
        left = select(ServerRow.left_at).where(
            ServerRow.guild_id == guild, ServerRow.left_at <= moment
        )
        return await self._run.one(left.with_for_update())

    async def forget(self, guild: GuildId) -> None:
        """Delete what is noted of a server."""
        await self._run.run(delete(ServerRow).where(ServerRow.guild_id == guild))
