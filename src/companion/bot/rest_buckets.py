"""Discord's own limits of each route, as its answers state them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

MOST: Final = 2_000


class Bucket:
    """One route in one place. Its requests go one after another, under `lock`.

    Only so is the count in the last answer true when the next request is sent.
    """

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self._blocked_until = 0.0

    def wait_s(self, now: float) -> float:
        """Return the seconds until Discord takes the next request."""
        return max(0.0, self._blocked_until - now)

    def note(self, headers: Mapping[str, str], now: float) -> None:
        """Learn from an answer."""
        if headers.get("X-RateLimit-Remaining") == "0":
            self.block(_seconds(headers.get("X-RateLimit-Reset-After")), now)

    def block(self, seconds: float, now: float) -> None:
        """Take no request for that long."""
        self._blocked_until = max(self._blocked_until, now + seconds)


class Buckets:
    """All of them; those that say nothing any more are forgotten."""

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}

    def of(self, name: str, now: float) -> Bucket:
        """Return the bucket of that name."""
        bucket = self._buckets.get(name)
        if bucket is None:
            if len(self._buckets) >= MOST:
                self._forget(now)
            bucket = self._buckets[name] = Bucket()
        return bucket

    def _forget(self, now: float) -> None:
        self._buckets = {
            name: bucket
            for name, bucket in self._buckets.items()
            if bucket.lock.locked() or bucket.wait_s(now) > 0
        }


def _seconds(text: str | None) -> float:
    try:
        return float(text or 0.0)
    except ValueError:
        return 0.0
