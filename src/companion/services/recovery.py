"""Replies that a process left behind: taken over, and brought to an end that people can see.

nothing begun            say so; what was asked is not known any more
nothing written yet      make the reply once more, once, and only on the same key
something written        keep it, mark it interrupted, offer *Continue*
ended, perhaps not shown show it
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from companion.domain.chat import ChatEvent, Delta, Failed, Finished, Started
from companion.domain.conversation import Finish, Turn, TurnId
from companion.domain.delivery import Ending, Terms
from companion.domain.delivery_errors import Restarted
from companion.domain.errors import AlreadyAnswered, Draining
from companion.domain.money import NOTHING, ReservationId
from companion.domain.usage import Usage
from companion.ports.clock import Clock
from companion.ports.llm import ChatMessage, PriceList
from companion.ports.replies import StoredReply
from companion.ports.store import Store, UnitOfWork
from companion.services.chat import ChatService
from companion.services.deliveries import LEASE_S, Deliveries
from companion.services.prompting import estimated_usage

MOST_AT_ONCE: Final = 20
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """A reply that is ours now. `anew`: it is made once more, nothing of it stands anywhere.

    Not `deliverable` where the app is not a member any more.
    """

    reply: StoredReply
    anew: bool
    deliverable: bool
    events: AsyncGenerator[ChatEvent]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Left:
    """What is known of a reply: the turn it is for, and whether another reply answers it."""

    reply: StoredReply
    turn: Turn | None
    answered_elsewhere: bool
    deliverable: bool

    @property
    def is_repeatable(self) -> bool:
        reply, turn = self.reply, self.turn
        unwritten = turn is not None and turn.finish is None and not turn.answer
        terms = reply.terms
        may_be = self.deliverable and terms is not None and terms.repeatable
        return unwritten and may_be and reply.attempts <= 1


class Recovery:
    """Takes over what nobody works on."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        deliveries: Deliveries,
        chat: ChatService,
        prices: PriceList,
        base_url: str,
    ) -> None:
        self._store = store
        self._clock = clock
        self._deliveries = deliveries
        self._chat = chat
        self._prices = prices
        self._base_url = base_url

    async def take(self) -> Sequence[StoredReply]:
        """Take over a few replies; raises `StorageUnavailable`."""
        owner, now = self._deliveries.owner, self._clock.now()
        async with self._store.read() as unit:
            if not await unit.replies.any_expired(owner, now):
                return ()
        async with self._store.note() as unit:
            until = now + timedelta(seconds=LEASE_S)
            taken = await unit.replies.take_expired(owner, now, until, MOST_AT_ONCE)
        for reply in taken:
            self._deliveries.adopt(reply)
        _log.info("replies_taken_over", extra={"count": len(taken)})
        return taken

    async def bring(self, reply: StoredReply) -> Recovered:
        """Decide what becomes of a reply; raises `StorageError`, as its first events may."""
        async with self._store.read() as unit:
            left = await _look_up(unit, reply)
        return Recovered(
            reply=reply,
            anew=left.is_repeatable,
            deliverable=left.deliverable,
            events=self._events(left),
        )

    async def _events(self, left: _Left) -> AsyncGenerator[ChatEvent]:
        if left.answered_elsewhere:
            yield Failed(error=AlreadyAnswered())
        elif left.turn is None:
            yield Failed(error=Restarted())
        elif left.is_repeatable:
            assert left.reply.terms is not None
            async with aclosing(self._again(left.reply, left.turn, left.reply.terms)) as events:
                async for event in events:
                    yield event
        else:
            async for event in self._as_it_is(left.reply, left.turn):
                yield event

    async def _again(
        self, reply: StoredReply, turn: Turn, terms: Terms
    ) -> AsyncGenerator[ChatEvent]:
        """Make the reply once more; what refuses it now was not asked for by anybody."""
        async with self._store.write() as unit:
            await self._close(unit, replace(turn, answer=""), _nothing(), None)
        delivery = reply.delivery
        events = self._chat.repeat(
            terms.again or turn.id, speaker=turn.speaker, terms=terms, delivery=delivery
        )
        begun = False
        async with aclosing(events):
            async for event in events:
                if not begun and isinstance(event, Failed) and not _leaves(event):
                    yield Failed(error=Restarted(), turn_id=turn.id)
                    return
                begun = True
                yield event

    async def _as_it_is(self, reply: StoredReply, turn: Turn) -> AsyncGenerator[ChatEvent]:
        """Tell of what there is, after marking it interrupted where nothing ended it."""
        ending = reply.ending
        if turn.finish is None:
            turn, ending = await self._interrupt(reply, turn)
        if not turn.answer:
            yield Failed(error=Restarted(), turn_id=turn.id)
            return
        payer = reply.terms.payer if reply.terms else None
        assert payer is not None
        yield Started(turn_id=turn.id, model=turn.model, payer=payer)
        yield Delta(text=turn.answer)
        finish = turn.finish or Finish.INTERRUPTED
        yield Finished(
            turn_id=turn.id,
            model=turn.model,
            payer=payer,
            finish=finish,
            usage=turn.usage or _nothing(),
            cost_micros=ending.cost_micros if ending else None,
            seconds=ending.seconds if ending else 0.0,
            cause=Draining() if finish is Finish.INTERRUPTED else None,
        )

    async def _interrupt(self, reply: StoredReply, turn: Turn) -> tuple[Turn, Ending]:
        usage = estimated_usage([ChatMessage(role="user", text=turn.prompt)], turn.answer)
        ending = Ending(
            seconds=(self._clock.now() - turn.created_at).total_seconds(),
            cost_micros=self._prices.cost(turn.model, usage, self._base_url),
        )
        async with self._store.write() as unit:
            if await self._deliveries.end(unit, reply.lease.reply, ending):
                again = reply.terms.again if reply.terms else None
                await self._close(unit, turn, usage, ending, again)
        return replace(turn, finish=Finish.INTERRUPTED, usage=usage), ending

    async def _close(
        self,
        unit: UnitOfWork,
        turn: Turn,
        usage: Usage,
        ending: Ending | None,
        again: TurnId | None = None,
    ) -> None:
        """Store that the turn was interrupted, and what its last request must have taken."""
        if again is not None and turn.answer:
            await unit.turns.replace(again, turn.id)
        await unit.turns.finish(turn, answer=turn.answer, finish=Finish.INTERRUPTED, usage=usage)
        cost = ending.cost_micros if ending else None
        await unit.ledger.settle(ReservationId(turn.id), cost or NOTHING)
        await unit.provider_log.close_turn(turn.id, self._clock.now(), usage, cost)


def _leaves(failed: Failed) -> bool:
    """Say whether it is this process that ends, and not the reply."""
    return isinstance(failed.error, Draining)


async def _look_up(unit: UnitOfWork, reply: StoredReply) -> _Left:
    turn = await unit.turns.find(reply.turn_id) if reply.turn_id else None
    elsewhere = turn is None and await unit.turns.asked_by(reply.delivery.origin) is not None
    server = reply.delivery.place.server
    gone = server is not None and await unit.servers.left_at(server) is not None
    return _Left(reply=reply, turn=turn, answered_elsewhere=elsewhere, deliverable=not gone)


def _nothing() -> Usage:
    return Usage(prompt_tokens=0, completion_tokens=0, estimated=True)
