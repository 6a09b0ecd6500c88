"""Budgets: the most a request can cost is held before it goes out, the truth is counted after.

Both happen within a transaction that is there anyway, and only where the payer set a cap:
the operator in the settings, a server's managers for its own key. Nobody caps what a
person spends of their own.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

from companion.domain.actor import GuildId, PersonId
from companion.domain.models import ModelId, Payer
from companion.domain.money import (
    NOTHING,
    Caps,
    ReservationId,
    Spending,
    budgets,
    most_prompt_tokens,
)
from companion.domain.money_errors import BudgetSpent, PriceUnknown
from companion.domain.usage import Micros, Usage
from companion.ports.clock import Clock
from companion.ports.llm import ChatCall, PriceList
from companion.ports.store import UnitOfWork
from companion.services.payers import Paying
from companion.services.prompting import LONGEST_RESERVE_TOKENS

LONGEST_ANSWER: Final = LONGEST_RESERVE_TOKENS
"""Tokens of an answer within a budget, when nobody asked for more: its worst case is held."""

MOST_HEARD: Final = Usage(prompt_tokens=16_000, completion_tokens=2_000, estimated=True)
"""As much of a recording as OpenAI's models of this kind take, and as they write."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """The most that a request can cost, whose money that is, and its caps."""

    payer: Payer
    caps: Caps
    guild: GuildId | None
    most: Micros


class Budgets:
    """Holds and counts money. Costs nothing where no cap applies: there is no bill then."""

    def __init__(self, *, prices: PriceList, clock: Clock) -> None:
        self._prices = prices
        self._clock = clock

    def bill(
        self, paying: Paying, guild: GuildId | None, model: ModelId, most: Usage
    ) -> Bill | None:
        """Return what to hold for a request that uses that much at most; `None` without a cap.

        Raises `PriceUnknown`. The prices are read in before (`PriceList.prepare`).
        """
        if not capped(paying, guild):
            return None
        credential = paying.credential
        cost = self._prices.cost(model, most, credential.base_url)
        if cost is None:
            raise PriceUnknown(model=model)
        return Bill(payer=credential.payer, caps=paying.caps, guild=guild, most=cost)

    async def hold(
        self, unit: UnitOfWork, reservation: ReservationId, bill: Bill | None, person: PersonId
    ) -> None:
        """Hold the most that a request can cost.

        Raises `BudgetSpent`; let it end the transaction, so that nothing stays held.
        """
        if bill is None:
            return
        now = self._clock.now()
        counted = budgets(bill.caps, bill.payer, person, bill.guild, now)
        full = await unit.ledger.reserve(reservation, counted, bill.most, now)
        if full is not None:
            raise BudgetSpent(
                scope=full.budget.scope,
                limit=full.budget.limit,
                left=full.left,
                needed=bill.most,
                resets_at=full.budget.resets_at,
            )

    async def settle(
        self,
        unit: UnitOfWork,
        reservation: ReservationId,
        bill: Bill | None,
        cost: Micros | None,
    ) -> tuple[Spending, ...]:
        """Count what a request cost; doing it twice is the same as doing it once.

        Returns the budgets that came near their end by it.
        """
        if bill is None:
            return ()
        counted = cost or NOTHING
        standing = await unit.ledger.settle(reservation, counted)
        near = tuple(spending for spending in standing if spending.passed_warning(counted))
        for spending in near:
            _log.warning(
                "budget_nearly_spent",
                extra={"scope": spending.budget.scope.value, "payer": bill.payer.value},
            )
        return near


def capped(paying: Paying, guild: GuildId | None) -> bool:
    """Say whether a cap applies to what this payer pays for there."""
    caps = paying.caps
    return caps.person_day is not None or (caps.server_month is not None and guild is not None)


def most_used(call: ChatCall) -> Usage:
    """Return the most tokens that a call can use; without `max_tokens` an answer's usual limit."""
    images = sum(len(message.images) for message in call.messages)
    prompt_tokens = most_prompt_tokens((message.text for message in call.messages), images)
    longest = call.max_tokens or LONGEST_ANSWER
    return Usage(prompt_tokens=prompt_tokens, completion_tokens=longest, estimated=True)
