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
    """What makes two requests the same conversation: the place, and (unless shared) the person."""

    channel_id: ChannelId | None
    owner_id: PersonId | None
    guild_id: GuildId | None = None

    def as_text(self) -> str:
        """Return the unique form that the database indexes."""
        return f"{self.channel_id or 'http'}:{self.owner_id.hex if self.owner_id else 'shared'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTurn:
    """A turn about to run. `interaction_id` makes a second delivery of it a no-op."""

    id: TurnId
    conversation_id: ConversationId
    author_id: PersonId
    speaker: str
    prompt: str
    model: ModelId
    interaction_id: InteractionId | None = None


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
