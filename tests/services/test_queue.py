"""Replies that wait for their turn: what is told, stored, checked again, and given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from companion.domain.accounts import KeyScope, KeyState
from companion.domain.actor import GuildId
from companion.domain.chat import ChatEvent, Finished, Queued, Started
from companion.domain.conversation import Finish
from companion.domain.errors import Draining, KeyRejected, NotYours, RateLimited
from companion.domain.queue_errors import PayerChanged
from companion.limits.fair_queue import DESK
from companion.ports.limits import LimitScope
from companion.services import replying
from tests.fakes.provider import ended
from tests.services.house import (
    ADA,
    ADMIN,
    GRACE,
    HERE,
    House,
    channel,
    collected,
    failed,
    finished,
    person,
    request,
    text,
    until,
)


class Full(House):
    """A house whose only slot is taken, until it is freed."""

    def __init__(self) -> None:
        super().__init__(max_streams=1, max_streams_per_user=1)
        self.go_on = asyncio.Event()
        self.provider.script(self.go_on, "Done", ended())
        self._first = self.services.chat.ask(request("First?", GRACE))

    async def taken(self) -> Full:
        assert isinstance(await anext(self._first), Started)
        return self

    async def free(self) -> None:
        """Give the slot back."""
        self.go_on.set()
        finished(await collected(self._first))

    async def wait(self) -> asyncio.Task[list[ChatEvent]]:
        """Let Ada ask, and go on once she waits."""
        asking = asyncio.create_task(self.ask("Second?"))
        await until(lambda: self.queue.waiting and len(self.turns) > 1)
        return asking


@pytest.fixture
async def full() -> AsyncIterator[Full]:
    built = await Full().taken()
    yield built
    built.go_on.set()
    await built.services.close()


async def test_who_waits_is_answered_in_turn(full: Full) -> None:
    asking = await full.wait()
    assert len(full.log) == 1  # nothing of it went out yet
    await full.free()
    events = await asking
    assert [type(event) for event in events[:2]] == [Queued, Started]
    assert text(events) == "You said: Second?"
    assert all(call.end for call in full.log)
    assert len(full.log) == len(full.turns) == 2


async def test_who_need_not_wait_is_told_of_no_queue(house: House) -> None:
    assert not any(isinstance(event, Queued) for event in await house.ask())


async def test_the_place_is_told_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replying, "QUEUED_EVERY_S", 0.001)
    full = Full()
    for number in range(60):  # quick answers: the estimate gets short
        full.provider.scripts.appendleft(["Quick", ended()])
        await full.answer(who=person(100 + number))
    await full.taken()
    asking = await full.wait()
    await asyncio.sleep(0.02)
    await full.free()
    assert len([event for event in await asking if isinstance(event, Queued)]) > 1
    await full.services.close()


async def test_waiting_can_be_cancelled_by_whoever_asked(full: Full) -> None:
    asking = await full.wait()
    turn = full.turns[-1]
    with pytest.raises(NotYours):
        await full.services.chat.stop(turn.id, person(77), HERE)
    await full.services.chat.stop(turn.id, ADA, HERE)
    ending = (await asking)[-1]
    assert isinstance(ending, Finished)
    assert (ending.finish, ending.usage.total_tokens) == (Finish.STOPPED, 0)
    assert full.queue.waiting == 0
    assert full.turns[-1].finish is Finish.STOPPED
    assert len(full.log) == len(full.provider.calls) == 1
    assert full.store.in_transaction == 0


async def test_a_door_that_closes_gives_the_place_up(full: Full) -> None:
    asking = await full.wait()
    asking.cancel()
    await asyncio.wait({asking})
    assert full.queue.waiting == 0
    assert full.turns[-1].finish is Finish.INTERRUPTED


async def test_a_house_that_closes_ends_those_who_wait(full: Full) -> None:
    asking = await full.wait()
    await full.services.chat.drain(0)
    ending = (await asking)[-1]
    assert isinstance(ending, Finished)
    assert isinstance(ending.cause, Draining)
    assert full.queue.waiting == full.queue.running == 0


async def test_a_key_removed_meanwhile_is_not_used_and_no_other_steps_in(full: Full) -> None:
    await full.save_key()
    asking = await full.wait()
    await full.services.accounts.remove_key(ADA, HERE, KeyScope.ME)
    await full.free()
    assert isinstance(failed(await asking).error, PayerChanged)
    assert len(full.provider.calls) == 1
    assert full.turns[-1].finish is Finish.FAILED


async def test_a_key_refused_meanwhile_is_not_sent_again(full: Full) -> None:
    await full.save_key(who=ADMIN, scope=KeyScope.SERVER)
    asking = await full.wait()
    ((owner, stored),) = full.store.tables.keys.items()
    full.store.tables.keys[owner] = replace(stored, state=KeyState.REJECTED)
    await full.free()
    assert isinstance(failed(await asking).error, KeyRejected)
    assert len(full.provider.calls) == 1


async def test_who_waits_pays_with_the_key_they_asked_with(full: Full) -> None:
    await full.save_key()
    asking = await full.wait()
    await full.save_key("sk-another-key-2222", who=GRACE)
    await full.free()
    finished(await asking)
    assert full.paid_with == "sk-adas-own-key-1111"


async def test_the_database_fails_when_the_turn_comes(full: Full) -> None:
    asking = await full.wait()
    await full.free()
    full.store.failing_commits = 1
    events = await asking
    assert isinstance(events[-1], Finished) or failed(events)
    full.store.failing_commits = 0
    await until(lambda: not full.services.chat.running)
    assert full.queue.running == full.queue.waiting == 0


async def test_a_flood_is_turned_away_before_the_database_is_asked(full: Full) -> None:
    full.limiter.empty[LimitScope.USER] = 9.0
    assert isinstance(await full.refusal(), RateLimited)
    reads = full.store.reads
    for _ in range(50):
        refusal = await full.refusal()
        assert isinstance(refusal, RateLimited)
        assert 0 < refusal.retry_after_s <= 9.0
    assert full.store.reads == reads


async def test_few_are_planned_at_once_and_servers_take_turns(house: House) -> None:
    loud = [house.ask("Loud", who=person(1000 + n), where=channel(5)) for n in range(40)]
    crowd = [asyncio.create_task(asking) for asking in loud]
    await asyncio.sleep(0)
    quiet = asyncio.create_task(house.ask("Quiet", where=channel(6, guild=GuildId(77))))
    await asyncio.gather(quiet, *crowd)
    order = [call.messages[-1].text for call in house.sent]
    assert order.index("Quiet") <= DESK
    assert house.desk.running == house.desk.waiting == 0
