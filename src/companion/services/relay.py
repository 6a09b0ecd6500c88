"""Requests that go on to the provider as they are: whoever asks, the same rules as a chat.

Gate, payer, slots and buckets first; then the start row; then the request; and whatever
happens, the end row. No transaction is open while the model talks.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from typing import Final, cast

from companion.domain.actor import Door, PersonId
from companion.domain.errors import Draining, ProviderError
from companion.domain.models import ModelId
from companion.ports.clock import Clock
from companion.ports.llm import PriceList
from companion.ports.relay import (
    Endpoint,
    Fields,
    Form,
    OnRetry,
    RelayAnswer,
    RelayBody,
    RelayCall,
    RelayEnding,
    RelayPiece,
    RelayProvider,
)
from companion.ports.store import CallEnd, CallStart, Store
from companion.services.access import AccessGate
from companion.services.admission import Admission
from companion.services.payer_memory import Known, PayerMemory
from companion.services.payers import Payers
from companion.services.policy import ServicePolicy
from companion.services.rechecking import check_same_key
from companion.services.relay_budget import RelayBudget, limited
from companion.services.relay_log import RelayLog
from companion.services.relay_record import Bookkeeper, Record, RelayRequest

_STREAM_OPTIONS: Final = "stream_options"
_WITH_USAGE_EVENT: Final = {Endpoint.CHAT, Endpoint.COMPLETIONS}


class RelayService:
    """Sends requests on, and writes down what became of them."""

    def __init__(
        self,
        *,
        store: Store,
        provider: RelayProvider,
        prices: PriceList,
        gate: AccessGate,
        payers: Payers,
        memory: PayerMemory,
        admission: Admission,
        log: RelayLog,
        budget: RelayBudget,
        clock: Clock,
        policy: ServicePolicy,
    ) -> None:
        self._store = store
        self._provider = provider
        self._prices = prices
        self._gate = gate
        self._payers = payers
        self._memory = memory
        self._admission = admission
        self._log = log
        self._budget = budget
        self._clock = clock
        self._policy = policy
        keeps_contents = policy.retention_days > 0
        self._books = Bookkeeper(clock=clock, prices=prices, keeps_contents=keeps_contents)
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = False

    @property
    def default_model(self) -> ModelId:
        """The chat model for routes whose requests may name none."""
        return self._policy.default_model

    @property
    def running(self) -> int:
        """How many requests are being answered right now."""
        return self._running

    @asynccontextmanager
    async def relay(self, request: RelayRequest) -> AsyncGenerator[RelayAnswer]:
        """Send a request on; leaving the block early hangs up and settles.

        Raises a `Refused` (nothing was sent), a `StorageError` or a `ProviderError`; the
        stream of an answer raises `StreamCut`.
        """
        if self._draining:
            raise Draining
        self._gate.check(request.actor, request.place, Door.HTTP)
        self._admission.glance(request.actor, request.place)
        await self._prices.prepare()
        known = await self._look_up(request)
        credential = known.paying.credential
        async with self._admission.admit(request.actor, request.place, credential) as waited:
            if waited:
                known = await self._looked_up_again(request, known)
            record = Record(request=request, known=known, asked=self._clock.monotonic())
            with self._counted():
                async with self._budget.held(record), self._open(record) as answer:
                    yield answer

    async def drain(self, timeout_s: float) -> None:
        """Refuse new requests, and let the running ones finish for that long."""
        self._draining = True
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()

    async def settled(self) -> None:
        """Wait until all ends are written, or given to a later try."""
        await self._log.settled()

    @contextmanager
    def _counted(self) -> Generator[None]:
        self._running += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    async def _look_up(self, request: RelayRequest) -> Known:
        if (known := self._memory.find(request.actor)) is not None:
            return known
        async with self._store.read() as unit:
            person = await unit.people.find(request.actor)
            paying = await self._payers.choose(unit, request.actor, request.place, person)
        known = Known(paying, person)
        self._memory.remember(request.actor, known)
        return known

    async def _looked_up_again(self, request: RelayRequest, before: Known) -> Known:
        """Return what is known of a caller whose turn came after a wait; raises `PayerChanged`."""
        if self._draining:
            raise Draining
        self._memory.forget(request.actor)
        now = await self._look_up(request)
        check_same_key(before.paying, now.paying)
        return now

    @asynccontextmanager
    async def _open(self, record: Record) -> AsyncGenerator[RelayAnswer]:
        try:
            await self._begin(record)
            record.sent = True
            async with self._provider.open(
                record.paying.credential, self._call(record), self._on_retry(record)
            ) as answer:
                yield self._noted(record, answer)
        except ProviderError as error:
            record.error = error
            raise
        finally:
            self._end(record)

    async def _begin(self, record: Record) -> None:
        def row(person: PersonId) -> CallStart:
            record.person = person  # from here on the row may come to be, and needs an end
            return self._books.start(record, person)

        await self._log.start(record.request.actor, row, known=record.known.person)

    def _on_retry(self, record: Record) -> OnRetry:
        async def again(error: ProviderError) -> None:
            self._write_end(record, self._books.failed_try(record, error), tells=False)
            record.begin_again(self._clock.monotonic())
            await self._begin(record)

        return again

    def _end(self, record: Record) -> None:
        tells = record.error is not None or record.first is not None
        if record.error is not None:
            self._memory.forget(record.request.actor)
        self._write_end(record, self._books.end(record), tells=tells)

    def _write_end(self, record: Record, end: CallEnd, *, tells: bool) -> None:
        if record.person is not None:
            learned = None if record.first is not None else record.error
            self._log.end(
                record.id, record.person, end, paying=record.paying, learned=learned, tells=tells
            )

    def _call(self, record: Record) -> RelayCall:
        request = record.request
        assert record.person is not None
        call = RelayCall(
            endpoint=request.endpoint,
            model=request.model,
            body=request.body,
            streams=request.streams,
        )
        if request.body is None or isinstance(request.body, Form):
            return call
        body, ours = _with_ours(request, request.body)
        ours = {**ours, **limited(record.paying, request, body)}
        chat = request.endpoint is Endpoint.CHAT and "safety_identifier" not in body
        safety_id = self._store.fingerprints.safety_id(record.person) if chat else None
        return replace(call, body=body, ours=ours, safety_id=safety_id)

    def _noted(self, record: Record, answer: RelayAnswer) -> RelayAnswer:
        if isinstance(answer, RelayBody):
            record.note(answer.text, self._clock.monotonic())
            record.ending = answer.ending
            return answer
        return replace(answer, parts=self._noted_parts(record, answer.parts))

    async def _noted_parts(
        self, record: Record, parts: AsyncIterator[RelayPiece | RelayEnding]
    ) -> AsyncGenerator[RelayPiece | RelayEnding]:
        try:
            async for part in parts:
                if isinstance(part, RelayEnding):
                    record.ending = part
                else:
                    record.note(part.text, self._clock.monotonic())
                yield part
        except ProviderError as error:
            record.error = error
            raise


def _with_ours(request: RelayRequest, body: Fields) -> tuple[Fields, Fields]:
    """Return the client's fields, and those that we add."""
    ours: dict[str, bytes] = {}
    if request.endpoint is Endpoint.CHAT and "store" not in body:
        ours["store"] = b"false"
    if request.streams and request.endpoint in _WITH_USAGE_EVENT:
        options = _stream_options(body)
        if not options.get("include_usage"):
            ours[_STREAM_OPTIONS] = json.dumps(options | {"include_usage": True}).encode()
            body = {name: value for name, value in body.items() if name != _STREAM_OPTIONS}
    return body, ours


def _stream_options(body: Fields) -> dict[str, object]:
    options: object = json.loads(body.get(_STREAM_OPTIONS, b"null"))
    return cast("dict[str, object]", options) if isinstance(options, dict) else {}
