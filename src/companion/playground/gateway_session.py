"""One gateway session: what was sent, to be sent again after a resume.

A session outlives its connection. Everything dispatched is numbered and kept (up to
a bound), so a client that comes back with the last number it saw misses nothing.
"""

from __future__ import annotations

import secrets
from collections import deque
from typing import Protocol

from companion.playground.events import Dispatch
from companion.playground.vocabulary import Intent
from companion.playground.wire import encode

_KEPT_EVENTS = 2000


class Wire(Protocol):
    """A connection, as a session needs it."""

    def send(self, frame: bytes) -> None:
        """Send a frame, in order, without waiting."""
        ...


class GatewaySession:
    """The events of one shard of one app process."""

    def __init__(self, shard: tuple[int, int], intents: Intent) -> None:
        self.id = secrets.token_hex(16)
        self.shard = shard
        self.intents = intents
        self.sequence = 0
        self.wire: Wire | None = None
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=_KEPT_EVENTS)

    def wants(self, event: Dispatch) -> bool:
        """Say whether an event is for this shard and was asked for."""
        if event.intent and not event.intent & self.intents:
            return False
        return self.covers(event.guild_id)

    def covers(self, guild_id: int | None) -> bool:
        """Say whether a server (or, for `None`, the DMs) belongs to this shard."""
        number, count = self.shard
        return number == (0 if guild_id is None else (guild_id >> 22) % count)

    def dispatch(self, event: Dispatch) -> None:
        """Number, keep and send an event."""
        data = event.data
        if event.without_content is not None and Intent.MESSAGE_CONTENT not in self.intents:
            data = event.without_content
        self.sequence += 1
        frame = b'{"op":0,"s":%d,"t":"%s","d":%s}' % (
            self.sequence,
            event.name.encode(),
            encode(data),
        )
        self._kept.append((self.sequence, frame))
        if self.wire is not None:
            self.wire.send(frame)

    def missed_since(self, sequence: int) -> list[bytes] | None:
        """Return the frames after that number; `None` when some are no longer kept."""
        if sequence > self.sequence:
            return None
        missed = [frame for number, frame in self._kept if number > sequence]
        return missed if len(missed) == self.sequence - sequence else None
