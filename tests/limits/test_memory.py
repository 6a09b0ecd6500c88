"""Token buckets. The event loop's clock is put in the test's hand: aiolimiter reads that one."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.limits.memory import BucketSize, MemoryLimiter
from companion.ports.limits import Bucket, LimitScope
from tests.fakes import FakeClock

SIZES = {
    LimitScope.USER: BucketSize(capacity=3, period_s=60.0),
    LimitScope.GUILD: BucketSize(capacity=5, period_s=60.0),
    LimitScope.KEY: BucketSize(capacity=100, period_s=10.0),
}
USER = Bucket(scope=LimitScope.USER, id="1")
OTHER = Bucket(scope=LimitScope.USER, id="2")
SERVER = Bucket(scope=LimitScope.GUILD, id="9")


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    fake = FakeClock()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", fake.monotonic)
    return fake


@pytest.fixture
async def limiter(clock: FakeClock) -> MemoryLimiter:
    return MemoryLimiter(SIZES, clock)


async def test_a_bucket_gives_its_capacity_and_then_refuses(limiter: MemoryLimiter) -> None:
    for _ in range(3):
        assert await limiter.take([USER]) is None
    refusal = await limiter.take([USER])
    assert refusal is not None
    assert refusal.bucket == USER


async def test_the_wait_is_exact(limiter: MemoryLimiter, clock: FakeClock) -> None:
    for _ in range(3):
        await limiter.take([USER])
    clock.advance(5.0)
    refusal = await limiter.take([USER])
    assert refusal is not None
    assert refusal.retry_after_s == pytest.approx(15.0, abs=1e-5)
    clock.advance(refusal.retry_after_s - 0.001)
    assert await limiter.take([USER]) is not None
    clock.advance(0.002)
    assert await limiter.take([USER]) is None


async def test_the_wait_behind_others_is_exact(limiter: MemoryLimiter) -> None:
    waits_s = [limiter.known_wait_s(USER, ahead) for ahead in (2, 3, 4)]
    assert waits_s == [0.0, pytest.approx(20.0), pytest.approx(40.0)]
    await limiter.take([USER])
    waits_s = [limiter.known_wait_s(USER, ahead) for ahead in (1, 2)]
    assert waits_s == [0.0, pytest.approx(20.0)]


async def test_buckets_are_apart(limiter: MemoryLimiter) -> None:
    for _ in range(3):
        await limiter.take([USER])
    assert await limiter.take([OTHER]) is None
    assert await limiter.take([Bucket(scope=LimitScope.GUILD, id=USER.id)]) is None


async def test_when_one_refuses_none_is_charged(limiter: MemoryLimiter) -> None:
    for _ in range(3):
        await limiter.take([USER])
    for _ in range(10):
        refusal = await limiter.take([SERVER, USER])
        assert refusal is not None
        assert refusal.bucket == USER
    for _ in range(5):
        assert await limiter.take([SERVER]) is None


async def test_the_longest_wait_is_told(limiter: MemoryLimiter, clock: FakeClock) -> None:
    for number in range(5):
        await limiter.take([SERVER])
        if number < 3:
            await limiter.take([USER])
    refusal = await limiter.take([SERVER, USER])
    assert refusal is not None
    assert (refusal.bucket, refusal.retry_after_s) == (USER, pytest.approx(20.0, abs=1e-5))


async def test_parallel_requests_share_what_there_is(limiter: MemoryLimiter) -> None:
    taken = await asyncio.gather(*(limiter.take([SERVER, USER]) for _ in range(50)))
    assert sum(refusal is None for refusal in taken) == 3


async def test_buckets_that_are_full_again_are_dropped(
    limiter: MemoryLimiter, clock: FakeClock
) -> None:
    for number in range(1000):
        await limiter.take([Bucket(scope=LimitScope.USER, id=str(number))])
    clock.advance(59.0)
    await limiter.take([USER, SERVER])
    assert len(limiter) == 1001
    clock.advance(1.0)
    await limiter.take([SERVER])
    assert len(limiter) == 2
    assert await limiter.take([USER]) is None


async def test_buckets_that_only_refuse_take_no_memory(limiter: MemoryLimiter) -> None:
    for _ in range(3):
        await limiter.take([USER])
    for number in range(100):
        await limiter.take([USER, Bucket(scope=LimitScope.GUILD, id=str(number))])
    assert len(limiter) == 1


@given(pauses=st.lists(st.floats(min_value=0, max_value=30), min_size=1, max_size=60))
async def test_no_more_than_capacity_and_refill_is_ever_given(pauses: list[float]) -> None:
    clock = FakeClock()
    loop = asyncio.get_running_loop()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "time", clock.monotonic)
        limiter = MemoryLimiter(SIZES, clock)
        given_out, passed = 0, 0.0
        for pause in pauses:
            clock.advance(pause)
            passed += pause
            given_out += await limiter.take([USER]) is None
            assert given_out <= 3 + passed * 3 / 60 + 1e-6
