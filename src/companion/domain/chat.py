"""A chat request as a door hands it in, and the events it gets back.

A stream of `ChatEvent` holds any number of progress events and then exactly one
terminal event, `Finished` or `Failed`; it never just stops and never raises a
`CompanionError`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from companion.domain.actor import Actor, Door, InteractionId, MessageId, Place
from companion.domain.conversation import Finish, TurnId
from companion.domain.delivery import Delivery
from companion.domain.errors import CompanionError
from companion.domain.files import FileNote
from companion.domain.models import ModelId, Payer
from companion.domain.money import Spending
from companion.domain.usage import Micros, Usage


@dataclass(frozen=True, slots=True, weakref_slot=True, kw_only=True)
class InputFile:
    """A file someone attached; its contents stay in memory for as long as this does."""

    name: str
    content_type: str | None
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """One thing asked. Option values are not validated yet: the service does that.

    `private`: only the asker sees the answer. `reply_to` is the Discord message that the
    asker replied to. `interaction_id` is the snowflake of the interaction or message.
    `delivery` is how the answer reaches the asker even if this process does not live to see it.
    """

    actor: Actor
    place: Place
    door: Door
    prompt: str
    model: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    files: tuple[InputFile, ...] = ()
    interaction_id: InteractionId | None = None
    private: bool = False
    reply_to: MessageId | None = None
    delivery: Delivery | None = None


class Adaptation(StrEnum):
    """What was left out because this key or model refuses it."""

    STREAMING = "streaming"
    TEMPERATURE = "temperature"
    MAX_TOKENS = "max_tokens"
    SYSTEM_ROLE = "system_role"
    USAGE = "usage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """The turn is stored and waits for a slot; told again as the place in the queue moves.

    `ahead` are served before, in about `wait_s` seconds. Stopping `turn_id` gives it up.
    """

    turn_id: TurnId
    ahead: int
    wait_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The turn is stored and the model is being asked; `turn_id` is what *Stop* names."""

    turn_id: TurnId
    model: ModelId
    payer: Payer


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """More of the answer."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying:
    """The provider is busy; the next try starts in `wait_s` seconds."""

    wait_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The answer ended and is stored: whole, or cut as `finish` says.

    `cause` is what interrupted it (`Finish.INTERRUPTED`). `cost_micros` is `None`
    when the model's price is unknown. `dropped_turns` counts older turns that did
    not fit the model's window; `summarized` says that a summary stood in for them.
    `number` counts the turns of the conversation, this one included. `notes` say what
    was left out of the files. `nearly_spent` are budgets that came near their end by it.
    """

    turn_id: TurnId
    model: ModelId
    payer: Payer
    finish: Finish
    usage: Usage
    cost_micros: Micros | None
    seconds: float
    adaptations: tuple[Adaptation, ...] = ()
    dropped_turns: int = 0
    notes: tuple[FileNote, ...] = ()
    number: int = 1
    summarized: bool = False
    cause: CompanionError | None = None
    nearly_spent: tuple[Spending, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """There is no answer, for this reason. `turn_id` is set when a turn can be retried."""

    error: CompanionError
    turn_id: TurnId | None = None


ChatEvent = Queued | Started | Delta | Retrying | Finished | Failed
