"""The fake store keeps the contract that the real ones keep: the same tests run on it."""

from __future__ import annotations

import pytest

from companion.domain.errors import StorageUnavailable
from tests.db.conftest import HandClock
from tests.db.test_store_contract import *  # noqa: F403
from tests.db.test_store_contract_accounts import *  # noqa: F403
from tests.db.test_store_contract_conversations import *  # noqa: F403
from tests.fakes import FakeStore


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store(clock: HandClock) -> FakeStore:
    return FakeStore(clock.now)


async def test_a_store_that_is_down_says_so(store: FakeStore) -> None:
    store.down = True
    with pytest.raises(StorageUnavailable):
        await store.ping()
    for opened in (store.read(), store.write()):
        with pytest.raises(StorageUnavailable):
            async with opened:
                pass


async def test_a_commit_that_fails_leaves_nothing(store: FakeStore) -> None:
    store.failing_commits = 1
    before = store.tables
    with pytest.raises(StorageUnavailable):
        async with store.write():
            pass
    assert store.tables is before
