"""What a person reads of budgets."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from companion.bot.wording import moment, money, quoted
from companion.domain.money import BudgetScope, Spending
from companion.domain.money_errors import BudgetSpent, PriceUnknown

OF_WHOM: Final = {
    BudgetScope.PERSON: "Your budget for today",
    BudgetScope.SERVER: "This server's budget for this month",
}


def of_spent_budget(error: BudgetSpent, _: datetime) -> str:
    """Say that a budget has no room for this, and what to do."""
    whose, again = OF_WHOM[error.scope], moment(error.resets_at)
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


def nearly_spent(spending: Spending) -> str:
    """Say that a budget comes to its end."""
    budget = spending.budget
    whose, until = OF_WHOM[budget.scope], moment(budget.resets_at)
    used = f"{money(spending.spent)} of {money(budget.limit)} used"
    return f"{whose} is nearly spent: {used}, a new one {until}"
