"""Which Discord messages show which answer, and where every message is a question."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from sqlalchemy import Executable, bindparam, delete, select

from companion.db.rows import AnswerMessageRow, ChatChannelRow, ConversationRow, TurnRow
from companion.db.statements import Statements, insert_into
from companion.domain.actor import ChannelId, GuildId, MessageId
from companion.domain.conversation import TurnId

_MESSAGES: Final = AnswerMessageRow.metadata.tables[AnswerMessageRow.__tablename__]
_TURNS: Final = TurnRow.metadata.tables[TurnRow.__tablename__]
_CONVERSATIONS: Final = ConversationRow.metadata.tables[ConversationRow.__tablename__]
_HOLD_TURN: Final = (
    select(_TURNS.c.id).where(_TURNS.c.id == bindparam("turn")).with_for_update(key_share=True)
)
_HOLD_CONVERSATION: Final = (
    select(_CONVERSATIONS.c.id)
    .where(
        _CONVERSATIONS.c.id
        == select(_TURNS.c.conversation_id)
        .where(_TURNS.c.id == bindparam("turn"))
        .scalar_subquery()
    )
    .with_for_update(key_share=True)
)


@cache
def _noting(*, on_sqlite: bool) -> Executable:
    """Return the INSERT of a message, which moves one that was noted before."""
    insert = insert_into(_MESSAGES, on_sqlite=on_sqlite)
    now = {"turn_id": insert.excluded.turn_id, "part": insert.excluded.part}
    return insert.on_conflict_do_update(index_elements=[_MESSAGES.c.message_id], set_=now)


class SqlAnswerMessages:
    """Messages of answers."""

    def __init__(self, run: Statements) -> None:
        self._run = run

    async def note(self, turn: TurnId, channel: ChannelId, messages: Sequence[MessageId]) -> None:
        """Note the messages of an answer, in order; does nothing when the turn is gone."""
        if not messages or not await self._hold(turn):
            return
        noting = _noting(on_sqlite=self._run.on_sqlite)
        for part, message in enumerate(messages):
            row = {"message_id": message, "channel_id": channel, "turn_id": turn, "part": part}
            await self._run.quick(noting, row)

    async def _hold(self, turn: TurnId) -> bool:
        """Make whoever takes turns of the conversation back wait, and take these along too."""
        await self._run.quick(_HOLD_CONVERSATION, {"turn": turn})
        return (await self._run.quick(_HOLD_TURN, {"turn": turn})).value() is not None

    async def of_turn(self, turn: TurnId) -> Sequence[tuple[ChannelId, MessageId]]:
        """Return the messages that show that answer, in order."""
        query = select(AnswerMessageRow).where(AnswerMessageRow.turn_id == turn)
        rows = await self._run.all(
            query.order_by(AnswerMessageRow.part, AnswerMessageRow.message_id)
        )
        return [(ChannelId(row.channel_id), MessageId(row.message_id)) for row in rows]

    async def find(self, message: MessageId) -> TurnId | None:
        """Return the turn whose answer that message shows."""
        query = select(AnswerMessageRow.turn_id).where(AnswerMessageRow.message_id == message)
        found = await self._run.one(query)
        return None if found is None else TurnId(found)


class SqlChatChannels:
    """Chat channels of servers."""

    def __init__(self, run: Statements) -> None:
        self._run = run

    async def of_guild(self, guild: GuildId) -> frozenset[ChannelId]:
        """Return the server's chat channels."""
        query = select(ChatChannelRow.channel_id).where(ChatChannelRow.guild_id == guild)
        return frozenset(ChannelId(found) for found in await self._run.all(query))

    async def save(self, guild: GuildId, channels: frozenset[ChannelId]) -> None:
        """Replace the server's chat channels."""
        await self._run.run(delete(ChatChannelRow).where(ChatChannelRow.guild_id == guild))
        if not channels:
            return
        insert = self._run.insert(ChatChannelRow).values(
            [{"channel_id": channel, "guild_id": guild} for channel in sorted(channels)]
        )
        # a channel belongs to one server: a row of another one is somebody else's and stays
        await self._run.run(insert.on_conflict_do_nothing(index_elements=["channel_id"]))
