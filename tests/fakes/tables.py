from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from datetime import datetime

from companion.domain.accounts import KeyId, Preferences, StoredKey
from companion.domain.actor import ChannelId, GuildId, MessageId, PersonId
from companion.domain.conversation import (
    ConversationId,
    ConversationKey,
    Fork,
    NewTurn,
    Summary,
    Turn,
    TurnId,
)
from companion.domain.delivery import ReplyId
from companion.domain.money import ReservationId, Spending
from companion.domain.secrets import Secret
from companion.domain.tokens import TokenId
from companion.ports.idempotency import IdempotencyId
from companion.ports.replies import StoredReply
from companion.ports.store import CallEnd, CallId, CallStart
from companion.ports.tokens import StoredToken


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """A row of the provider log."""

    start: CallStart
    end: CallEnd | None
    keeps_contents: bool
    request: str | None
    response: str | None = None

    def without_contents(self) -> LoggedCall:
        """Return the row as it is once what was said is forgotten."""
        return replace(self, keeps_contents=False, request=None, response=None)


@dataclass(frozen=True, slots=True)
class AnswerMessage:
    """A row of the messages that show answers."""

    channel: ChannelId
    turn: TurnId
    part: int


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """A row of the answers under an idempotency key."""

    body_hash: str
    answer: str | None
    claimed_until: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """What one request holds, of which budgets."""

    budgets: tuple[str, ...]
    amount: int
    at: datetime


@dataclass(frozen=True, slots=True)
class LeasedReply:
    """A row of the replies under way."""

    reply: StoredReply
    until: datetime


@dataclass(slots=True)
class Tables:
    """Everything stored; values are replaced and never changed."""

    people: dict[str, PersonId] = field(default_factory=dict[str, PersonId])
    keys: dict[str, StoredKey] = field(default_factory=dict[str, StoredKey])
    secrets: dict[KeyId, Secret] = field(default_factory=dict[KeyId, Secret])
    conversations: dict[str, tuple[ConversationId, ConversationKey]] = field(
        default_factory=dict[str, tuple[ConversationId, ConversationKey]]
    )
    positions: dict[ConversationId, int] = field(default_factory=dict[ConversationId, int])
    forks: dict[ConversationId, Fork] = field(default_factory=dict[ConversationId, Fork])
    starters: dict[ConversationId, PersonId] = field(default_factory=dict[ConversationId, PersonId])
    revisions: dict[ConversationId, int] = field(default_factory=dict[ConversationId, int])
    summaries: dict[ConversationId, Summary] = field(default_factory=dict[ConversationId, Summary])
    messages: dict[MessageId, AnswerMessage] = field(default_factory=dict[MessageId, AnswerMessage])
    chat_channels: dict[ChannelId, GuildId] = field(default_factory=dict[ChannelId, GuildId])
    turns: dict[TurnId, Turn] = field(default_factory=dict[TurnId, Turn])
    begun: dict[TurnId, NewTurn] = field(default_factory=dict[TurnId, NewTurn])
    of_person: dict[PersonId, Preferences] = field(default_factory=dict[PersonId, Preferences])
    of_guild: dict[GuildId, Preferences] = field(default_factory=dict[GuildId, Preferences])
    calls: dict[CallId, LoggedCall] = field(default_factory=dict[CallId, LoggedCall])

    tokens: dict[TokenId, StoredToken] = field(default_factory=dict[TokenId, StoredToken])
    kept_answers: dict[IdempotencyId, KeptAnswer] = field(
        default_factory=dict[IdempotencyId, KeptAnswer]
    )
    replies: dict[ReplyId, LeasedReply] = field(default_factory=dict[ReplyId, LeasedReply])

    servers: dict[GuildId, datetime | None] = field(default_factory=dict[GuildId, datetime | None])

    spending: dict[str, Spending] = field(default_factory=dict[str, Spending])
    held: dict[ReservationId, Held] = field(default_factory=dict[ReservationId, Held])

    def copied(self) -> Tables:
        """Return the same values in new tables."""
        return Tables(*(copy.copy(getattr(self, name)) for name in self.__slots__))
