"""One reply to make: as it was asked for, as it was planned, and as it went."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from companion.domain.actor import Actor, Door, InteractionId, MessageId, PersonId, Place
from companion.domain.chat import ChatRequest, InputFile
from companion.domain.conversation import Finish, NewTurn, TurnId
from companion.domain.delivery import Delivery, Terms
from companion.domain.errors import CompanionError, ProviderError
from companion.domain.files import FileNote
from companion.domain.models import KeyFingerprint, ModelId
from companion.domain.money import Spending
from companion.ports.llm import ChatCall, ChatEnded
from companion.ports.store import CallStart
from companion.services.budgets import Bill
from companion.services.history import Due
from companion.services.homes import Home
from companion.services.payers import Paying
from companion.services.running_turns import Cut


class Mode(StrEnum):
    """How the reply relates to an earlier one."""

    NEW = "new"
    AGAIN = "again"
    ONWARD = "onward"
    REVISED = "revised"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What was asked for, unchecked. `earlier` is the turn to do again or to go on with.

    `paid_with` names the one key that may pay, when that was decided before.
    """

    actor: Actor
    place: Place
    door: Door
    mode: Mode = Mode.NEW
    earlier: TurnId | None = None
    interaction_id: InteractionId | None = None
    prompt: str = ""
    model: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    files: tuple[InputFile, ...] = ()
    private: bool = False
    reply_to: MessageId | None = None
    delivery: Delivery | None = None
    paid_with: KeyFingerprint | None = None

    @classmethod
    def of_request(cls, request: ChatRequest) -> Job:
        """Return the job of something newly asked."""
        return cls(
            actor=request.actor,
            place=request.place,
            door=request.door,
            interaction_id=request.interaction_id,
            prompt=request.prompt,
            model=request.model,
            temperature=request.temperature,
            max_tokens=request.max_tokens,
            files=request.files,
            private=request.private,
            reply_to=request.reply_to,
            delivery=request.delivery,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What will be done; nothing is stored or sent yet.

    `author` owns the turn: `None` is whoever asks; `speaker` is their name.
    `replaces` is the turn that goes once this one has an answer. `number` counts the
    conversation's turns with this one; `due` is what should be summarised. `bill` is what it
    costs at most, when a cap applies.
    """

    job: Job
    paying: Paying
    author: PersonId | None
    speaker: str
    prompt: str
    call: ChatCall
    bill: Bill | None
    home: Home
    private: bool
    dropped_turns: int
    number: int
    summarized: bool
    notes: tuple[FileNote, ...] = ()
    due: Due | None = None
    replaces: TurnId | None = None

    @property
    def model(self) -> ModelId:
        """The model that will answer."""
        return self.call.model

    @property
    def terms(self) -> Terms:
        """What it takes to make this reply once more."""
        credential = self.paying.credential
        has_pictures = any(message.images for message in self.call.messages)
        return Terms(
            payer=credential.payer,
            fingerprint=credential.fingerprint,
            temperature=self.call.temperature,
            max_tokens=self.call.max_tokens,
            again=self.replaces,
            repeatable=not has_pictures and self.job.mode is not Mode.REVISED,
        )


@dataclass(slots=True, kw_only=True)
class Progress:
    """What came of a reply so far. Times are readings of the monotonic clock.

    `requests` are the log rows of what was sent, the last one still running; `asked`
    is when that one went out. A `turn` may be stored, and needs an end.
    """

    turn_id: TurnId
    began: float
    asked: float
    turn: NewTurn | None = None
    refusal: CompanionError | None = None
    requests: list[CallStart] = field(default_factory=list[CallStart])
    sent: bool = False
    first_text: float | None = None
    texts: list[str] = field(default_factory=list[str])
    ended: ChatEnded | None = None
    error: ProviderError | None = None
    cut_by: Cut | None = None
    nearly_spent: tuple[Spending, ...] = ()

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join(self.texts)

    @property
    def finish(self) -> Finish:
        """How this ends, if nothing more comes."""
        if self.ended is not None:
            return self.ended.finish
        if self.cut_by in {Cut.STOPPED, Cut.UNSEEN, Cut.LEFT}:
            return Finish.STOPPED
        failed = self.refusal or (self.error and not self.texts)
        return Finish.FAILED if failed else Finish.INTERRUPTED
