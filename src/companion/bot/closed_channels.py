"""Channels that the app may not write to, remembered for a while.

Ten thousand refused requests in ten minutes get an address banned ("Invalid Request
Limit", Discord's documents): what was refused once is not asked again at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from companion.ports.clock import Clock

REMEMBERED_S: Final = 600.0
MOST: Final = 10_000
MOST_LEFT: Final = 50
"""So many servers that were left last: what was on its way to older ones has long ended."""


class ClosedChannels:
    """Remembers refusals, the newest ten thousand of them, and servers that were left."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: OrderedDict[int, float] = OrderedDict()
        self._left: OrderedDict[int, frozenset[int]] = OrderedDict()

    def close(self, channel_id: int) -> None:
        """Note that Discord refused a write there."""
        self._until[channel_id] = self._clock.monotonic() + REMEMBERED_S
        self._until.move_to_end(channel_id)
        if len(self._until) > MOST:
            self._until.popitem(last=False)

    def leave(self, guild_id: int, channel_ids: Iterable[int]) -> None:
        """Note that the app was removed from a server: nothing is sent to its channels."""
        self._left[guild_id] = frozenset(channel_ids)
        if len(self._left) > MOST_LEFT:
            self._left.popitem(last=False)

    def enter(self, guild_id: int) -> None:
        """Note that the app is in a server, again perhaps."""
        self._left.pop(guild_id, None)

    def is_left(self, channel_id: int) -> bool:
        """Say whether the channel is in a server that the app was removed from."""
        return any(channel_id in channels for channels in self._left.values())

    def __contains__(self, channel_id: int) -> bool:
        until = self._until.get(channel_id)
        if until is None:
            return False
        if until <= self._clock.monotonic():
            del self._until[channel_id]
            return False
        return True
