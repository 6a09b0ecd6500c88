"""Everyone we have met."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Final
from uuid import uuid4

from sqlalchemy import Executable, bindparam, select

from companion.db.rows import PersonRow
from companion.db.statements import Statements, insert_into
from companion.domain.actor import Actor, PersonId

_TABLE: Final = PersonRow.metadata.tables[PersonRow.__tablename__]
_BY_DISCORD: Final = select(_TABLE.c.id).where(_TABLE.c.discord_user_id == bindparam("who"))
_BY_HTTP: Final = select(_TABLE.c.id).where(_TABLE.c.http_user_id == bindparam("who"))


class SqlPeople:
    """People by their Discord or HTTP identity."""

    def __init__(self, run: Statements, now: Callable[[], datetime]) -> None:
        self._run = run
        self._now = now

    async def find(self, actor: Actor) -> PersonId | None:
        """Return the id of that actor's person, if we met them."""
        by_program = actor.discord_id is None
        query = _BY_HTTP if by_program else _BY_DISCORD
        who = actor.http_id if by_program else actor.discord_id
        found = (await self._run.quick(query, {"who": who})).value()
        return None if found is None else PersonId(found)

    async def ensure(self, actor: Actor) -> PersonId:
        """Return the id of that actor's person, creating the row at the first meeting."""
        known = await self.find(actor)
        if known is not None:
            return known
        by_program = actor.discord_id is None
        met = await self._run.quick(
            _meeting(by_program=by_program, on_sqlite=self._run.on_sqlite),
            {
                "id": uuid4(),
                "discord_user_id": actor.discord_id,
                "http_user_id": actor.http_id,
                "created_at": self._now(),
            },
        )
        return PersonId(met.value())


@cache
def _meeting(*, by_program: bool, on_sqlite: bool) -> Executable:
    """Return the INSERT of somebody new, which returns their id."""
    identity = _TABLE.c.http_user_id if by_program else _TABLE.c.discord_user_id
    # Another process may have met them since: an update that changes nothing returns its row.
    # Of no column that is a key, for that would lock out rows that refer to this one.
    same = {"created_at": _TABLE.c.created_at}
    insert = insert_into(_TABLE, on_sqlite=on_sqlite)
    return insert.on_conflict_do_update(index_elements=[identity], set_=same).returning(_TABLE.c.id)
