"""REDIS_URL as an operator meets it: the doctor's row, and what `/readyz` and `/metrics` say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from companion.clock import SystemClock
from companion.limiting import opened_limits
from companion.settings import load
from companion.shell import doctor_stores
from companion.shell.checkup import REDIS, State
from tests.support.redis_process import RedisProcess, redis_process


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisProcess]:
    with redis_process() as server:
        monkeypatch.setenv("REDIS_URL", server.url)
        yield server


async def redis_row() -> tuple[State, str]:
    rows = {row.check: row for row in await doctor_stores.examine(load())}
    return rows[REDIS].state, rows[REDIS].detail


async def test_doctor_tells_a_primary_from_a_copy(redis: RedisProcess) -> None:
    assert (await redis_row())[0] is State.OK
    redis.command("REPLICAOF 127.0.0.1 1")
    state, detail = await redis_row()
    assert state is State.FAILED
    assert "takes no writes" in detail


async def test_processes_that_share_their_limits_say_so(redis: RedisProcess) -> None:
    settings = load()
    async with opened_limits(settings, SystemClock()) as limits:
        assert limits.part().ok
        assert limits.part().detail == "shared through Redis, processes: 1"
        assert not limits.degraded()


async def test_without_redis_the_limits_are_the_process_s_own() -> None:
    async with opened_limits(load(), SystemClock()) as limits:
        assert limits.part().detail == "kept in this process"
