"""What every limiter does, in one process's memory or shared through a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from uuid import uuid4

import pytest

from companion.limits.bucket_size import BucketSize
from companion.limits.memory import MemoryLimiter
from companion.limits.redis import open_redis_limiter
from companion.ports.clock import Clock
from companion.ports.limits import Bucket, Level, Limiter, LimitScope
from tests.fakes import FakeClock
from tests.support.redis_process import RedisProcess

SIZES = {
    LimitScope.USER: BucketSize(capacity=3, period_s=60.0),
    LimitScope.GUILD: BucketSize(capacity=5, period_s=60.0),
    LimitScope.KEY: BucketSize(capacity=4, period_s=0.2),
}


def user() -> Bucket:
    return Bucket(scope=LimitScope.USER, id=uuid4().hex)


def server() -> Bucket:
    return Bucket(scope=LimitScope.GUILD, id=uuid4().hex)


def quick() -> Bucket:
    return Bucket(scope=LimitScope.KEY, id=uuid4().hex)


@pytest.fixture(params=["memory", "redis"])
async def limiter(
    request: pytest.FixtureRequest, redis: RedisProcess, system_clock: Clock
) -> AsyncGenerator[Limiter]:
    if request.param == "memory":
        yield MemoryLimiter(SIZES, system_clock)
    else:
        async with open_redis_limiter(redis.url, SIZES, FakeClock()) as shared:
            yield shared
            assert not shared.degraded


async def test_a_bucket_gives_its_capacity_and_then_says_how_long(limiter: Limiter) -> None:
    who = user()
    assert [await limiter.take([who]) for _ in range(3)] == [None] * 3
    refusal = await limiter.take([who])
    assert refusal is not None
    assert refusal.bucket == who
    assert refusal.retry_after_s == pytest.approx(20.0, abs=1.0)


async def test_what_is_known_without_asking_is_never_more_than_is_true(limiter: Limiter) -> None:
    who = user()
    assert limiter.known_wait_s(who, 2) == 0
    for _ in range(3):
        await limiter.take([who])
    known_s = limiter.known_wait_s(who, 0)
    refusal = await limiter.take([who])
    assert refusal is not None
    assert known_s <= refusal.retry_after_s + 0.1


async def test_buckets_are_apart(limiter: Limiter) -> None:
    who = user()
    for _ in range(3):
        await limiter.take([who])
    assert await limiter.take([user()]) is None
    assert await limiter.take([Bucket(scope=LimitScope.GUILD, id=who.id)]) is None


async def test_when_one_refuses_none_is_charged(limiter: Limiter) -> None:
    who, where = user(), server()
    for _ in range(3):
        await limiter.take([who])
    for _ in range(10):
        refusal = await limiter.take([where, who])
        assert refusal is not None
        assert refusal.bucket == who
    assert [await limiter.take([where]) for _ in range(5)] == [None] * 5


async def test_the_longest_wait_is_told(limiter: Limiter) -> None:
    who, where = user(), server()
    for _ in range(3):
        await limiter.take([who])
    for _ in range(5):
        await limiter.take([where])
    refusal = await limiter.take([where, who])
    assert refusal is not None
    assert refusal.bucket == who


async def test_parallel_requests_share_what_there_is(limiter: Limiter) -> None:
    who, where = user(), server()
    taken = await asyncio.gather(*(limiter.take([where, who]) for _ in range(500)))
    assert sum(refusal is None for refusal in taken) == 3


async def test_after_the_wait_there_is_a_token_and_no_more(limiter: Limiter) -> None:
    key = quick()
    while (refusal := await limiter.take([key])) is None:
        pass
    await asyncio.sleep(refusal.retry_after_s + 0.002)
    taken = [await limiter.take([key]) for _ in range(4)]
    assert taken[0] is None
    assert taken[-1] is not None


async def test_looking_takes_nothing(limiter: Limiter) -> None:
    who = user()
    assert await limiter.peek(who) == Level(limit=3, remaining=3, reset_s=0)
    await limiter.take([who])
    seen = [await limiter.peek(who) for _ in range(5)]
    assert seen == [Level(limit=3, remaining=2, reset_s=20)] * 5


async def test_bucket_is_full_again_after_its_period(limiter: Limiter) -> None:
    key = quick()
    for _ in range(4):
        await limiter.take([key])
    await asyncio.sleep(0.21)
    assert await limiter.peek(key) == Level(limit=4, remaining=4, reset_s=0)
