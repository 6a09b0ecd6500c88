"""Budgets: what may be spent of one payer's money, and what a request costs at worst.

A request first holds the most it can cost, in every budget that it counts for, and gives
back what it did not need. So no number of requests at once can spend more than a budget.
Days and months are UTC's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from companion.domain.actor import GuildId, PersonId
from companion.domain.models import Payer
from companion.domain.usage import Micros

ReservationId = NewType("ReservationId", UUID)
"""Whatever the money is held for: a turn, or a request that belongs to none."""

NOTHING: Final = Micros(0)

WARN_SHARE: Final = 0.8
"""From which share of a budget on people are told, once."""

MESSAGE_TOKENS: Final = 16
"""More than a message costs besides its text (role, separators)."""

IMAGE_TOKENS: Final = 50_000
"""More than a picture costs with any model. OpenAI, “Images and vision”: 2,833 tokens and
5,667 a tile for the smallest tiled models, less than 4,000 in all for the others."""


class BudgetScope(StrEnum):
    """Whose spending is counted, and for how long."""

    PERSON = "person"
    SERVER = "server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """What one payer lets each person spend a day, and each server a month; `None` is no cap."""

    person_day: Micros | None = None
    server_month: Micros | None = None


NO_CAPS: Final = Caps()


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One payer's money for one person or server, until `resets_at`."""

    name: str
    scope: BudgetScope
    limit: Micros
    resets_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """How a budget stands: `spent` for good, `held` for what still runs."""

    budget: Budget
    spent: Micros
    held: Micros = NOTHING

    @property
    def left(self) -> Micros:
        """What may still be held."""
        return Micros(max(0, self.budget.limit - self.spent - self.held))

    def passed_warning(self, cost: Micros) -> bool:
        """Say whether it was the last `cost` that brought this budget near its end."""
        warned_from = self.budget.limit * WARN_SHARE
        return self.spent >= warned_from > self.spent - cost


def budgets(
    caps: Caps, payer: Payer, person: PersonId | None, guild: GuildId | None, now: datetime
) -> tuple[Budget, ...]:
    """Return the budgets of a person and a server, always in the same order."""
    day, purse = now.astimezone(UTC), f"guild:{guild}" if payer is Payer.SERVER else payer.value
    found: list[Budget] = []
    if caps.person_day is not None and person is not None:
        found.append(
            Budget(
                name=f"{purse}/person:{person.hex}/{day:%Y-%m-%d}",
                scope=BudgetScope.PERSON,
                limit=caps.person_day,
                resets_at=_next_day(day),
            )
        )
    if caps.server_month is not None and guild is not None:
        found.append(
            Budget(
                name=f"{purse}/server:{guild}/{day:%Y-%m}",
                scope=BudgetScope.SERVER,
                limit=caps.server_month,
                resets_at=_next_month(day),
            )
        )
    return tuple(found)


def most_prompt_tokens(texts: Iterable[str], images: int = 0) -> int:
    """Return more tokens than any model counts for these messages: a token is a byte or more."""
    return sum(len(text.encode(errors="replace")) + MESSAGE_TOKENS for text in texts) + (
        images * IMAGE_TOKENS
    )


def _next_day(moment: datetime) -> datetime:
    return _midnight(moment) + timedelta(days=1)


def _next_month(moment: datetime) -> datetime:
    first = _midnight(moment).replace(day=1)
    return (first + timedelta(days=32)).replace(day=1)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
