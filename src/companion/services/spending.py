"""What was used and spent, for whoever may know; and the caps of servers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from companion.domain.actor import Actor, GuildId, PersonId, Place
from companion.domain.errors import KeyUnavailable, NotAllowed
from companion.domain.models import Payer
from companion.domain.money import Budget, BudgetScope, Caps, Spending, budgets
from companion.domain.usage import ModelUse
from companion.ports.clock import Clock
from companion.ports.store import Store, UnitOfWork
from companion.services.access import AccessGate, Purpose
from companion.services.payers import Payers
from companion.services.policy import ServicePolicy


class Period(StrEnum):
    """How far back to look."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def since(self, now: datetime) -> datetime:
        """Return when it began: today, seven days ago, or this month; days are UTC's."""
        today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if self is Period.WEEK:
            return today - timedelta(days=6)
        return today.replace(day=1) if self is Period.MONTH else today


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was used in a period, most expensive first, and how the budgets stand now."""

    uses: Sequence[ModelUse]
    budgets: Sequence[Spending] = ()


class SpendingService:
    """Knows what was spent, and lets managers cap it."""

    def __init__(
        self, *, store: Store, gate: AccessGate, payers: Payers, policy: ServicePolicy, clock: Clock
    ) -> None:
        self._store = store
        self._gate = gate
        self._payers = payers
        self._policy = policy
        self._clock = clock

    async def own(self, actor: Actor, place: Place, period: Period) -> Report:
        """Return what this person used everywhere, and their budget here."""
        self._gate.check(actor, place, None)
        now = self._clock.now()
        async with self._store.read() as unit:
            person = await unit.people.find(actor)
            if person is None:
                return Report(uses=())
            uses = await unit.provider_log.used(period.since(now), person=person)
            mine = await self._own_budgets(unit, actor, place, person)
            return Report(uses=uses, budgets=await unit.ledger.spending(mine))

    async def of_server(self, actor: Actor, place: Place, period: Period) -> Report:
        """Return what was used in the server, and its budgets; raises `ManagerOnly`."""
        guild, now = self._managed(actor, place), self._clock.now()
        async with self._store.read() as unit:
            uses = await unit.provider_log.used(period.since(now), guild=guild)
            caps = {
                Payer.OPERATOR: self._policy.caps,
                Payer.SERVER: (await unit.preferences.of_guild(guild)).caps,
            }
            found = [
                b for payer, cap in caps.items() for b in budgets(cap, payer, None, guild, now)
            ]
            return Report(uses=uses, budgets=await unit.ledger.spending(found))

    async def caps(self, actor: Actor, place: Place) -> Caps:
        """Return the caps on the server's own key; raises `ManagerOnly`."""
        guild = self._managed(actor, place)
        async with self._store.read() as unit:
            return (await unit.preferences.of_guild(guild)).caps

    async def set_caps(self, actor: Actor, place: Place, caps: Caps) -> None:
        """Replace the caps on the server's own key; raises `ManagerOnly`."""
        guild = self._managed(actor, place)
        async with self._store.write() as unit:
            chosen = await unit.preferences.of_guild(guild)
            await unit.preferences.save_guild(guild, replace(chosen, caps=caps))

    async def _own_budgets(
        self, unit: UnitOfWork, actor: Actor, place: Place, person: PersonId
    ) -> list[Budget]:
        try:
            paying = await self._payers.choose(unit, actor, place, person)
        except (KeyUnavailable, NotAllowed):
            return []
        payer, now = paying.credential.payer, self._clock.now()
        found = budgets(paying.caps, payer, person, place.guild_id, now)
        return [budget for budget in found if budget.scope is BudgetScope.PERSON]

    def _managed(self, actor: Actor, place: Place) -> GuildId:
        self._gate.check(actor, place, None, Purpose.SERVER_SETTINGS)
        assert place.guild_id is not None  # the gate lets nobody manage anything else
        return place.guild_id
