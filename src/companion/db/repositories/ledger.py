"""Budgets in SQL. Each change is one statement that looks and changes at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update

from companion.db.money_rows import BudgetRow, ReservationRow
from companion.db.statements import Statements
from companion.domain.money import Budget, ReservationId, Spending
from companion.domain.usage import Micros


class SqlLedger:
    """One row a budget, locked by whoever changes it until their transaction ends."""

    def __init__(self, run: Statements) -> None:
        self._run = run

    async def reserve(
        self, reservation: ReservationId, budgets: Sequence[Budget], amount: Micros, now: datetime
    ) -> Spending | None:
        """Hold the amount in every budget; return the first one without room for it."""
        for budget in budgets:
            if not await self._hold(budget, amount):
                return (await self.spending([budget]))[0]
        if budgets:
            held = [
                {"id": reservation, "budget": b.name, "amount_micros": amount, "created_at": now}
                for b in budgets
            ]
            await self._run.run(self._run.insert(ReservationRow).values(held))
        return None

    async def settle(self, reservation: ReservationId, cost: Micros) -> Sequence[Spending]:
        """Give back what is held and count the cost; return how those budgets stand then."""
        gone = delete(ReservationRow).where(ReservationRow.id == reservation)
        held = await self._run.all(gone.returning(ReservationRow))
        # always in one order, which is that of reserving: nobody waits in a circle
        return [await self._release(row, cost) for row in sorted(held, key=lambda row: row.budget)]

    async def spending(self, budgets: Sequence[Budget]) -> Sequence[Spending]:
        """Return how these budgets stand."""
        names = [budget.name for budget in budgets]
        rows = await self._run.all(select(BudgetRow).where(BudgetRow.name.in_(names)))
        known = {row.name: row for row in rows}
        return [_spending(budget, known.get(budget.name)) for budget in budgets]

    async def give_back_before(self, moment: datetime) -> int:
        """Give back what has been held since before then; return how many reservations."""
        late = ReservationRow.created_at < moment, ReservationRow.amount_micros > 0
        found = select(ReservationRow).where(*late).order_by(ReservationRow.budget)
        rows = await self._run.all(found.with_for_update())
        for row in rows:
            await self._release(row, Micros(0))
        await self._run.run(update(ReservationRow).where(*late).values(amount_micros=0))
        return len({row.id for row in rows})

    async def drop_before(self, moment: datetime) -> int:
        """Forget budgets that were reset before then, and what was held then; return how many."""
        await self._run.run(delete(ReservationRow).where(ReservationRow.created_at < moment))
        return await self._run.run(delete(BudgetRow).where(BudgetRow.resets_at < moment))

    async def _hold(self, budget: Budget, amount: Micros) -> bool:
        if amount > budget.limit:  # the first of a period has no row yet to compare with
            return False
        insert = self._run.insert(BudgetRow).values(
            name=budget.name,
            scope=budget.scope,
            limit_micros=budget.limit,
            spent_micros=0,
            held_micros=amount,
            resets_at=budget.resets_at,
        )
        taken = BudgetRow.spent_micros + BudgetRow.held_micros
        held = insert.on_conflict_do_update(
            index_elements=["name"],
            set_={"held_micros": BudgetRow.held_micros + amount, "limit_micros": budget.limit},
            where=taken + amount <= budget.limit,
        )
        return await self._run.one(held.returning(BudgetRow.name)) is not None

    async def _release(self, held: ReservationRow, cost: Micros) -> Spending:
        change = (
            update(BudgetRow)
            .where(BudgetRow.name == held.budget)
            .values(
                held_micros=BudgetRow.held_micros - held.amount_micros,
                spent_micros=BudgetRow.spent_micros + cost,
            )
        )
        row = await self._run.one(change.returning(BudgetRow))
        assert row is not None  # it is reset, and forgotten, after whatever is held of it began
        return _spending(_budget(row), row)


def _budget(row: BudgetRow) -> Budget:
    return Budget(
        name=row.name,
        scope=row.scope,
        limit=Micros(row.limit_micros),
        resets_at=row.resets_at,
    )


def _spending(budget: Budget, row: BudgetRow | None) -> Spending:
    if row is None:
        return Spending(budget=budget, spent=Micros(0))
    return Spending(budget=budget, spent=Micros(row.spent_micros), held=Micros(row.held_micros))
