"""Storage of what was spent and what is held of budgets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from companion.domain.money import Budget, ReservationId, Spending
from companion.domain.usage import Micros


class Ledger(Protocol):
    """Budgets, each a row that one transaction at a time can change."""

    async def reserve(
        self, reservation: ReservationId, budgets: Sequence[Budget], amount: Micros, now: datetime
    ) -> Spending | None:
        """Hold the amount in every budget.

        Returns the first budget without room for it; then leave the transaction by an
        exception, as an earlier one may hold it already.
        """
        ...

    async def settle(self, reservation: ReservationId, cost: Micros) -> Sequence[Spending]:
        """Give back what is held and count the cost; return how those budgets stand then.

        What was never reserved, or is settled already, changes nothing.
        """
        ...

    async def spending(self, budgets: Sequence[Budget]) -> Sequence[Spending]:
        """Return how these budgets stand."""
        ...

    async def give_back_before(self, moment: datetime) -> int:
        """Give back what has been held since before then; return how many reservations.

        A cost that is settled later still counts.
        """
        ...

    async def drop_before(self, moment: datetime) -> int:
        """Forget budgets that were reset before then, and what was held then; return how many."""
        ...
