"""Conversations by key, their forks, and what forgetting takes along.

Whoever changes a conversation and its turns locks the conversation's row first: in
one order there is no deadlock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import (
    ColumnElement,
    Executable,
    and_,
    bindparam,
    delete,
    exists,
    literal,
    select,
    update,
)
from sqlalchemy.orm import aliased

from companion.db.keyring import KeyRing
from companion.db.repositories.forgetting import forget_contents, note_taken_back
from companion.db.rows import ConversationRow, SummaryRow, TurnRow
from companion.db.sealed import Purpose, Sealed
from companion.db.statements import Statements, insert_into
from companion.domain.actor import ChannelId, GuildId, PersonId
from companion.domain.conversation import (
    Conversation,
    ConversationId,
    ConversationKey,
    Fork,
    Level,
    Summary,
)

_TABLE: Final = ConversationRow.metadata.tables[ConversationRow.__tablename__]
_BY_KEY: Final = select(_TABLE.c.id).where(_TABLE.c.key == bindparam("named"))


@cache
def _creation(*, on_sqlite: bool) -> Executable:
    """Return the INSERT of a conversation, which returns its id, also when it is there."""
    insert = insert_into(_TABLE, on_sqlite=on_sqlite)
    # as of people: an update that changes nothing, of no column that is a key
    same = {"created_at": _TABLE.c.created_at}
    return insert.on_conflict_do_update(index_elements=[_TABLE.c.key], set_=same).returning(
        _TABLE.c.id
    )


class SqlConversations:
    """Conversations and what clearing them takes along."""

    def __init__(self, run: Statements, ring: KeyRing, now: Callable[[], datetime]) -> None:
        self._run = run
        self._ring = ring
        self._now = now

    async def find(self, key: ConversationKey) -> ConversationId | None:
        """Return the conversation's id, if there is one."""
        found = (await self._run.quick(_BY_KEY, {"named": key.as_text()})).value()
        return None if found is None else ConversationId(found)

    async def get(self, conversation: ConversationId) -> Conversation | None:
        """Return the conversation of that id."""
        row = await self._run.one(select(ConversationRow).where(ConversationRow.id == conversation))
        if row is None:
            return None
        return Conversation(
            id=conversation,
            channel_id=None if row.channel_id is None else ChannelId(row.channel_id),
            guild_id=None if row.guild_id is None else GuildId(row.guild_id),
            owner_id=_person(row.owner_id),
            started_by=_person(row.started_by),
        )

    async def ensure(
        self, key: ConversationKey, fork: Fork | None = None, *, started_by: PersonId | None = None
    ) -> ConversationId:
        """Return the conversation's id, creating it at the first turn, forked where it says."""
        known = await self.find(key)
        if known is None:
            known = await self._create(key)
        if fork is not None:
            without_past = (ConversationRow.last_position == 0, ConversationRow.parent_id.is_(None))
            await self._run.run(
                update(ConversationRow)
                .where(ConversationRow.id == known, *without_past)
                .values(
                    parent_id=fork.conversation_id,
                    parent_position=fork.position,
                    started_by=started_by,
                )
            )
        return known

    async def lineage(self, conversation: ConversationId, depth: int) -> Sequence[Level]:
        """Return the conversation and those it was forked from, nearest first, at most `depth`."""
        line = (
            select(
                ConversationRow.id,
                ConversationRow.parent_id,
                ConversationRow.parent_position,
                literal(None, ConversationRow.last_position.type).label("upto"),
                literal(1).label("step"),
            )
            .where(ConversationRow.id == conversation)
            .cte("line", recursive=True)
        )
        parent = aliased(ConversationRow)
        line = line.union_all(
            select(
                parent.id,
                parent.parent_id,
                parent.parent_position,
                line.c.parent_position,
                line.c.step + 1,
            ).where(parent.id == line.c.parent_id, line.c.step < depth)
        )
        query = (
            select(
                ConversationRow.id,
                ConversationRow.owner_id,
                ConversationRow.turn_count,
                ConversationRow.revision,
                line.c.upto,
                SummaryRow.upto_position,
                SummaryRow.text,
            )
            .join(line, ConversationRow.id == line.c.id)
            .outerjoin(SummaryRow, SummaryRow.conversation_id == ConversationRow.id)
            .order_by(line.c.step)
        )
        return [
            Level(
                conversation_id=ConversationId(row.id),
                owner_id=_person(row.owner_id),
                upto=row.upto,
                turn_count=row.turn_count,
                revision=row.revision,
                summary=self._summary(row.id, row.upto_position, row.text),
            )
            for row in await self._run.rows(query)
        ]

    async def clear(self, conversation: ConversationId) -> int:
        """Delete all turns, the log contents they left, the summary and the past of a fork.

        Calls that still run lose their right to leave contents.
        """
        await self._run.run(
            update(ConversationRow)
            .where(ConversationRow.id == conversation)
            .values(
                turn_count=0,
                revision=ConversationRow.revision + 1,
                parent_id=None,
                parent_position=None,
            )
        )
        return await self._forget(conversation, TurnRow.conversation_id == conversation)

    async def clear_of(self, conversation: ConversationId, author: PersonId) -> int:
        """Do the same for one person's turns in a conversation; others' turns stay."""
        await note_taken_back(self._run, conversation)
        theirs = and_(TurnRow.conversation_id == conversation, TurnRow.author_id == author)
        gone = await self._forget(conversation, theirs)
        await self._run.run(
            update(ConversationRow)
            .where(ConversationRow.id == conversation)
            .values(turn_count=ConversationRow.turn_count - gone)
        )
        return gone

    async def of_person(self, person: PersonId) -> Sequence[ConversationId]:
        """Return all conversations that this person owns."""
        return await self._ids(ConversationRow.owner_id == person)

    async def of_person_in(
        self, person: PersonId, channel: ChannelId | None
    ) -> Sequence[ConversationId]:
        """Return those that this person owns in one place, branches included."""
        here = (
            ConversationRow.channel_id.is_(None)
            if channel is None
            else ConversationRow.channel_id == channel
        )
        return await self._ids(and_(ConversationRow.owner_id == person, here))

    async def shared_with(self, person: PersonId) -> Sequence[ConversationId]:
        """Return the shared conversations that this person has turns in."""
        spoken = select(TurnRow.conversation_id).where(TurnRow.author_id == person)
        shared = ConversationRow.owner_id.is_(None)
        return await self._ids(and_(shared, ConversationRow.id.in_(spoken)))

    async def shared_in(self, channel: ChannelId) -> Sequence[ConversationId]:
        """Return the shared conversations of a thread, branches included."""
        shared = ConversationRow.owner_id.is_(None)
        return await self._ids(and_(ConversationRow.channel_id == channel, shared))

    async def unused_since(
        self, guild: GuildId, moment: datetime, limit: int
    ) -> Sequence[ConversationId]:
        """Return up to `limit` conversations of a server that have no turn from after `moment`."""
        used = exists().where(
            TurnRow.conversation_id == ConversationRow.id, TurnRow.created_at > moment
        )
        of_guild = select(ConversationRow.id).where(ConversationRow.guild_id == guild, ~used)
        in_order = of_guild.order_by(ConversationRow.id).limit(limit)
        return [ConversationId(found) for found in await self._run.all(in_order)]

    async def drop(self, conversation: ConversationId) -> None:
        """Delete a conversation with all that `clear` takes along, and itself."""
        await self.clear(conversation)
        await self._run.run(delete(ConversationRow).where(ConversationRow.id == conversation))

    async def _create(self, key: ConversationKey) -> ConversationId:
        begun = await self._run.quick(
            _creation(on_sqlite=self._run.on_sqlite),
            {
                "id": uuid4(),
                "key": key.as_text(),
                "owner_id": key.owner_id,
                "channel_id": key.channel_id,
                "guild_id": key.guild_id,
                "last_position": 0,
                "turn_count": 0,
                "revision": 0,
                "created_at": self._now(),
            },
        )
        return ConversationId(begun.value())

    async def _forget(self, conversation: ConversationId, which: ColumnElement[bool]) -> int:
        gone = await self._run.run(delete(TurnRow).where(which))
        await self._run.run(delete(SummaryRow).where(SummaryRow.conversation_id == conversation))
        # after the turns: a call that starts meanwhile holds its turn until it is logged
        await forget_contents(self._run, conversation)
        return gone

    async def _ids(self, which: ColumnElement[bool]) -> Sequence[ConversationId]:
        # in one order, so that two who clear the same rows do not wait for each other
        query = select(ConversationRow.id).where(which).order_by(ConversationRow.id)
        return [ConversationId(found) for found in await self._run.all(query)]

    def _summary(self, conversation: UUID, upto: int | None, text: Sealed | None) -> Summary | None:
        if upto is None or text is None:
            return None
        opened = self._ring.open(Purpose.CONTENT, text, SummaryRow.place(conversation))
        return Summary(
            conversation_id=ConversationId(conversation), upto_position=upto, text=opened
        )


def _person(found: UUID | None) -> PersonId | None:
    return None if found is None else PersonId(found)
