"""How an answer reaches the person who asked, kept so that another process can finish it.

An interaction is answered by its token, which Discord takes for 15 minutes; an ordinary
message by messages of its channel. Everything here but the token is ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from companion.domain.actor import (
    DiscordUserId,
    Door,
    InteractionId,
    MessageId,
    PersonId,
    Place,
)
from companion.domain.conversation import ConversationId, TurnId
from companion.domain.models import KeyFingerprint, Payer
from companion.domain.secrets import Secret
from companion.domain.usage import Micros

ReplyId = NewType("ReplyId", UUID)


class ReplyState(StrEnum):
    """How far a reply has come: acknowledged, being written, or stored but not all shown."""

    ARRIVED = "arrived"
    RUNNING = "running"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Where one answer goes.

    `origin` is what is answered. `token` and `application_id` belong to an interaction, and
    it takes writes until `token_until`; without them the answer is messages of the place's
    channel. `may_move_on`: when the token is used up, the channel may take the rest.
    `reused` are messages of an earlier answer that this one is written over.
    """

    id: ReplyId
    asker: DiscordUserId
    place: Place
    door: Door
    origin: InteractionId
    application_id: int | None = None
    token: Secret | None = None
    token_until: datetime | None = None
    reply_to: MessageId | None = None
    private: bool = False
    may_move_on: bool = False
    reused: tuple[MessageId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a reply was begun with: enough to make it once more, on the same key.

    `again` is the turn whose prompt it answers anew; `repeatable` is false when something
    it was asked about is kept nowhere (a picture).
    """

    payer: Payer
    fingerprint: KeyFingerprint
    temperature: float | None = None
    max_tokens: int | None = None
    again: TurnId | None = None
    repeatable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The messages that show a reply: follow-ups of its interaction, and those in the channel."""

    follow_ups: tuple[str, ...] = ()
    in_channel: tuple[int, ...] = ()


NOTHING_SHOWN: Final = Shown()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What an answer took, for the small line below it. The rest is in its turn."""

    seconds: float
    cost_micros: Micros | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What there is so far of the answer of a turn that runs."""

    turn_id: TurnId
    conversation_id: ConversationId
    author_id: PersonId
    answer: str
