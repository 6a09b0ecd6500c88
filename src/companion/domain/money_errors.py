"""What can be refused for money's sake; part of the tree in `errors`.

Refused  BudgetRefused  BudgetSpent PriceUnknown
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from companion.domain.errors import Refused
from companion.domain.money import BudgetScope
from companion.domain.usage import Micros


class BudgetRefused(Refused):
    """Whoever pays has set a cap that this does not keep to."""


@dataclass(kw_only=True, eq=False)
class BudgetSpent(BudgetRefused):
    """What this may cost at worst (`needed`) is more than is `left` until `resets_at`."""

    scope: BudgetScope
    limit: Micros
    left: Micros
    needed: Micros
    resets_at: datetime


@dataclass(kw_only=True, eq=False)
class PriceUnknown(BudgetRefused):
    """Nobody knows what this model costs, so it is not used under a cap."""

    model: str
