"""What every store does with budgets."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from companion.domain.accounts import Preferences
from companion.domain.actor import GuildId
from companion.domain.money import Budget, BudgetScope, Caps, ReservationId, Spending
from companion.domain.usage import Micros, ModelUse
from companion.ports.store import Store
from tests.db.things import NOON, USAGE, call_end, call_start, new_person

MONTH = Budget(
    name="operator/server:9/2026-11",
    scope=BudgetScope.SERVER,
    limit=Micros(10_000),
    resets_at=NOON + timedelta(days=9),
)
DAY = Budget(
    name="operator/person:1/2026-11-21",
    scope=BudgetScope.PERSON,
    limit=Micros(1000),
    resets_at=NOON + timedelta(hours=12),
)


class NoRoom(Exception):
    def __init__(self, full: Spending) -> None:
        super().__init__()
        self.full = full


@pytest.fixture
def store(any_store: Store) -> Store:
    return any_store


def new_reservation() -> ReservationId:
    return ReservationId(uuid4())


async def hold(store: Store, amount: int, *budgets: Budget) -> ReservationId:
    """Hold an amount, as the services do: without room nothing is left behind."""
    reservation = new_reservation()
    async with store.write() as unit:
        full = await unit.ledger.reserve(reservation, budgets, Micros(amount), NOON)
        if full is not None:
            raise NoRoom(full)
    return reservation


async def settle(store: Store, reservation: ReservationId, cost: int) -> list[Spending]:
    async with store.write() as unit:
        return list(await unit.ledger.settle(reservation, Micros(cost)))


async def standing(store: Store, *budgets: Budget) -> list[tuple[int, int]]:
    """Return what is spent and held of each."""
    async with store.read() as unit:
        return [(s.spent, s.held) for s in await unit.ledger.spending(budgets)]


async def test_what_was_not_needed_is_given_back(store: Store) -> None:
    reservation = await hold(store, 900, DAY, MONTH)
    assert await standing(store, DAY, MONTH) == [(0, 900), (0, 900)]
    settled = await settle(store, reservation, 30)
    assert settled == [
        Spending(budget=DAY, spent=Micros(30)),
        Spending(budget=MONTH, spent=Micros(30)),
    ]
    assert await standing(store, MONTH, DAY) == [(30, 0), (30, 0)]


async def test_settling_twice_counts_once(store: Store) -> None:
    reservation = await hold(store, 900, DAY)
    await settle(store, reservation, 30)
    assert await settle(store, reservation, 30) == []
    assert await standing(store, DAY) == [(30, 0)]


async def test_the_truth_counts_even_when_it_is_more_than_was_held(store: Store) -> None:
    await settle(store, await hold(store, 900, DAY), 1100)
    assert await standing(store, DAY) == [(1100, 0)]
    with pytest.raises(NoRoom) as refused:
        await hold(store, 0, DAY)
    assert refused.value.full.left == 0


async def test_a_full_budget_leaves_nothing_held_in_another(store: Store) -> None:
    await hold(store, 600, DAY)
    small = Budget(
        name="operator/server:9/2026-11",
        scope=BudgetScope.SERVER,
        limit=Micros(100),
        resets_at=MONTH.resets_at,
    )
    with pytest.raises(NoRoom) as refused:
        await hold(store, 200, DAY, small)
    assert refused.value.full == Spending(budget=small, spent=Micros(0))
    with pytest.raises(NoRoom) as refused:
        await hold(store, 401, DAY, MONTH)
    assert refused.value.full == Spending(budget=DAY, spent=Micros(0), held=Micros(600))
    assert await standing(store, DAY, small) == [(0, 600), (0, 0)]


async def test_many_at_once_never_hold_more_than_there_is(store: Store) -> None:
    async def one() -> bool:
        try:
            await hold(store, 100, DAY, MONTH)
        except NoRoom:
            return False
        return True

    got = await asyncio.gather(*(one() for _ in range(30)))
    assert got.count(True) == 10
    assert await standing(store, DAY, MONTH) == [(0, 1000), (0, 1000)]


async def test_a_changed_cap_holds_for_the_next_request(store: Store) -> None:
    await hold(store, 900, DAY)
    larger = Budget(name=DAY.name, scope=DAY.scope, limit=Micros(2000), resets_at=DAY.resets_at)
    await hold(store, 900, larger)
    with pytest.raises(NoRoom):
        await hold(store, 1, DAY)


async def test_what_a_dead_process_held_is_given_back(store: Store) -> None:
    await hold(store, 900, DAY, MONTH)
    async with store.write() as unit:
        assert await unit.ledger.give_back_before(NOON) == 0
        assert await unit.ledger.give_back_before(NOON + timedelta(seconds=1)) == 1
        assert await unit.ledger.give_back_before(NOON + timedelta(days=1)) == 0
    assert await standing(store, DAY, MONTH) == [(0, 0), (0, 0)]


async def test_a_cost_that_comes_late_still_counts(store: Store) -> None:
    late = await hold(store, 900, DAY)
    async with store.write() as unit:
        await unit.ledger.give_back_before(NOON + timedelta(seconds=1))
    await settle(store, late, 30)
    assert await standing(store, DAY) == [(30, 0)]


async def test_budgets_long_past_are_forgotten(store: Store) -> None:
    await settle(store, await hold(store, 900, DAY, MONTH), 30)
    async with store.write() as unit:
        assert await unit.ledger.drop_before(MONTH.resets_at) == 1
        assert await unit.ledger.drop_before(MONTH.resets_at) == 0
    assert await standing(store, DAY, MONTH) == [(0, 0), (30, 0)]


async def test_a_server_keeps_its_caps(store: Store) -> None:
    guild, caps = GuildId(9), Caps(person_day=Micros(0), server_month=Micros(2**40))
    async with store.write() as unit:
        await unit.preferences.save_guild(guild, Preferences(caps=caps))
    async with store.read() as unit:
        assert (await unit.preferences.of_guild(guild)).caps == caps
    async with store.write() as unit:
        await unit.preferences.save_guild(guild, Preferences())
        assert await unit.preferences.of_guild(guild) == Preferences()


async def test_use_adds_up_by_model(store: Store) -> None:
    async with store.write() as unit:
        ada, grace = await new_person(unit), await new_person(unit)
        for person, cost in ((ada, 5), (ada, None), (grace, 7)):
            call = call_start(person)
            await unit.provider_log.start(call)
            await unit.provider_log.end(
                call.id, replace(call_end(), cost_micros=None if cost is None else Micros(cost))
            )
        failed = call_start(ada)
        await unit.provider_log.start(failed)
        await unit.provider_log.end(failed.id, replace(call_end(), usage=None))
        await unit.provider_log.start(call_start(ada))
    tokens = USAGE.total_tokens
    async with store.read() as unit:
        assert await unit.provider_log.used(NOON, person=ada) == [
            ModelUse(
                model="gpt-6-luna",
                requests=2,
                tokens=2 * tokens,
                cost_micros=Micros(5),
                unpriced=1,
            )
        ]
        (ours,) = await unit.provider_log.used(NOON, guild=GuildId(9))
        assert (ours.requests, ours.cost_micros) == (3, 12)
        assert await unit.provider_log.used(NOON, guild=GuildId(8)) == []
        assert await unit.provider_log.used(NOON + timedelta(seconds=1), person=ada) == []
