"""Token buckets in this process's memory, on aiolimiter.

aiolimiter waits; we refuse. `has_capacity()` and `acquire()` with nothing awaited in
between do not suspend, so looking at all buckets and then taking from all of them is
one step that no other request comes between.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiolimiter import AsyncLimiter

from companion.limits.bucket_size import BucketSize
from companion.ports.clock import Clock
from companion.ports.limits import Bucket, Level, Limiter, LimitScope, Refusal

__all__ = ["BucketSize", "MemoryLimiter"]

_HALVINGS: Final = 30


@dataclass(slots=True)
class _Bucket:
    limiter: AsyncLimiter
    full_at: float
    taken: int = 0
    """Tokens given out since `take_tally`."""


class MemoryLimiter(Limiter):
    """Buckets that are full again are dropped, so memory follows the last period's use only.

    Use it within one running event loop.
    """

    def __init__(self, sizes: Mapping[LimitScope, BucketSize], clock: Clock) -> None:
        self._sizes = sizes
        self._clock = clock
        self._levels: dict[LimitScope, OrderedDict[str, _Bucket]] = {
            scope: OrderedDict() for scope in sizes
        }

    def __len__(self) -> int:
        """Return how many buckets are in memory."""
        return sum(map(len, self._levels.values()))

    def known_wait_s(self, bucket: Bucket, ahead: int) -> float:
        """Return the seconds until there is a token for one more behind so many others."""
        level, size = self._levels[bucket.scope].get(bucket.id), self._sizes[bucket.scope]
        if level is None and ahead < size.capacity:
            return 0.0
        limiter = self._limiter(bucket)
        return 0.0 if limiter.has_capacity(ahead + 1) else _wait_s(limiter, ahead + 1)

    async def take(self, buckets: Sequence[Bucket]) -> Refusal | None:
        """Take one token from each bucket, or from none and say which one refuses."""
        now = self._clock.monotonic()
        self._drop_full(now)
        limiters = [(bucket, self._limiter(bucket)) for bucket in buckets]
        refusals = [
            Refusal(bucket=bucket, retry_after_s=_wait_s(limiter))
            for bucket, limiter in limiters
            if not limiter.has_capacity()
        ]
        if refusals:
            return max(refusals, key=lambda refusal: refusal.retry_after_s)
        for bucket, limiter in limiters:
            await limiter.acquire()  # has capacity: does not suspend
            self._keep(bucket, limiter, now)
        return None

    async def peek(self, bucket: Bucket) -> Level | None:
        """Return how full a bucket is, taking nothing."""
        size = self._sizes[bucket.scope]
        level = self._levels[bucket.scope].get(bucket.id)
        if level is None:
            return Level(limit=size.capacity, remaining=size.capacity, reset_s=0)
        has = level.limiter.has_capacity
        # the largest number of tokens that is there; aiolimiter only answers yes or no
        left = bisect_left(range(1, size.capacity + 1), 1, key=lambda n: not has(n))
        missing = size.capacity - left
        reset_s = math.ceil(missing * size.period_s / size.capacity)
        return Level(limit=size.capacity, remaining=left, reset_s=reset_s)

    def take_tally(self) -> list[tuple[Bucket, int]]:
        """Return how many tokens were given out since the last time, of buckets not full again."""
        self._drop_full(self._clock.monotonic())
        tally: list[tuple[Bucket, int]] = []
        for scope, levels in self._levels.items():
            for name, level in levels.items():
                if level.taken:
                    tally.append((Bucket(scope=scope, id=name), level.taken))
                    level.taken = 0
        return tally

    def _limiter(self, bucket: Bucket) -> AsyncLimiter:
        level = self._levels[bucket.scope].get(bucket.id)
        if level is not None:
            return level.limiter
        size = self._sizes[bucket.scope]
        return AsyncLimiter(size.capacity, size.period_s)

    def _keep(self, bucket: Bucket, limiter: AsyncLimiter, now: float) -> None:
        levels = self._levels[bucket.scope]
        level = levels.setdefault(bucket.id, _Bucket(limiter, now))
        level.full_at = now + self._sizes[bucket.scope].period_s
        level.taken += 1
        levels.move_to_end(bucket.id)

    def _drop_full(self, now: float) -> None:
        """Drop buckets not used for a whole period; the longest unused come first."""
        for levels in self._levels.values():
            while levels and next(iter(levels.values())).full_at <= now:
                levels.popitem(last=False)


def _wait_s(limiter: AsyncLimiter, tokens: int = 1) -> float:
    """Return the seconds until there are so many tokens.

    aiolimiter keeps its level to itself but answers whether a part of them is
    there, and halving finds the largest part that is.
    """
    there, missing = 0.0, float(tokens)
    for _ in range(_HALVINGS):
        half = (there + missing) / 2
        there, missing = (half, missing) if limiter.has_capacity(half) else (there, half)
    return (tokens - there) * limiter.time_period / limiter.max_rate
