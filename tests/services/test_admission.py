from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack

import pytest

from companion.domain.actor import Actor, Place
from companion.domain.chat import ChatEvent, Finished, Queued, Started
from companion.domain.errors import NotAllowed, PromptEmpty, RateLimited
from companion.domain.queue_errors import Overloaded
from companion.limits.fair_queue import FIRST_GUESS_S, LONGEST_WAIT_S
from companion.ports.limits import Bucket, LimitScope
from companion.services.expected import EXPECTED_S
from tests.fakes.provider import ended
from tests.services.house import (
    ADA,
    DM,
    GRACE,
    GUILD,
    HERE,
    House,
    collected,
    finished,
    person,
    request,
)

THIRD = person(33, "Third")


@pytest.fixture
async def small() -> AsyncIterator[House]:
    """A house with room for two replies, one a person."""
    built = House(max_streams=2, max_streams_per_user=1)
    yield built
    await built.services.close()


class Held:
    """A reply that runs until it is let go."""

    def __init__(self, house: House, who: Actor, where: Place = HERE) -> None:
        self.let_go = asyncio.Event()
        house.provider.script(self.let_go, "Done", ended())
        self._events = house.services.chat.ask(request("Why?", who, where))

    async def begun(self) -> Held:
        assert isinstance(await anext(self._events), Started)
        return self

    async def queued(self) -> Queued:
        event = await anext(self._events)
        assert isinstance(event, Queued)
        return event

    async def end(self) -> list[ChatEvent]:
        self.let_go.set()
        return await collected(self._events)


async def test_a_person_has_so_many_replies_at_once(small: House) -> None:
    held, second = await Held(small, ADA).begun(), Held(small, ADA)
    await second.queued()
    finished(await held.end())
    finished(await second.end())


async def test_all_together_have_so_many(small: House) -> None:
    held = [await Held(small, ADA).begun(), await Held(small, GRACE).begun()]
    third = Held(small, THIRD)
    assert await third.queued() == Queued(
        turn_id=small.turns[-1].id, ahead=0, wait_s=FIRST_GUESS_S / 2
    )
    for one in held:
        await one.end()
    finished(await third.end())


async def test_a_slot_is_free_again_when_the_end_is_seen(small: House) -> None:
    first = small.services.chat.ask(request("Why?"))
    async for event in first:
        if isinstance(event, Finished):
            await small.answer()


async def test_a_request_takes_from_the_person_the_server_and_the_key(house: House) -> None:
    await house.answer()
    assert house.policy.operator is not None
    assert set(house.limiter.taken) == {
        Bucket(scope=LimitScope.USER, id="discord:1"),
        Bucket(scope=LimitScope.GUILD, id=str(GUILD)),
        Bucket(scope=LimitScope.KEY, id=house.policy.operator.fingerprint),
    }


async def test_outside_of_servers_there_is_no_servers_bucket(house: House) -> None:
    await house.answer(where=DM)
    assert {bucket.scope for bucket in house.limiter.taken} == {LimitScope.USER, LimitScope.KEY}


@pytest.mark.parametrize("scope", list(LimitScope))
async def test_an_empty_bucket_refuses_with_its_time(house: House, scope: LimitScope) -> None:
    house.limiter.empty[scope] = 12.5
    error = await house.refusal()
    assert isinstance(error, RateLimited)
    assert (error.scope, error.retry_after_s) == (scope.value, 12.5)
    assert not house.provider.calls
    assert not house.turns


async def test_whose_wait_would_be_long_is_refused_at_once_with_the_time(small: House) -> None:
    held = await Held(small, ADA).begun()
    waiting = [Held(small, ADA) for _ in range(int(LONGEST_WAIT_S / FIRST_GUESS_S))]
    for one in waiting:
        await one.queued()
    turns = len(small.turns)
    error = await small.refusal(who=ADA)
    assert isinstance(error, Overloaded)
    assert (error.scope, error.limit) == ("user", 1)
    assert error.retry_after_s > LONGEST_WAIT_S
    assert len(small.turns) == turns
    for one in (held, *waiting):
        finished(await one.end())


async def test_the_last_token_lets_one_in_until_it_is_taken_or_they_are_gone(house: House) -> None:
    house.limiter.left[LimitScope.GUILD] = 1
    chat = house.services.chat
    chat.knock(ADA, HERE)
    with pytest.raises(RateLimited) as refused:
        chat.knock(GRACE, HERE)
    assert (refused.value.scope, refused.value.retry_after_s) == ("guild", 5.0)
    chat.knock(GRACE, DM)
    await house.answer()
    chat.knock(GRACE, HERE)
    house.clock.advance(EXPECTED_S)
    chat.knock(ADA, HERE)
    assert len(house.limiter.taken) == 3


async def test_who_would_be_refused_behind_those_at_the_desk_hears_it_before(small: House) -> None:
    with ExitStack() as desk:
        for number in range(20):
            small.services.chat.knock(THIRD, DM)
            desk.enter_context(small.services.admission.at_desk(person(number, "P"), HERE))
        with pytest.raises(Overloaded):
            small.services.chat.knock(ADA, HERE)
    small.services.chat.knock(ADA, HERE)


async def test_who_is_refused_for_a_bucket_keeps_no_slot(small: House) -> None:
    small.limiter.empty[LimitScope.USER] = 1.0
    for _ in range(5):
        assert isinstance(await small.refusal(), RateLimited)
    small.limiter.empty.clear()
    small.clock.advance(1.0)
    await small.answer()


async def test_what_is_refused_before_costs_nothing(small: House) -> None:
    assert isinstance(await small.refusal(""), PromptEmpty)
    nowhere = Place(kind=HERE.kind, channel_id=None, guild_id=GUILD)
    assert type(await small.refusal(where=nowhere)) is NotAllowed
    assert not small.limiter.taken
    assert not small.provider.calls
    assert not small.catalogue.asked
