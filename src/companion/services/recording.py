"""What is written of a reply: the turn, and one log row per request to the provider."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from typing import Final
from uuid import uuid4

from companion.domain.actor import PersonId
from companion.domain.conversation import Finish, NewTurn
from companion.domain.delivery import Ending
from companion.domain.errors import AlreadyAnswered, ProviderError, StorageError, StreamCut
from companion.domain.money import ReservationId, Spending
from companion.domain.usage import Micros, Usage
from companion.ports.clock import Clock
from companion.ports.llm import ChatMessage, PriceList
from companion.ports.store import (
    CallEnd,
    CallId,
    CallStart,
    CallStatus,
    LoggedEnd,
    Store,
    UnitOfWork,
)
from companion.services.background import BackgroundTasks
from companion.services.budgets import Budgets
from companion.services.deliveries import Deliveries
from companion.services.homes import move_in
from companion.services.job import Plan, Progress
from companion.services.later import written_later
from companion.services.payers import Payers
from companion.services.prompting import estimated_usage

ENDPOINT: Final = "chat.completions"
_STATUS: Final = {
    Finish.STOPPED: CallStatus.STOPPED,
    Finish.INTERRUPTED: CallStatus.CUT,
    Finish.FAILED: CallStatus.FAILED,
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a reply took. `cost_micros` is `None` when the model's price is unknown."""

    usage: Usage
    cost_micros: Micros | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    plan: Plan
    progress: Progress
    end: CallEnd


class Recorder:
    """Writes the beginning and the end of replies, one transaction each."""

    def __init__(
        self,
        *,
        store: Store,
        prices: PriceList,
        clock: Clock,
        payers: Payers,
        tasks: BackgroundTasks,
        budgets: Budgets,
        deliveries: Deliveries,
        keeps_contents: bool,
    ) -> None:
        self._store = store
        self._prices = prices
        self._clock = clock
        self._payers = payers
        self._tasks = tasks
        self._budgets = budgets
        self._deliveries = deliveries
        self._keeps_contents = keeps_contents

    async def begin(self, plan: Plan, progress: Progress, *, sends: bool) -> PersonId:
        """Store that the turn begins, and with `sends` its request, and return who asked.

        Raises `AlreadyAnswered`, `BudgetSpent` or `StorageUnavailable`. Whatever it raises:
        when `progress` has a turn then, it may have been stored and needs an end.
        """
        delivery = plan.job.delivery
        async with self._store.write(first=True) as unit:
            if delivery is not None:
                await self._deliveries.begin(unit, delivery, progress.turn_id, plan.terms)
            person = await unit.people.ensure(plan.job.actor)
            author = plan.author or person
            conversation = await move_in(unit, plan.home, plan.job.place, author)
            turn = NewTurn(
                id=progress.turn_id,
                conversation_id=conversation,
                author_id=author,
                speaker=plan.speaker,
                prompt=plan.prompt,
                model=plan.model,
                interaction_id=plan.job.interaction_id,
                private=plan.private,
            )
            if await unit.turns.begin(turn) is None:
                raise AlreadyAnswered
            await self._budgets.hold(unit, ReservationId(turn.id), plan.bill, person)
            progress.turn = turn
            if delivery is not None:
                self._deliveries.follow(delivery.id, turn, progress.texts)
            if sends:
                # of a turn that nobody else sees yet, so that nobody clears it meanwhile
                await unit.provider_log.start_all([self._sent(plan, progress, person)])
        return person

    async def start(self, plan: Plan, progress: Progress, person: PersonId) -> None:
        """Store that the request of a turn that waited goes out; raises `StorageUnavailable`."""
        async with self._store.write(first=True) as unit:
            await unit.provider_log.start(self._sent(plan, progress, person))

    def _sent(self, plan: Plan, progress: Progress, person: PersonId) -> CallStart:
        progress.asked = self._clock.monotonic()
        progress.requests.append(self._call_start(plan, progress, person))
        return progress.requests[-1]

    async def ask_again(self, progress: Progress, error: ProviderError) -> None:
        """Log that a request failed and that another one goes out: each has its own row."""
        failed = progress.requests[-1]
        end = CallEnd(
            status=CallStatus.FAILED,
            ended_at=self._clock.now(),
            latency_ms=_ms(self._clock.monotonic() - progress.asked),
            error_code=_code(error),
            http_status=error.status,
            request_id=error.request_id,
        )
        following = replace(failed, id=CallId(uuid4()), started_at=self._clock.now())
        # noted first: an end is written for every row that may have come to be
        progress.requests.append(following)
        progress.asked = self._clock.monotonic()
        try:
            async with self._store.write() as unit:
                await unit.provider_log.end(failed.id, end)
                await unit.provider_log.start(following)
        except StorageError as lost:
            _log.warning("retry_not_logged", extra={"reason": lost.code})

    def result(self, plan: Plan, progress: Progress) -> Result:
        """Return what the reply took, estimated where the provider does not say."""
        usage = _usage(plan, progress)
        base_url = plan.paying.credential.base_url
        return Result(usage=usage, cost_micros=self._prices.cost(plan.model, usage, base_url))

    async def end(self, plan: Plan, progress: Progress, result: Result) -> tuple[Spending, ...]:
        """Store how the reply ended, now or, when the database is away, later.

        Returns the budgets that came near their end by it.
        """
        end = self._call_end(progress, result)
        ending = _Ending(plan=plan, progress=progress, end=end)
        try:
            near = await self._write(ending)
        except StorageError as error:
            _log.warning("turn_not_stored", extra={"reason": error.code})
            self._tasks.start("store an ended turn", self._write_later(ending))
            return ()
        self._let_go(ending)
        return near

    async def _write(self, ending: _Ending) -> tuple[Spending, ...]:
        """Write the end; doing it twice is the same as doing it once."""
        progress = ending.progress
        async with self._store.write() as unit:
            if not await self._is_ours(unit, ending):
                # another process took the reply over, and decides what became of it
                return await self._settle(unit, ending)
            # before the turn itself is changed: a conversation is locked before its turns
            if ending.plan.replaces is not None and progress.texts:
                await unit.turns.replace(ending.plan.replaces, progress.turn_id)
            if progress.turn is not None:
                await unit.turns.finish(
                    progress.turn,
                    answer=progress.text,
                    finish=progress.finish,
                    usage=ending.end.usage,
                )
            near = await self._settle(unit, ending)
            await unit.provider_log.end_all(
                [
                    LoggedEnd(call=request.id, person=request.person_id, end=ending.end)
                    for request in progress.requests
                ]
            )
            await self._learn(unit, ending)
        return near

    async def _settle(self, unit: UnitOfWork, ending: _Ending) -> tuple[Spending, ...]:
        held, bill = ReservationId(ending.progress.turn_id), ending.plan.bill
        return await self._budgets.settle(unit, held, bill, ending.end.cost_micros)

    async def _is_ours(self, unit: UnitOfWork, ending: _Ending) -> bool:
        delivery, progress = ending.plan.job.delivery, ending.progress
        if delivery is None:
            return True
        took = Ending(
            seconds=self._clock.monotonic() - progress.began, cost_micros=ending.end.cost_micros
        )
        return await self._deliveries.end(unit, delivery.id, took)

    def _let_go(self, ending: _Ending) -> None:
        if ending.plan.job.delivery is not None:
            self._deliveries.ended(ending.plan.job.delivery.id)

    async def _write_later(self, ending: _Ending) -> None:
        if not await written_later(lambda: self._write(ending), self._clock, "turn_not_stored"):
            _log.error("turn_lost", extra={"turn": str(ending.progress.turn_id)})
        self._let_go(ending)

    async def _learn(self, unit: UnitOfWork, ending: _Ending) -> None:
        progress, paying = ending.progress, ending.plan.paying
        if progress.ended or progress.texts:
            await self._payers.learn(unit, paying, None)
        elif progress.error:
            await self._payers.learn(unit, paying, progress.error)

    def _call_start(self, plan: Plan, progress: Progress, person: PersonId) -> CallStart:
        credential = plan.paying.credential
        return CallStart(
            id=CallId(uuid4()),
            turn_id=progress.turn_id,
            conversation_id=progress.turn and progress.turn.conversation_id,
            person_id=person,
            guild_id=plan.job.place.guild_id,
            channel_id=plan.job.place.channel_id,
            door=plan.job.door,
            endpoint=ENDPOINT,
            model=plan.model,
            payer=credential.payer,
            fingerprint=credential.fingerprint,
            started_at=self._clock.now(),
            request_text=_as_text(plan.call.messages) if self._keeps_contents else None,
        )

    def _call_end(self, progress: Progress, result: Result) -> CallEnd:
        error, first = progress.error, progress.first_text
        source = progress.ended or error
        answered = progress.finish is not Finish.FAILED
        return CallEnd(
            status=_STATUS.get(progress.finish, CallStatus.OK),
            ended_at=self._clock.now(),
            latency_ms=_ms(self._clock.monotonic() - progress.asked),
            first_token_ms=None if first is None else _ms(first - progress.asked),
            usage=result.usage if answered else None,
            cost_micros=result.cost_micros if answered else None,
            finish=progress.finish,
            error_code=_error_code(progress),
            http_status=error.status if error else None,
            request_id=source.request_id if source else None,
            response_text=progress.text if self._keeps_contents else None,
        )


def _error_code(progress: Progress) -> str | None:
    if progress.error:
        return _code(progress.error)
    return progress.cut_by and progress.cut_by.value


def _code(error: ProviderError) -> str:
    return f"{error.code}_{error.reason}" if isinstance(error, StreamCut) else error.code


def _usage(plan: Plan, progress: Progress) -> Usage:
    if not progress.sent:
        return Usage(prompt_tokens=0, completion_tokens=0)
    reported = progress.ended.usage if progress.ended else None
    return reported or estimated_usage(plan.call.messages, progress.text)


def _as_text(messages: tuple[ChatMessage, ...]) -> str:
    """Return the request as JSON; pictures are left out, they are named in the text."""
    return json.dumps([{"role": m.role, "text": m.text} for m in messages], ensure_ascii=False)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
