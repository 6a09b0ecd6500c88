"""Who pays for a caller of the HTTP API, remembered for a moment.

A program calls many times a second; looking up the same key each time would be most of
the work. Forgotten at once when the key changes here, or the provider says no.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from companion.domain.actor import Actor
from companion.ports.clock import Clock
from companion.services.access import identity
from companion.services.payers import Paying

REMEMBERED_S: Final = 1.0
"""Another process, or a date, may end a key."""
_MOST: Final = 1_000


class PayerMemory:
    """The last payers, by caller."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: OrderedDict[str, tuple[Paying, float]] = OrderedDict()

    def find(self, actor: Actor) -> Paying | None:
        """Return who pays for that caller, when it was looked up just now."""
        paying, at = self._known.get(identity(actor), (None, 0.0))
        return paying if self._clock.monotonic() - at < REMEMBERED_S else None

    def remember(self, actor: Actor, paying: Paying) -> None:
        """Remember who pays for that caller."""
        self._known[identity(actor)] = (paying, self._clock.monotonic())
        if len(self._known) > _MOST:
            self._known.popitem(last=False)

    def forget(self, actor: Actor) -> None:
        """Look it up anew next time."""
        self._known.pop(identity(actor), None)
