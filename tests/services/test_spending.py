"""Everyone sees what they used; managers see their server's, and cap its key."""

from __future__ import annotations

import pytest

from companion.domain.accounts import KeyScope, Preferences
from companion.domain.errors import ManagerOnly
from companion.domain.models import ModelId
from companion.domain.money import BudgetScope, Caps
from companion.domain.usage import Micros, ModelUse
from companion.services.spending import Period
from tests.fakes.provider import MODEL, OTHER_MODEL
from tests.services.house import ADA, ADMIN, DM, GRACE, GUILD, HERE, House

CAPS = Caps(person_day=Micros(100_000), server_month=Micros(200_000))


async def test_one_sees_what_one_used_everywhere(house: House) -> None:
    for where in (HERE, DM):
        await house.answer(where=where)
    await house.answer(model=OTHER_MODEL)
    await house.answer(who=GRACE)
    report = await house.services.spending.own(ADA, HERE, Period.DAY)
    assert report.uses == [
        ModelUse(model=MODEL, requests=2, tokens=36, cost_micros=Micros(36)),
        ModelUse(model=OTHER_MODEL, requests=1, tokens=18, cost_micros=Micros(18)),
    ]
    assert report.budgets == []


async def test_a_period_has_a_beginning(house: House) -> None:
    await house.answer()
    seen: list[int] = []
    for days in (0, 1, 6, 31):
        house.clock.advance(days=days)
        seen += [
            len((await house.services.spending.own(ADA, HERE, period)).uses) for period in Period
        ]
    assert seen[:6] == [1, 1, 1, 0, 1, 1]
    assert seen[9:] == [0, 0, 0]


async def test_a_budget_shows_what_is_left() -> None:
    house = House(caps=CAPS)
    await house.answer()
    (mine,) = (await house.services.spending.own(ADA, HERE, Period.DAY)).budgets
    assert (mine.budget.scope, mine.spent, mine.held) == (BudgetScope.PERSON, 18, 0)
    (ours,) = (await house.services.spending.of_server(ADMIN, HERE, Period.DAY)).budgets
    assert (ours.budget.scope, ours.spent) == (BudgetScope.SERVER, 18)


async def test_whoever_was_never_met_used_nothing(house: House) -> None:
    report = await house.services.spending.own(ADA, HERE, Period.MONTH)
    assert (report.uses, report.budgets) == ((), ())


async def test_a_servers_use_and_caps_are_for_its_managers(house: House) -> None:
    spending = house.services.spending
    for attempt in (
        spending.of_server(ADA, HERE, Period.DAY),
        spending.of_server(ADMIN, DM, Period.DAY),
        spending.caps(ADA, HERE),
        spending.set_caps(ADA, HERE, CAPS),
    ):
        with pytest.raises(ManagerOnly):
            await attempt


async def test_caps_leave_the_servers_other_choices_alone(house: House) -> None:
    chosen = Preferences(default_model=ModelId("gpt-6-sol"), persona="Be kind.")
    async with house.store.write() as unit:
        await unit.preferences.save_guild(GUILD, chosen)
    await house.services.spending.set_caps(ADMIN, HERE, CAPS)
    async with house.store.read() as unit:
        stored = await unit.preferences.of_guild(GUILD)
    assert stored == Preferences(default_model=chosen.default_model, persona="Be kind.", caps=CAPS)
    assert await house.services.spending.caps(ADMIN, HERE) == CAPS


async def test_the_servers_own_key_has_its_own_budgets() -> None:
    house = House(operator=None)
    await house.save_key(who=ADMIN, scope=KeyScope.SERVER)
    await house.services.spending.set_caps(ADMIN, HERE, CAPS)
    await house.answer()
    (mine,) = (await house.services.spending.own(ADA, HERE, Period.DAY)).budgets
    (ours,) = (await house.services.spending.of_server(ADMIN, HERE, Period.DAY)).budgets
    assert (mine.spent, ours.spent) == (18, 18)
