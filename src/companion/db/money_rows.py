"""The tables of budgets."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from companion.db.rows import Row
from companion.db.types import OneOf
from companion.domain.money import BudgetScope


class BudgetRow(Row):
    """What was spent and what is held of one budget; its period is part of the name."""

    __tablename__ = "budgets"

    name: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[BudgetScope] = mapped_column(OneOf(BudgetScope))
    limit_micros: Mapped[int]
    spent_micros: Mapped[int]
    held_micros: Mapped[int]
    resets_at: Mapped[datetime] = mapped_column(index=True)


class ReservationRow(Row):
    """What one request holds of one budget."""

    __tablename__ = "reservations"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    budget: Mapped[str] = mapped_column(primary_key=True)
    amount_micros: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(index=True)
