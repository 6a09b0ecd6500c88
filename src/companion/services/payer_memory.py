"""Who a caller of the HTTP API is and who pays for them, remembered for a moment.

A program calls many times a second; looking up the same key each time would be most of
the work. Forgotten at once when the key changes here, or the provider says no.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from companion.domain.actor import Actor, PersonId
from companion.ports.clock import Clock
from companion.services.access import identity
from companion.services.payers import Paying

REMEMBERED_S: Final = 1.0
"""Another process, or a date, may end a key."""
_MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Known:
    """Who pays, and the caller's person; `None` when they were never met."""

    paying: Paying
    person: PersonId | None


class PayerMemory:
    """The last payers, by caller."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: OrderedDict[str, tuple[Known, float]] = OrderedDict()

    def find(self, actor: Actor) -> Known | None:
        """Return what was looked up of that caller just now."""
        known, at = self._known.get(identity(actor), (None, 0.0))
        return known if self._clock.monotonic() - at < REMEMBERED_S else None

    def remember(self, actor: Actor, known: Known) -> None:
        """Remember what was looked up of that caller."""
        self._known[identity(actor)] = (known, self._clock.monotonic())
        if len(self._known) > _MOST:
            self._known.popitem(last=False)

    def forget(self, actor: Actor) -> None:
        """Look it up anew next time."""
        self._known.pop(identity(actor), None)
