"""Channels that the app may not write to, remembered for a while.

Ten thousand refused requests in ten minutes get an address banned ("Invalid Request
Limit", Discord's documents): what was refused once is not asked again at once.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from companion.ports.clock import Clock

REMEMBERED_S: Final = 600.0
MOST: Final = 10_000


class ClosedChannels:
    """Remembers refusals, the newest ten thousand of them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: OrderedDict[int, float] = OrderedDict()

    def close(self, channel_id: int) -> None:
        """Note that Discord refused a write there."""
        self._until[channel_id] = self._clock.monotonic() + REMEMBERED_S
        self._until.move_to_end(channel_id)
        if len(self._until) > MOST:
            self._until.popitem(last=False)

    def __contains__(self, channel_id: int) -> bool:
        until = self._until.get(channel_id)
        if until is None:
            return False
        if until <= self._clock.monotonic():
            del self._until[channel_id]
            return False
        return True
