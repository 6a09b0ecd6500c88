"""What a person reads of budgets."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from companion.bot.wording import moment, money, quoted
from companion.domain.money import BudgetScope
from companion.domain.money_errors import BudgetSpent, PriceUnknown

WHOSE: Final = {
    BudgetScope.PERSON: "Your budget for today",
    BudgetScope.SERVER: "This server's budget for this month",
}


def of_spent_budget(error: BudgetSpent, _: datetime) -> str:
    """Say that a budget has no room for this, and what to do."""
    whose, again = WHOSE[error.scope], moment(error.resets_at)
    if not error.left:
        return (
            f"{whose} ({money(error.limit)}) is spent. Ask again {again}, or press *Set key* to "
            "go on with your own."
        )
    return (
        f"{whose} has {money(error.left)} left, and this could cost up to {money(error.needed)}. "
        f"Ask with a smaller `max_tokens` or less text, wait for the next budget ({again}), or "
        "press *Set key* to go on with your own."
    )


def of_unknown_price(error: PriceUnknown, _: datetime) -> str:
    """Say that a model cannot be used under a budget."""
    return (
        f"I don't know what {quoted(error.model)} costs, so I can't use it within a budget. "
        "Pick another model, or press *Set key* to pay for it with your own."
    )
