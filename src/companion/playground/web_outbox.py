"""What waits to be sent to one page.

A browser in the background reads slowly while answers stream. Only the newest state of
a message is worth sending, and a page that fell far behind is given a fresh picture.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from companion.playground.wire import JsonObject

MOST_WAITING = 1000


class Outbox:
    """Numbered events and answers, in order; an event replaces an older one of its key."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, JsonObject] = OrderedDict()
        self._something = asyncio.Event()
        self._unkeyed = 0
        self._sent = 0

    @property
    def is_full(self) -> bool:
        """Say whether the page fell too far behind."""
        return len(self._waiting) >= MOST_WAITING

    def event(self, kind: str, data: object, *, key: str | None = None) -> None:
        """Queue an event."""
        self._put(key, {"type": kind, "data": data})

    def answer(self, request: int, data: object = None, *, error: str | None = None) -> None:
        """Queue the answer to a request."""
        self._put(None, {"re": request, "data": data, "error": error})

    def forget(self, key: str) -> None:
        """Take back an event that is not sent yet."""
        self._waiting.pop(key, None)

    def start_over(self) -> None:
        """Drop all waiting events; answers stay."""
        kept = {key: message for key, message in self._waiting.items() if "re" in message}
        self._waiting = OrderedDict(kept)

    async def next(self) -> JsonObject:
        """Return the next message once there is one; events get their number here."""
        while not self._waiting:
            self._something.clear()
            await self._something.wait()
        _, message = self._waiting.popitem(last=False)
        if "re" in message:
            return message
        self._sent += 1
        return {"seq": self._sent, **message}

    def _put(self, key: str | None, message: JsonObject) -> None:
        if key is None:
            self._unkeyed += 1
            key = f"#{self._unkeyed}"
        self._waiting[key] = message
        # behind an answer with older state, or the newer one would be overwritten
        self._waiting.move_to_end(key)
        self._something.set()
