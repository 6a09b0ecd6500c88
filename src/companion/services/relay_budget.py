"""Budgets of relayed requests, which nobody but their clients and the provider reads.

What one can cost is bounded from its bytes. Costs nothing where no cap applies.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from typing import Final
from uuid import uuid4

from companion.domain.errors import StorageError
from companion.domain.money import IMAGE_TOKENS, MESSAGE_TOKENS, NOTHING, ReservationId
from companion.domain.usage import Micros, Usage
from companion.ports.clock import Clock
from companion.ports.llm import PriceList
from companion.ports.relay import Endpoint, Fields, Form
from companion.ports.store import Store
from companion.services.background import BackgroundTasks
from companion.services.budgets import LONGEST_ANSWER, MOST_HEARD, Bill, Budgets, capped
from companion.services.later import written_later
from companion.services.payers import Paying
from companion.services.relay_record import Record, RelayRequest

DRAWN_TOKENS: Final = 10_000
"""More than OpenAI counts for one picture that it draws."""

_LIMITS: Final = ("max_completion_tokens", "max_tokens")
_DRAWING: Final = {Endpoint.IMAGES, Endpoint.IMAGE_EDITS}
_INLINE: Final = re.compile(rb'"data:[^"]*"')
_PICTURE: Final = re.compile(rb'"image_url"\s*:')
_log = logging.getLogger(__name__)


class RelayBudget:
    """Holds what relayed requests can cost while they run, and counts what they did."""

    def __init__(
        self,
        *,
        store: Store,
        budgets: Budgets,
        prices: PriceList,
        tasks: BackgroundTasks,
        clock: Clock,
    ) -> None:
        self._store = store
        self._budgets = budgets
        self._prices = prices
        self._tasks = tasks
        self._clock = clock

    @asynccontextmanager
    async def held(self, record: Record) -> AsyncGenerator[None]:
        """Hold the most the request can cost while the block runs; raises a `BudgetRefused`.

        What is held is on disk before the block begins.
        """
        bill = self._bill(record)
        if bill is None:
            yield
            return
        reservation = ReservationId(uuid4())
        async with self._store.write() as unit:
            person = record.known.person or await unit.people.ensure(record.request.actor)
            await self._budgets.hold(unit, reservation, bill, person)
        try:
            yield
        finally:
            cost = self._cost(record, bill)
            # also when the client has gone
            await asyncio.shield(self._settle(reservation, bill, cost))

    def _bill(self, record: Record) -> Bill | None:
        request, paying = record.request, record.paying
        if request.endpoint is Endpoint.MODELS or not capped(paying, request.place.guild_id):
            return None
        return self._budgets.bill(paying, request.place.guild_id, request.model, most_used(request))

    def _cost(self, record: Record, bill: Bill) -> Micros:
        if record.error is not None and record.first is None:
            return NOTHING
        usage = record.usage()
        if usage is None:  # it was answered, and nobody says what it took
            return bill.most if record.first is not None else NOTHING
        base_url = record.paying.credential.base_url
        return self._prices.cost(record.request.model, usage, base_url) or NOTHING

    async def _settle(self, reservation: ReservationId, bill: Bill, cost: Micros) -> None:
        try:
            await self._write(reservation, bill, cost)
        except StorageError as error:
            _log.warning("cost_not_counted", extra={"reason": error.code})
            self._tasks.start("count a cost later", self._later(reservation, bill, cost))

    async def _later(self, reservation: ReservationId, bill: Bill, cost: Micros) -> None:
        def write() -> Awaitable[None]:
            return self._write(reservation, bill, cost)

        if not await written_later(write, self._clock, "cost_not_counted"):
            _log.error("cost_lost", extra={"micros": cost})

    async def _write(self, reservation: ReservationId, bill: Bill, cost: Micros) -> None:
        async with self._store.write() as unit:
            await self._budgets.settle(unit, reservation, bill, cost)


def limited(paying: Paying, request: RelayRequest, body: Fields) -> Fields:
    """Return the limit of the answer that we add, where a cap needs one and the client set none."""
    if not capped(paying, request.place.guild_id) or any(name in body for name in _LIMITS):
        return {}
    if request.endpoint is Endpoint.CHAT:
        return {_LIMITS[0]: str(LONGEST_ANSWER).encode()}
    if request.endpoint is Endpoint.COMPLETIONS:
        return {_LIMITS[1]: str(LONGEST_ANSWER).encode()}
    return {}


def most_used(request: RelayRequest) -> Usage:
    """Return the most tokens that a request can use, from its bytes."""
    body = request.body
    if isinstance(body, Form):
        return _most_of_form(request.endpoint, body)
    fields = body or {}
    sent = _INLINE.sub(b"", b" ".join(fields.values()))
    pictures = len(_PICTURE.findall(sent))
    prompt_tokens = len(sent) + pictures * IMAGE_TOKENS + MESSAGE_TOKENS
    several = max(1, *(_whole(fields.get(name)) for name in ("n", "best_of")))
    if request.endpoint in _DRAWING:
        return _usage(prompt_tokens, several * DRAWN_TOKENS)
    longest = max(_whole(fields.get(name)) for name in _LIMITS) or LONGEST_ANSWER
    return _usage(prompt_tokens, several * longest)


def _most_of_form(endpoint: Endpoint, form: Form) -> Usage:
    if endpoint not in _DRAWING:
        return MOST_HEARD
    typed = dict(form.fields)
    prompt_tokens = sum(len(value.encode(errors="replace")) for _, value in form.fields)
    several = max(1, _whole(typed.get("n", "").encode(errors="replace")))
    return _usage(prompt_tokens + len(form.files) * IMAGE_TOKENS, several * DRAWN_TOKENS)


def _whole(value: bytes | None) -> int:
    """Return a field's number; 0 for what is none, which the provider will refuse."""
    try:
        number: object = json.loads(value or b"0")
    except ValueError:
        return 0
    return number if isinstance(number, int) and number > 0 else 0


def _usage(prompt_tokens: int, completion_tokens: int) -> Usage:
    return Usage(prompt_tokens=prompt_tokens, completion_tokens=completion_tokens, estimated=True)
