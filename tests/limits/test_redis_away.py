"""Redis stopped, frozen, emptied, read-only: decisions go on, and it comes back by itself."""

from __future__ import annotations

import asyncio
import signal
import statistics
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from companion.limits.bucket_size import BucketSize
from companion.limits.redis import FAILURES, RedisLimiter, open_redis_limiter
from companion.ports.limits import Bucket, LimitScope
from tests.fakes import FakeClock
from tests.support.redis_process import RedisProcess, redis_process

SIZES = {scope: BucketSize(capacity=8, period_s=600.0) for scope in LimitScope}
WHO = Bucket(scope=LimitScope.USER, id="1")
OTHER = Bucket(scope=LimitScope.USER, id="2")


@pytest.fixture
def server() -> Iterator[RedisProcess]:
    with redis_process() as server:
        yield server


@asynccontextmanager
async def processes(server: RedisProcess, count: int) -> AsyncGenerator[list[RedisLimiter]]:
    """Open the limiters of several processes, which know of each other."""
    async with AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(open_redis_limiter(server.url, SIZES, FakeClock()))
            for _ in range(count)
        ]
        for limiter in opened:
            await limiter.beat()
        yield opened


async def degrade(limiter: RedisLimiter) -> None:
    for _ in range(FAILURES):
        await limiter.beat()
    assert limiter.degraded


async def given(limiter: RedisLimiter, bucket: Bucket) -> int:
    """Take until refused; return how many tokens there were."""
    count = 0
    while await limiter.take([bucket]) is None:
        count += 1
    return count


async def test_frozen_redis_delays_few_decisions_a_little_and_then_none(
    server: RedisProcess,
) -> None:
    async with processes(server, 1) as [limiter]:
        server.send(signal.SIGSTOP)
        took: list[float] = []
        for n in range(FAILURES + 20):
            assert limiter.degraded == (n >= FAILURES)
            began = time.monotonic()
            assert await limiter.take([Bucket(scope=LimitScope.USER, id=str(n))]) is None
            took.append(time.monotonic() - began)
        # a busy machine may hold up one of them
        assert 0.04 < statistics.median(took[:FAILURES]) < 0.25
        assert statistics.median(took[FAILURES:]) < 0.04
        server.send(signal.SIGCONT)
        await limiter.beat()
        assert not limiter.degraded


async def test_many_askers_wait_together_for_a_redis_that_hangs(server: RedisProcess) -> None:
    async with processes(server, 1) as [limiter]:
        server.send(signal.SIGSTOP)
        began = time.monotonic()
        await asyncio.gather(*(limiter.take([OTHER]) for _ in range(150)))
        assert time.monotonic() - began < 1.5  # one after the other: 7.5 s
        server.send(signal.SIGCONT)


async def test_without_redis_each_process_gives_its_share(server: RedisProcess) -> None:
    async with processes(server, 2) as both:
        server.stop()
        for limiter in both:
            await degrade(limiter)
        assert [await given(limiter, WHO) for limiter in both] == [4, 4]
        server.start()


async def test_what_was_given_out_without_redis_stays_given_out(server: RedisProcess) -> None:
    async with processes(server, 2) as [one, two]:
        server.stop()
        await degrade(one)
        assert await given(one, WHO) == 4
        server.start()
        await one.beat()
        assert not one.degraded
        assert await given(two, WHO) == 4  # of eight, in an empty Redis
        assert await given(two, OTHER) == 8


async def test_emptied_redis_goes_on(server: RedisProcess) -> None:
    async with processes(server, 1) as [limiter]:
        assert await given(limiter, WHO) == 8
        server.command("FLUSHALL")
        server.command("SCRIPT FLUSH")
        assert await given(limiter, WHO) == 8
        assert not limiter.degraded


async def test_redis_that_takes_no_writes_is_away(server: RedisProcess) -> None:
    async with processes(server, 1) as [limiter]:
        server.command("REPLICAOF 127.0.0.1 1")
        assert await limiter.take([WHO]) is None
        await degrade(limiter)
        server.command("REPLICAOF NO ONE")
        await limiter.beat()
        assert not limiter.degraded
        assert await given(limiter, WHO) == 7


async def test_start_without_redis_finds_it_later(server: RedisProcess) -> None:
    server.stop()
    async with processes(server, 1) as [limiter]:
        assert await limiter.take([WHO]) is None
        await degrade(limiter)
        server.start()
        await limiter.beat()
        assert not limiter.degraded
        assert await given(limiter, WHO) == 7


async def test_who_leaves_while_redis_is_asked_disturbs_nobody(server: RedisProcess) -> None:
    async with processes(server, 1) as [limiter]:
        asking = [asyncio.create_task(limiter.take([WHO])) for _ in range(20)]
        await asyncio.sleep(0)
        for task in asking[::2]:
            task.cancel()
        ended = await asyncio.gather(*asking, return_exceptions=True)
        assert sum(isinstance(end, asyncio.CancelledError) for end in ended) == 10
        assert await limiter.take([OTHER]) is None
        assert not limiter.degraded


async def test_process_that_stopped_is_not_counted(server: RedisProcess) -> None:
    async with processes(server, 1) as [limiter]:
        async with processes(server, 1):
            await limiter.beat()
            assert limiter.processes == 2
        await limiter.beat()
        assert limiter.processes == 1
