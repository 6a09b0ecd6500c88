"""Everyone we have met."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

from sqlalchemy import select

from companion.db.rows import PersonRow
from companion.db.statements import Statements
from companion.domain.actor import Actor, PersonId


class SqlPeople:
    """People by their Discord or HTTP identity."""

    def __init__(self, run: Statements, now: Callable[[], datetime]) -> None:
        self._run = run
        self._now = now

    async def find(self, actor: Actor) -> PersonId | None:
        """Return the id of that actor's person, if we met them."""
        same = (
            PersonRow.discord_user_id == actor.discord_id
            if actor.discord_id is not None
            else PersonRow.http_user_id == actor.http_id
        )
        found = await self._run.one(select(PersonRow.id).where(same))
        return None if found is None else PersonId(found)

    async def ensure(self, actor: Actor) -> PersonId:
        """Return the id of that actor's person, creating the row at the first meeting."""
        known = await self.find(actor)
        if known is not None:
            return known
        by_program = actor.discord_id is None
        identity = PersonRow.http_user_id if by_program else PersonRow.discord_user_id
        insert = self._run.insert(PersonRow).values(
            id=uuid4(),
            discord_user_id=actor.discord_id,
            http_user_id=actor.http_id,
            created_at=self._now(),
        )
        # Another process may have met them since: an update that changes nothing returns its row.
        # Of no column that is a key, for that would lock out rows that refer to this one.
        same = {"created_at": PersonRow.created_at}
        met = await self._run.one(
            insert.on_conflict_do_update(index_elements=[identity], set_=same).returning(
                PersonRow.id
            )
        )
        assert met is not None
        return PersonId(met)
