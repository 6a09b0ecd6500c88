"""Nobody spends more than the payer's caps, and nobody is kept from spending what is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from companion.domain.accounts import KeyScope, Preferences
from companion.domain.actor import Actor, Place
from companion.domain.chat import ChatEvent, Failed, Finished, Queued
from companion.domain.errors import AlreadyAnswered, CompanionError, ProviderTimedOut
from companion.domain.models import ModelId
from companion.domain.money import BudgetScope, Caps
from companion.domain.money_errors import BudgetSpent, PriceUnknown
from companion.domain.usage import Micros
from companion.services.budgets import LONGEST_ANSWER
from tests.fakes.provider import ended, usage
from tests.services.house import (
    ADA,
    ADMIN,
    DM,
    GRACE,
    GUILD,
    HERE,
    House,
    collected,
    failed,
    interaction,
    person,
    request,
    until,
)
from tests.services.test_listening import voice

SENT = 9 + 16 + 4 + 16
"""The most tokens of a first prompt: “Be brief.” and “Why?”, in bytes, and what is around them."""
WORST = 100
"""What is held for such a prompt when the answer may have this many tokens less the prompt's."""
USED = 18
"""What the scripted provider says was used; a token costs a micro-dollar."""
SHORT = WORST - SENT


def capped(day: int | None = None, month: int | None = None) -> House:
    caps = Caps(
        person_day=None if day is None else Micros(day),
        server_month=None if month is None else Micros(month),
    )
    return House(caps=caps, max_streams=300, max_streams_per_user=300)


@pytest.fixture
async def ten() -> AsyncIterator[House]:
    """A house where a person's day is worth ten requests at once."""
    built = capped(day=10 * WORST)
    yield built
    await built.services.close()


async def short(house: House, who: Actor = ADA, where: Place = HERE) -> list[ChatEvent]:
    """Ask something that costs `WORST` at most, as the first in its conversation."""
    asked = request("Why?", who, where, max_tokens=SHORT)
    return await collected(house.services.chat.ask(asked))


async def refused(house: House, who: Actor = ADA, where: Place = HERE) -> CompanionError:
    return failed(await short(house, who, where)).error


def standing(house: House) -> dict[str, tuple[int, int]]:
    """Return what is spent and held, by budget."""
    return {name: (s.spent, s.held) for name, s in house.store.tables.spending.items()}


def only(house: House) -> tuple[int, int]:
    [(_, found)] = standing(house).items()
    return found


@asynccontextmanager
async def running(house: House) -> AsyncGenerator[None]:
    """Have an answer under way while the block runs."""
    go = asyncio.Event()
    house.provider.script("Because.", go, ended())
    asked = asyncio.create_task(short(house))
    try:
        await until(lambda: house.provider.open)
        yield
    finally:
        go.set()
        await asked


async def test_the_worst_case_is_held_while_it_runs_and_the_truth_is_counted(ten: House) -> None:
    async with running(ten):
        assert only(ten) == (0, WORST)
    assert only(ten) == (USED, 0)
    assert not ten.store.tables.held


async def test_of_two_hundred_at_once_as_many_run_as_are_paid_for(ten: House) -> None:
    go = asyncio.Event()
    for _ in range(200):
        ten.provider.script("Because.", go, ended())
    where = [Place(kind=HERE.kind, channel_id=n, guild_id=GUILD) for n in range(1, 201)]  # type: ignore[arg-type]  # any channel
    asked = [asyncio.create_task(short(ten, where=place)) for place in where]
    await until(lambda: sum(task.done() for task in asked) == 190)
    assert len(ten.sent) == 10
    go.set()
    last = [(await task)[-1] for task in asked]
    assert sum(isinstance(event, Finished) for event in last) == 10
    errors = [event.error for event in last if isinstance(event, Failed)]
    assert len(errors) == 190
    assert all(isinstance(error, BudgetSpent) for error in errors)
    assert only(ten) == (10 * USED, 0)
    assert len(ten.turns) == 10


async def test_a_refusal_says_what_is_left_and_when_there_is_more(ten: House) -> None:
    error = await ten.refusal("Why?")
    assert isinstance(error, BudgetSpent)
    assert (error.scope, error.limit, error.left) == (BudgetScope.PERSON, 1000, 1000)
    assert error.needed == SENT + LONGEST_ANSWER
    assert error.resets_at - ten.clock.now() <= timedelta(days=1)
    assert (error.resets_at.hour, error.resets_at.minute) == (0, 0)
    assert ten.turns == []
    assert ten.log == []
    assert ten.sent == []
    assert not ten.store.tables.held


@pytest.mark.parametrize("steps", [(ProviderTimedOut(),), ()], ids=["failed", "cut"])
async def test_what_fails_gives_its_money_back(ten: House, steps: tuple[object, ...]) -> None:
    for _ in range(30):
        ten.provider.script(*steps)  # type: ignore[arg-type]  # as parametrised
        await short(ten)
    assert not ten.store.tables.held
    assert only(ten)[1] == 0


async def test_a_thousand_failures_cost_nothing(ten: House) -> None:
    for _ in range(1000):
        ten.provider.script(ProviderTimedOut())
        assert isinstance(await refused(ten), ProviderTimedOut)
    assert only(ten) == (0, 0)


async def test_a_stopped_answer_costs_what_came_of_it(ten: House) -> None:
    ten.provider.script("Because it is so.", asyncio.Event())
    events: list[ChatEvent] = []
    async for event in ten.services.chat.ask(request("Why?", max_tokens=SHORT)):
        events.append(event)
        if len(events) == 2:
            turn = ten.turns[0].id
            await ten.services.chat.stop(turn, ADA, HERE)
    assert isinstance(events[-1], Finished)
    assert events[-1].usage.estimated
    assert only(ten) == (events[-1].cost_micros, 0)


async def test_a_second_delivery_holds_nothing(ten: House) -> None:
    twice = request("Why?", max_tokens=SHORT, interaction_id=interaction())
    await collected(ten.services.chat.ask(twice))
    again = failed(await collected(ten.services.chat.ask(twice))).error
    assert isinstance(again, AlreadyAnswered)
    assert only(ten) == (USED, 0)


async def test_a_new_day_is_a_new_budget() -> None:
    house = capped(day=WORST)
    await short(house)
    assert isinstance(await refused(house, where=DM), BudgetSpent)
    house.clock.advance(days=1)
    assert isinstance((await short(house, where=DM))[-1], Finished)


async def test_each_person_has_a_budget_and_the_server_has_one() -> None:
    house = capped(day=2 * WORST, month=WORST + 2 * USED)
    for who in (ADA, GRACE):
        assert isinstance((await short(house, who))[-1], Finished)
    await short(house, person(5))
    error = await refused(house, person(6))
    assert isinstance(error, BudgetSpent)
    assert error.scope is BudgetScope.SERVER
    assert isinstance((await short(house, person(6), DM))[-1], Finished)
    people = [spent for name, spent in standing(house).items() if "/person:" in name]
    assert sorted(people) == [(USED, 0)] * 4


async def test_one_own_key_knows_no_cap(ten: House) -> None:
    await ten.save_key()
    await ten.answer("Why?", max_tokens=100_000)
    assert ten.sent[-1].max_tokens == 100_000
    assert not ten.store.tables.spending


async def test_without_a_cap_nothing_is_held_or_changed(house: House) -> None:
    await house.answer("Why?")
    assert house.sent[-1].max_tokens is None
    assert not house.store.tables.spending
    assert house.store.writes == 2


async def test_within_a_budget_an_answer_has_a_limit() -> None:
    house = capped(day=100_000)
    await house.answer("Why?")
    assert house.sent[-1].max_tokens == LONGEST_ANSWER


async def test_a_model_without_a_price_is_refused_and_not_guessed(ten: House) -> None:
    ten.prices.known.clear()
    error = await refused(ten)
    assert isinstance(error, PriceUnknown)
    assert error.model == ten.policy.default_model
    assert ten.sent == []
    assert not ten.store.tables.spending


async def test_a_servers_managers_cap_its_own_key() -> None:
    house = House(operator=None)
    await house.save_key(who=ADMIN, scope=KeyScope.SERVER)
    async with house.store.write() as unit:
        caps = Caps(person_day=Micros(WORST))
        await unit.preferences.save_guild(GUILD, Preferences(caps=caps))
    assert isinstance((await short(house))[-1], Finished)
    assert isinstance(await refused(house, where=HERE), BudgetSpent)
    assert isinstance((await short(house, GRACE))[-1], Finished)


async def test_people_are_told_once_that_a_budget_ends() -> None:
    house = capped(day=100 * WORST)
    warned: list[list[int]] = []
    for spent in (7900, 99, 100, 100):
        house.provider.script("Yes.", ended(used=usage(prompt=spent, completion=0)))
        told = (await short(house))[-1]
        assert isinstance(told, Finished)
        warned.append([spending.spent for spending in told.nearly_spent])
    assert warned == [[], [], [8099], []]


async def test_listening_is_paid_from_the_budget_too() -> None:
    house = capped(day=20_000)
    house.prices.known.add(ModelId("gpt-transcribe"))
    assert isinstance((await house.ask(files=(voice(),), max_tokens=SHORT))[-1], Finished)
    assert len(house.store.tables.spending) == 1
    spent, held = only(house)
    assert spent > USED
    assert held == 0
    house.speech.error = ProviderTimedOut()
    await house.refusal(files=(voice(),), max_tokens=SHORT)
    assert only(house) == (spent, 0)


async def test_a_queued_reply_that_is_cancelled_gives_its_money_back() -> None:
    house = House(caps=Caps(person_day=Micros(10 * WORST)), max_streams=1)
    async with running(house):
        waiting = house.services.chat.ask(request("Why?", where=DM, max_tokens=SHORT))
        queued = await anext(waiting)
        assert isinstance(queued, Queued)
        assert only(house) == (0, 2 * WORST)
        await house.services.chat.stop(queued.turn_id, ADA, DM)
        await collected(waiting)
        assert only(house) == (0, WORST)
    assert only(house) == (USED, 0)


async def test_what_a_dead_process_held_is_free_again_after_a_quarter_of_an_hour(
    ten: House,
) -> None:
    async with running(ten):
        await ten.services.sweeper.give_back()
        assert only(ten) == (0, WORST)
        ten.clock.advance(minutes=15, seconds=1)
        await ten.services.sweeper.give_back()
        assert only(ten) == (0, 0)
    assert only(ten) == (USED, 0)
