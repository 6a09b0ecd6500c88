"""Token buckets that all processes share through Redis, with a share of its own when it is away.

- Requests that come while a question is under way go together in the next one: however many
  people ask, there is one round trip at a time, and each decision waits for two at most.
- Redis has 50 ms to decide; then this process decides by itself, with its share of each limit:
  the limit divided by the processes that were there last.
- After five failures in ten seconds no request asks any more. One task asks once a second, and
  when Redis takes a write again, it is told what was given out meanwhile before anybody is sent
  there: what was spent stays spent, and nobody gets a second helping.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from math import ceil, floor
from typing import Final

from companion.limits.bucket_size import BucketSize
from companion.limits.memory import MemoryLimiter
from companion.limits.redis_script import Deed, Line, Verdict
from companion.limits.redis_server import RedisAway, RedisServer
from companion.ports.clock import Clock
from companion.ports.limits import Bucket, Level, Limiter, LimitScope, Refusal

FAILURES: Final = 5
WITHIN_S: Final = 10.0
BEAT_EVERY_S: Final = 1.0
AT_ONCE: Final = 200
"""Requests in one question: Redis answers nobody else meanwhile."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    deed: Deed
    lines: tuple[Line, ...]
    answer: asyncio.Future[Verdict]


class RedisLimiter(Limiter):
    """The limiter of many processes. Open it with `open_redis_limiter`."""

    def __init__(
        self, server: RedisServer, sizes: Mapping[LimitScope, BucketSize], clock: Clock
    ) -> None:
        self.degraded = False
        self.processes: int = 1
        self._server = server
        self._sizes = sizes
        self._clock = clock
        self._local = MemoryLimiter(sizes, clock)
        self._failures: deque[float] = deque(maxlen=FAILURES)
        self._questions: deque[_Question] = deque()
        self._asking: asyncio.Task[None] | None = None

    def known_wait_s(self, bucket: Bucket, ahead: int) -> float:
        """Return the seconds until there is a token: Redis knows, and is not asked here."""
        return self._local.known_wait_s(bucket, ahead) if self.degraded else 0.0

    async def take(self, buckets: Sequence[Bucket]) -> Refusal | None:
        """Take one token from each bucket, or from none and say which one refuses."""
        try:
            verdict = await self._verdict(Deed.TAKE, [self._line(bucket) for bucket in buckets])
        except RedisAway:
            return await self._local.take(buckets)
        wait_s = max(verdict.waits_s)
        refusing = buckets[verdict.waits_s.index(wait_s)]
        return Refusal(bucket=refusing, retry_after_s=wait_s) if wait_s else None

    async def peek(self, bucket: Bucket) -> Level | None:
        """Return how full a bucket is, taking nothing."""
        try:
            verdict = await self._verdict(Deed.LOOK, [self._line(bucket)])
        except RedisAway:
            return await self._local.peek(bucket)
        size, full_in_s = self._sizes[bucket.scope], verdict.full_in_s[0]
        missing = full_in_s * size.capacity / size.period_s
        remaining = max(0, floor(size.capacity - missing + 1e-6))
        return Level(limit=size.capacity, remaining=remaining, reset_s=ceil(full_in_s))

    async def watch(self) -> None:
        """Count the processes and look whether Redis is there, once a second until cancelled."""
        while True:
            await self._clock.sleep(BEAT_EVERY_S)
            await self.beat()

    async def beat(self) -> None:
        """Say that this process lives, hand in what was given out without Redis, and come back."""
        try:
            processes = await self._server.beat()
            await self._hand_in()
        except RedisAway as away:
            self._failed(away)
            return
        self._share_with(processes)
        if self.degraded:
            self.degraded = False
            self._failures.clear()
            _log.warning("limits_shared_again", extra={"processes": self.processes})

    async def close(self) -> None:
        """Leave the others."""
        if self._asking is not None:
            self._asking.cancel()
        with suppress(RedisAway):
            await self._server.leave()
        await self._server.close()

    def _line(self, bucket: Bucket, tokens: int = 1) -> Line:
        key = f"{bucket.scope.value}:{bucket.id}"
        return Line(key=key, size=self._sizes[bucket.scope], tokens=tokens)

    async def _verdict(self, deed: Deed, lines: Sequence[Line]) -> Verdict:
        if self.degraded:
            raise RedisAway("degraded")
        answer: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._questions.append(_Question(deed=deed, lines=tuple(lines), answer=answer))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_all(), name="asking redis")
        return await answer

    async def _ask_all(self) -> None:
        while self._questions:
            count = min(AT_ONCE, len(self._questions))
            await self._ask([self._questions.popleft() for _ in range(count)])

    async def _ask(self, questions: Sequence[_Question]) -> None:
        try:
            if self.degraded:
                raise RedisAway("degraded")
            verdicts = await self._server.judge([(q.deed, q.lines) for q in questions])
        except RedisAway as away:
            self._failed(away)
            for question in questions:
                if not question.answer.done():
                    question.answer.set_exception(RedisAway(away.reason))
            return
        for question, verdict in zip(questions, verdicts, strict=True):
            if not question.answer.done():  # whoever asked may have left
                question.answer.set_result(verdict)

    def _failed(self, away: RedisAway) -> None:
        now = self._clock.monotonic()
        self._failures.append(now)
        often = len(self._failures) == FAILURES and now - self._failures[0] <= WITHIN_S
        if often and not self.degraded:
            self.degraded = True
            _log.warning(
                "limits_are_local", extra={"reason": away.reason, "share_of": self.processes}
            )

    def _share_with(self, processes: int) -> None:
        if processes != self.processes:
            self.processes = processes
            shares = {scope: size.share(processes) for scope, size in self._sizes.items()}
            self._local = MemoryLimiter(shares, self._clock)

    async def _hand_in(self) -> None:
        """Tell Redis what was given out without it. What comes meanwhile goes after it."""
        while tally := self._local.take_tally():
            for start in range(0, len(tally), AT_ONCE):
                lines = [self._line(*owed) for owed in tally[start : start + AT_ONCE]]
                await self._server.judge([(Deed.OWE, lines)])


@asynccontextmanager
async def open_redis_limiter(
    url: str, sizes: Mapping[LimitScope, BucketSize], clock: Clock
) -> AsyncGenerator[RedisLimiter]:
    """Open the shared buckets; Redis need not be there yet."""
    limiter = RedisLimiter(RedisServer(url), sizes, clock)
    await limiter.beat()
    watching = asyncio.create_task(limiter.watch(), name="watching redis")
    try:
        yield limiter
    finally:
        watching.cancel()
        await limiter.close()
