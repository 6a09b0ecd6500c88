from __future__ import annotations

from collections.abc import Iterator

import pytest

from companion.clock import SystemClock
from companion.ports.clock import Clock
from tests.support.redis_process import RedisProcess, redis_process


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisProcess]:
    """A server that stays as it is; tests that disturb one start their own."""
    with redis_process() as server:
        yield server


@pytest.fixture
def system_clock() -> Clock:
    return SystemClock()
