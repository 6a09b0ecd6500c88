"""How often the app says something that nobody asked for: rarely."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

from companion.ports.clock import Clock

MOST: Final = 10_000


class Notices:
    """Lets one notice through per subject and time span; remembers the newest ones only."""

    def __init__(self, clock: Clock, *, every_s: float) -> None:
        self._clock = clock
        self._every_s = every_s
        self._given: OrderedDict[Hashable, float] = OrderedDict()

    def may(self, *subject: Hashable) -> bool:
        """Say whether a notice is due, and count it as given."""
        now = self._clock.monotonic()
        given = self._given.get(subject)
        if given is not None and now - given < self._every_s:
            return False
        self._given[subject] = now
        self._given.move_to_end(subject)
        if len(self._given) > MOST:
            self._given.popitem(last=False)
        return True
