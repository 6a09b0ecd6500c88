from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from companion.domain.money import Budget, ReservationId, Spending
from companion.domain.usage import Micros
from companion.ports import ledger
from tests.fakes.tables import Held, Tables


class FakeLedger(ledger.Ledger):
    def __init__(self, tables: Tables) -> None:
        self._spending = tables.spending
        self._held = tables.held

    async def reserve(
        self, reservation: ReservationId, budgets: Sequence[Budget], amount: Micros, now: datetime
    ) -> Spending | None:
        for budget in budgets:
            [found] = await self.spending([budget])
            if amount > budget.limit - found.spent - found.held:
                return found
            self._spending[budget.name] = replace(found, held=Micros(found.held + amount))
        if budgets:
            assert reservation not in self._held
            names = tuple(budget.name for budget in budgets)
            self._held[reservation] = Held(budgets=names, amount=amount, at=now)
        return None

    async def settle(self, reservation: ReservationId, cost: Micros) -> Sequence[Spending]:
        held = self._held.pop(reservation, None)
        if held is None:
            return []
        for name in held.budgets:
            found = self._spending[name]
            self._spending[name] = replace(
                found, spent=Micros(found.spent + cost), held=Micros(found.held - held.amount)
            )
        return [self._spending[name] for name in sorted(held.budgets)]

    async def spending(self, budgets: Sequence[Budget]) -> Sequence[Spending]:
        return [
            replace(self._spending.get(b.name, Spending(budget=b, spent=Micros(0))), budget=b)
            for b in budgets
        ]

    async def give_back_before(self, moment: datetime) -> int:
        old = {r: held for r, held in self._held.items() if held.at < moment and held.amount}
        for reservation, held in old.items():
            await self.settle(reservation, Micros(0))
            self._held[reservation] = replace(held, amount=0)
        return len(old)

    async def drop_before(self, moment: datetime) -> int:
        old = [n for n, found in self._spending.items() if found.budget.resets_at < moment]
        for name in old:
            del self._spending[name]
        for reservation in [r for r, held in self._held.items() if held.at < moment]:
            del self._held[reservation]
        return len(old)
