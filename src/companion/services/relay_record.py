"""What is written of one relayed request, while it runs and at its end."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import uuid4

from companion.domain.actor import Actor, Door, PersonId, Place
from companion.domain.context_window import estimate_tokens
from companion.domain.conversation import Finish
from companion.domain.errors import ProviderError, StreamCut
from companion.domain.models import ModelId
from companion.domain.usage import Usage
from companion.ports.clock import Clock
from companion.ports.llm import PriceList
from companion.ports.relay import Endpoint, Fields, Form, RelayEnding
from companion.ports.store import CallEnd, CallId, CallStart, CallStatus
from companion.services.payer_memory import Known
from companion.services.payers import Paying

LONGEST_LOGGED: Final = 64 * 1024
"""Characters kept of a request; pictures inside may make it long."""

_ESTIMATED: Final = {Endpoint.CHAT, Endpoint.COMPLETIONS}
_PROMPTS: Final = ("messages", "prompt")


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayRequest:
    """What a client asks for."""

    actor: Actor
    place: Place
    endpoint: Endpoint
    model: ModelId
    body: Fields | Form | None = field(default=None, repr=False)
    streams: bool = False


@dataclass(slots=True, kw_only=True)
class Record:
    """One request as it goes: its row, and what has come so far. Moments are monotonic."""

    request: RelayRequest
    known: Known
    asked: float
    id: CallId = field(default_factory=lambda: CallId(uuid4()))
    person: PersonId | None = None
    sent: bool = False
    first: float | None = None
    texts: list[str] = field(default_factory=list[str])
    ending: RelayEnding | None = None
    error: ProviderError | None = None

    @property
    def paying(self) -> Paying:
        """Who pays."""
        return self.known.paying

    def note(self, text: str, now: float) -> None:
        """Take in what came."""
        if self.first is None:
            self.first = now
        self.texts.append(text)

    def begin_again(self, now: float) -> None:
        """Begin the row of another try."""
        self.id, self.asked = CallId(uuid4()), now

    @property
    def finish(self) -> Finish:
        """How it ended; without any ending the client has gone, or we stop."""
        if self.ending is not None:
            return self.ending.finish
        failed = self.error is not None and not isinstance(self.error, StreamCut)
        return Finish.FAILED if failed else Finish.INTERRUPTED

    @property
    def text(self) -> str:
        """What the model said."""
        return "".join(self.texts)

    def usage(self) -> Usage | None:
        """Return what was used, estimated where the provider does not say and text is text."""
        if self.finish is Finish.FAILED or not self.sent:
            return None
        if self.ending is not None and self.ending.usage is not None:
            return self.ending.usage
        body = self.request.body
        if self.request.endpoint not in _ESTIMATED or body is None or isinstance(body, Form):
            return None
        prompt = b"".join(body.get(name, b"") for name in _PROMPTS).decode(errors="replace")
        return Usage(
            prompt_tokens=estimate_tokens(prompt),
            completion_tokens=estimate_tokens(self.text),
            estimated=True,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookkeeper:
    """Makes the rows."""

    clock: Clock
    prices: PriceList
    keeps_contents: bool

    def start(self, record: Record, person: PersonId) -> CallStart:
        """Return the start row."""
        request, credential = record.request, record.paying.credential
        return CallStart(
            id=record.id,
            turn_id=None,
            conversation_id=None,
            person_id=person,
            guild_id=request.place.guild_id,
            channel_id=request.place.channel_id,
            door=Door.HTTP,
            endpoint=request.endpoint.value,
            model=request.model,
            payer=credential.payer,
            fingerprint=credential.fingerprint,
            started_at=self.clock.now(),
            request_text=_as_text(request.body) if self.keeps_contents else None,
        )

    def end(self, record: Record) -> CallEnd:
        """Return the end row."""
        usage, error = record.usage(), record.error
        end = self._plain_end(record, error)
        base_url = record.paying.credential.base_url
        return replace(
            end,
            status=_status(record.finish),
            first_token_ms=None if record.first is None else _ms(record.first - record.asked),
            usage=usage,
            cost_micros=usage and self.prices.cost(record.request.model, usage, base_url),
            finish=record.finish,
            error_code=end.error_code or _why_cut(record),
            response_text=record.text if self.keeps_contents else None,
        )

    def failed_try(self, record: Record, error: ProviderError) -> CallEnd:
        """Return the end row of a try that another one follows."""
        return self._plain_end(record, error)

    def _plain_end(self, record: Record, error: ProviderError | None) -> CallEnd:
        return CallEnd(
            status=CallStatus.FAILED,
            ended_at=self.clock.now(),
            latency_ms=_ms(self.clock.monotonic() - record.asked),
            error_code=error and _code(error),
            http_status=error.status if error else None,
            request_id=error.request_id if error else None,
        )


def _status(finish: Finish) -> CallStatus:
    if finish is Finish.FAILED:
        return CallStatus.FAILED
    return CallStatus.CUT if finish is Finish.INTERRUPTED else CallStatus.OK


def _why_cut(record: Record) -> str | None:
    if record.ending is not None:
        return None
    return "client_gone" if record.sent else "not_sent"


def _code(error: ProviderError) -> str:
    return f"{error.code}_{error.reason}" if isinstance(error, StreamCut) else error.code


def _as_text(body: Fields | Form | None) -> str | None:
    """Return the request as JSON, cut where it is long; files by their names."""
    if body is None:
        return None
    if isinstance(body, Form):
        named = [*body.fields, *((file.name, file.filename) for file in body.files)]
        return json.dumps(named, ensure_ascii=False)[:LONGEST_LOGGED]
    shown = (
        json.dumps(name) + ": " + value.decode(errors="replace") for name, value in body.items()
    )
    return ("{" + ", ".join(shown) + "}")[:LONGEST_LOGGED]


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
