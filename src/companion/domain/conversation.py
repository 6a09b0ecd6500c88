"""Conversations and their turns. A turn is one prompt and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from companion.domain.actor import ChannelId, GuildId, InteractionId, PersonId
from companion.domain.models import ModelId
from companion.domain.usage import Usage

ConversationId = NewType("ConversationId", UUID)
TurnId = NewType("TurnId", UUID)


class Finish(StrEnum):
    """Why an answer ended."""

    COMPLETE = "complete"
    LENGTH = "length"
    FILTERED = "filtered"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    FAILED = "failed"

    @property
    def can_continue(self) -> bool:
        """Whether a *Continue* makes sense: there is text, and it is not whole."""
        return self in {Finish.LENGTH, Finish.STOPPED, Finish.INTERRUPTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationKey:
    """What makes two requests the same conversation: the place, and (unless shared) the person.

    A `branch` is a conversation of its own in the same place.
    """

    channel_id: ChannelId | None
    owner_id: PersonId | None
    guild_id: GuildId | None = None
    branch: UUID | None = None

    def as_text(self) -> str:
        """Return the unique form that the database indexes."""
        if self.branch is not None:
            return f"branch:{self.branch.hex}"
        return f"{self.channel_id or 'http'}:{self.owner_id.hex if self.owner_id else 'shared'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """Where a conversation left another one: after the turn at `position`."""

    conversation_id: ConversationId
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A stored conversation. `owner_id` is `None` when it is shared.

    `started_by` is who moved it to its thread.
    """

    id: ConversationId
    channel_id: ChannelId | None
    guild_id: GuildId | None
    owner_id: PersonId | None
    started_by: PersonId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What was said in a conversation up to `upto_position`, private turns left out."""

    conversation_id: ConversationId
    upto_position: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One conversation in a line of forks, as far as it counts: up to `upto` (`None`: all of it).

    `revision` grows whenever something of it is taken back.
    """

    conversation_id: ConversationId
    owner_id: PersonId | None
    upto: int | None
    turn_count: int
    revision: int
    summary: Summary | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTurn:
    """A turn about to run. `interaction_id` makes a second delivery of it a no-op.

    A `private` turn was answered for its author's eyes only.
    """

    id: TurnId
    conversation_id: ConversationId
    author_id: PersonId
    speaker: str
    prompt: str
    model: ModelId
    interaction_id: InteractionId | None = None
    private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A stored turn. `finish` is `None` while it runs; `position` counts from 1, gaps allowed."""

    id: TurnId
    conversation_id: ConversationId
    position: int
    author_id: PersonId
    speaker: str
    prompt: str
    answer: str
    model: ModelId
    finish: Finish | None
    usage: Usage | None
    created_at: datetime
    private: bool = False
