"""Short texts that the model writes in the background: titles and summaries.

They are logged like any request and paid for by the same key. They take no place of an
answer: few run at once, none begins while the house is full, and what fails is just not there.
What is wanted once only (a title) waits for its turn; a summary is due again soon anyway.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from companion.domain.actor import Door, PersonId, Place
from companion.domain.conversation import ConversationId, Finish, TurnId
from companion.domain.errors import CompanionError, ProviderError, StreamCut
from companion.domain.models import ModelId
from companion.domain.money import ReservationId
from companion.ports.clock import Clock
from companion.ports.llm import ChatCall, ChatEnded, ChatMessage, ChatProvider, PriceList, TextDelta
from companion.ports.store import CallEnd, CallId, CallStart, CallStatus, Store
from companion.services.admission import Admission
from companion.services.budgets import LONGEST_ANSWER, Budgets, capped, most_used
from companion.services.payers import Paying
from companion.services.prompting import estimated_usage

ENDPOINT: Final = "chat.completions"
AT_ONCE: Final = 4
LONGEST_S: Final = 60.0
LOOK_EVERY_S: Final = 2.0
LONGEST_TEXT: Final = 4000
"""Characters; what a model writes beyond is cut off, and it is told to stop."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """A text to write, and whose it is."""

    paying: Paying
    model: ModelId
    messages: tuple[ChatMessage, ...]
    person: PersonId
    place: Place
    door: Door
    turn_id: TurnId
    conversation_id: ConversationId


@dataclass(slots=True, kw_only=True)
class _Written:
    """What came of it so far."""

    text: str = ""
    ended: ChatEnded | None = None
    error: ProviderError | None = None
    too_late: bool = False


class AsideWriter:
    """Has short texts written."""

    def __init__(
        self,
        *,
        store: Store,
        provider: ChatProvider,
        prices: PriceList,
        admission: Admission,
        budgets: Budgets,
        clock: Clock,
        keeps_contents: bool,
    ) -> None:
        self._store = store
        self._provider = provider
        self._prices = prices
        self._admission = admission
        self._budgets = budgets
        self._clock = clock
        self._keeps_contents = keeps_contents
        self._running = 0

    async def write(self, aside: Aside) -> str | None:
        """Return the text, or `None` when there is none now."""
        async with self.room() as is_free:
            return await self.write_in_room(aside) if is_free else None

    @asynccontextmanager
    async def room(self, patience_s: float = 0.0) -> AsyncGenerator[bool]:
        """Yield whether one may be written, after waiting up to that long for it."""
        until = self._clock.monotonic() + patience_s
        while not self._is_free:
            if self._clock.monotonic() >= until:
                yield False
                return
            await self._clock.sleep(LOOK_EVERY_S)
        self._running += 1
        try:
            yield True
        finally:
            self._running -= 1

    async def write_in_room(self, aside: Aside) -> str | None:
        """Return the text, or `None` when it failed; only where `room` said yes."""
        try:
            return await self._write(aside)
        except CompanionError as error:
            _log.warning("aside_not_written", extra={"reason": error.code})
            return None

    @property
    def _is_free(self) -> bool:
        return self._running < AT_ONCE and not self._admission.is_full

    async def _write(self, aside: Aside) -> str | None:
        call, began, written = self._start_row(aside), self._clock.monotonic(), _Written()
        asked, held = self._call(aside), ReservationId(call.id)
        bill = self._budgets.bill(aside.paying, aside.place.guild_id, aside.model, most_used(asked))
        async with self._store.write() as unit:
            await self._budgets.hold(unit, held, bill, aside.person)
            await unit.provider_log.start(call)
        try:
            await self._ask(aside, asked, written)
        finally:
            end = self._end_row(aside, written, self._clock.monotonic() - began)
            async with self._store.write() as unit:
                await self._budgets.settle(unit, held, bill, end.cost_micros)
                await unit.provider_log.end(call.id, end)
        whole = written.ended is not None or len(written.text) >= LONGEST_TEXT
        return written.text[:LONGEST_TEXT].strip() or None if whole else None

    def _call(self, aside: Aside) -> ChatCall:
        limited = capped(aside.paying, aside.place.guild_id)
        return ChatCall(
            model=aside.model,
            messages=aside.messages,
            safety_id=self._store.fingerprints.safety_id(aside.person),
            max_tokens=LONGEST_ANSWER if limited else None,
        )

    async def _ask(self, aside: Aside, call: ChatCall, written: _Written) -> None:
        try:
            async with (
                asyncio.timeout(LONGEST_S),
                self._provider.stream_chat(aside.paying.credential, call) as events,
            ):
                async for event in events:
                    if isinstance(event, TextDelta):
                        written.text += event.text
                    elif isinstance(event, ChatEnded):
                        written.ended = event
                    if len(written.text) >= LONGEST_TEXT:
                        return
        except ProviderError as error:
            written.error = error
        except TimeoutError:
            written.too_late = True

    def _start_row(self, aside: Aside) -> CallStart:
        credential = aside.paying.credential
        said = [{"role": m.role, "text": m.text} for m in aside.messages]
        return CallStart(
            id=CallId(uuid4()),
            turn_id=aside.turn_id,
            conversation_id=aside.conversation_id,
            person_id=aside.person,
            guild_id=aside.place.guild_id,
            channel_id=aside.place.channel_id,
            door=aside.door,
            endpoint=ENDPOINT,
            model=aside.model,
            payer=credential.payer,
            fingerprint=credential.fingerprint,
            started_at=self._clock.now(),
            request_text=json.dumps(said, ensure_ascii=False) if self._keeps_contents else None,
        )

    def _end_row(self, aside: Aside, written: _Written, seconds: float) -> CallEnd:
        ended, error = written.ended, written.error
        usage = (ended and ended.usage) or estimated_usage(aside.messages, written.text)
        answered, source = bool(ended or written.text), ended or error
        base_url = aside.paying.credential.base_url
        return CallEnd(
            status=CallStatus.OK if ended else CallStatus.CUT if answered else CallStatus.FAILED,
            ended_at=self._clock.now(),
            latency_ms=round(seconds * 1000),
            usage=usage if answered else None,
            cost_micros=self._prices.cost(aside.model, usage, base_url) if answered else None,
            finish=ended.finish if ended else Finish.INTERRUPTED if answered else Finish.FAILED,
            error_code=_code(written),
            http_status=error.status if error else None,
            request_id=source.request_id if source else None,
            response_text=written.text if self._keeps_contents else None,
        )


def _code(written: _Written) -> str | None:
    if written.too_late:
        return "timed_out"
    error = written.error
    if isinstance(error, StreamCut):
        return f"{error.code}_{error.reason}"
    return error and error.code
