"""Conversations by key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import delete, select, update

from companion.db.rows import ConversationRow, ProviderCallRow, TurnRow
from companion.db.statements import Statements
from companion.domain.actor import PersonId
from companion.domain.conversation import ConversationId, ConversationKey


class SqlConversations:
    """Conversations and what clearing them takes along."""

    def __init__(self, run: Statements, now: Callable[[], datetime]) -> None:
        self._run = run
        self._now = now

    async def find(self, key: ConversationKey) -> ConversationId | None:
        """Return the conversation's id, if there is one."""
        query = select(ConversationRow.id).where(ConversationRow.key == key.as_text())
        found = await self._run.one(query)
        return None if found is None else ConversationId(found)

    async def ensure(self, key: ConversationKey) -> ConversationId:
        """Return the conversation's id, creating it at the first turn."""
        known = await self.find(key)
        if known is not None:
            return known
        insert = self._run.insert(ConversationRow).values(
            id=uuid4(),
            key=key.as_text(),
            owner_id=key.owner_id,
            channel_id=key.channel_id,
            guild_id=key.guild_id,
            last_position=0,
            created_at=self._now(),
        )
        begun = await self._run.one(
            insert.on_conflict_do_update(
                index_elements=[ConversationRow.key], set_={"key": key.as_text()}
            ).returning(ConversationRow.id)
        )
        assert begun is not None
        return ConversationId(begun)

    async def clear(self, conversation: ConversationId) -> int:
        """Delete all turns, and the log contents they left; return how many turns.

        Calls that still run lose their right to leave contents.
        """
        gone = await self._run.run(delete(TurnRow).where(TurnRow.conversation_id == conversation))
        # after the turns: a call that starts meanwhile holds its turn until it is logged
        await self._run.run(
            update(ProviderCallRow)
            .where(ProviderCallRow.conversation_id == conversation, ProviderCallRow.keeps_contents)
            .values(keeps_contents=False, request=None, response=None)
        )
        return gone

    async def of_person(self, person: PersonId) -> Sequence[ConversationId]:
        """Return all conversations that this person owns."""
        query = select(ConversationRow.id).where(ConversationRow.owner_id == person)
        return [ConversationId(found) for found in await self._run.all(query)]
