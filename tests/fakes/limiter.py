from __future__ import annotations

import asyncio
from collections.abc import Sequence

from companion.ports.limits import Bucket, Level, Limiter, LimitScope, Refusal


class FakeLimiter(Limiter):
    """Grants everything, except to the scopes in `empty`; remembers what was taken."""

    def __init__(self) -> None:
        self.taken: list[Bucket] = []
        self.empty: dict[LimitScope, float] = {}
        """Scopes that refuse, and the seconds they say."""
        self.left: dict[LimitScope, int] = {}
        """Tokens that scopes are known to have; it does not fall by what is taken."""

    def known_wait_s(self, bucket: Bucket, ahead: int) -> float:
        return 0.0 if ahead < self.left.get(bucket.scope, ahead + 1) else 5.0

    async def take(self, buckets: Sequence[Bucket]) -> Refusal | None:
        await asyncio.sleep(0)
        refusals = [
            Refusal(bucket=bucket, retry_after_s=self.empty[bucket.scope])
            for bucket in buckets
            if bucket.scope in self.empty
        ]
        if refusals:
            return max(refusals, key=lambda refusal: refusal.retry_after_s)
        self.taken += buckets
        return None

    async def peek(self, bucket: Bucket) -> Level | None:
        remaining = 0 if bucket.scope in self.empty else 20
        return Level(limit=20, remaining=remaining, reset_s=round(self.empty.get(bucket.scope, 0)))
