"""Storage of conversations: turns, who sees them, where they are shown, what they came to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from companion.domain.actor import ChannelId, GuildId, InteractionId, MessageId, PersonId
from companion.domain.conversation import (
    Conversation,
    ConversationId,
    ConversationKey,
    Finish,
    Fork,
    Level,
    NewTurn,
    Summary,
    Turn,
    TurnId,
)
from companion.domain.delivery import Checkpoint
from companion.domain.usage import Usage


class Conversations(Protocol):
    """Conversations by key."""

    async def find(self, key: ConversationKey) -> ConversationId | None:
        """Return the conversation's id, if there is one."""
        ...

    async def get(self, conversation: ConversationId) -> Conversation | None:
        """Return the conversation of that id."""
        ...

    async def ensure(
        self,
        key: ConversationKey,
        fork: Fork | None = None,
        *,
        started_by: PersonId | None = None,
    ) -> ConversationId:
        """Return the conversation's id, creating it at the first turn.

        A new one, and one without a past, goes on from `fork`.
        """
        ...

    async def lineage(self, conversation: ConversationId, depth: int) -> Sequence[Level]:
        """Return the conversation and those it was forked from, nearest first, at most `depth`."""
        ...

    async def clear(self, conversation: ConversationId) -> int:
        """Delete all turns, the log contents they left, the summary and the past of a fork.

        Returns how many turns. Log contents of conversations that were forked from it go too.
        """
        ...

    async def clear_of(self, conversation: ConversationId, author: PersonId) -> int:
        """Do the same for one person's turns in a conversation; others' turns stay."""
        ...

    async def of_person(self, person: PersonId) -> Sequence[ConversationId]:
        """Return all conversations that this person owns."""
        ...

    async def of_person_in(
        self, person: PersonId, channel: ChannelId | None
    ) -> Sequence[ConversationId]:
        """Return those that this person owns in one place, branches included."""
        ...

    async def shared_with(self, person: PersonId) -> Sequence[ConversationId]:
        """Return the shared conversations that this person has turns in."""
        ...

    async def shared_in(self, channel: ChannelId) -> Sequence[ConversationId]:
        """Return the shared conversations of a thread, branches included."""
        ...

    async def unused_since(
        self, guild: GuildId, moment: datetime, limit: int
    ) -> Sequence[ConversationId]:
        """Return up to `limit` conversations of a server that have no turn from after `moment`."""
        ...

    async def drop(self, conversation: ConversationId) -> None:
        """Delete a conversation with all that `clear` takes along, and itself."""
        ...


class Turns(Protocol):
    """Turns, their texts sealed."""

    async def begin(self, turn: NewTurn) -> Turn | None:
        """Store a running turn, next in line; `None` when its interaction was seen before."""
        ...

    async def finish(
        self, turn: NewTurn | Turn, *, answer: str, finish: Finish, usage: Usage | None
    ) -> bool:
        """Store the end of a turn; false when it was cleared meanwhile (nothing is resurrected)."""
        ...

    async def checkpoint(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Store what there is of answers that are being written; nothing of those that ended."""
        ...

    async def find(self, turn: TurnId) -> Turn | None:
        """Return one turn."""
        ...

    async def asked_by(self, interaction: InteractionId) -> Turn | None:
        """Return the turn that this interaction or message asked for."""
        ...

    async def newest(self, conversation: ConversationId, author: PersonId | None = None) -> int:
        """Return the position of the newest turn with an answer, of that author if named, or 0."""
        ...

    async def before(
        self,
        conversation: ConversationId,
        position: int | None,
        limit: int,
        *,
        reader: PersonId | None = None,
    ) -> Sequence[Turn]:
        """Return up to `limit` ended turns with an answer, newest first, before `position`.

        Of the private turns only those of `reader`.
        """
        ...

    async def replace(self, old: TurnId, new: TurnId) -> bool:
        """Let a turn take another's place, and what asked for it; false when there is none.

        The old one goes, its answer messages show the new one from now on.
        """
        ...

    async def remove(self, turn: TurnId) -> bool:
        """Delete one turn and all that was made of it; false when it was gone.

        That is: log contents since then, here and in forks, and a summary that covers it.
        """
        ...


class AnswerMessages(Protocol):
    """Which Discord messages show the answer of which turn."""

    async def note(self, turn: TurnId, channel: ChannelId, messages: Sequence[MessageId]) -> None:
        """Note the messages of an answer, in order; does nothing when the turn is gone."""
        ...

    async def of_turn(self, turn: TurnId) -> Sequence[tuple[ChannelId, MessageId]]:
        """Return the messages that show that answer, in order."""
        ...

    async def find(self, message: MessageId) -> TurnId | None:
        """Return the turn whose answer that message shows."""
        ...


class Summaries(Protocol):
    """Summaries of older turns, sealed, one a conversation; they are read with the lineage."""

    async def save(self, summary: Summary, revision: int) -> bool:
        """Store a summary in place of the last one.

        False, and nothing stored, when something was taken back since `revision`.
        """
        ...


class ChatChannels(Protocol):
    """Channels of servers where every message is a question."""

    async def of_guild(self, guild: GuildId) -> frozenset[ChannelId]:
        """Return the server's chat channels."""
        ...

    async def save(self, guild: GuildId, channels: frozenset[ChannelId]) -> None:
        """Replace the server's chat channels."""
        ...
