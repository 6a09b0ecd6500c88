from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from companion.db.keyring import KeyRing
from companion.db.uow import SqlStore, open_store
from companion.ports.store import Store
from tests.db.postgres import PostgresServer, postgres_server
from tests.fakes.store import FakeStore


class HandClock:
    """A wall clock that a test moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, **parts: float) -> None:
        self.time += timedelta(**parts)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture
def sqlite_url(database: Path) -> str:
    return f"sqlite:///{database}"


@pytest.fixture
async def postgres_url(postgres: PostgresServer) -> str:
    return await postgres.empty("companion")


@pytest.fixture(
    params=["sqlite_url", pytest.param("postgres_url", marks=pytest.mark.postgres)],
    ids=["sqlite", "postgres"],
)
def url(request: pytest.FixtureRequest) -> str:
    """An empty migrated database, of each kind."""
    found: object = request.getfixturevalue(request.param)
    assert isinstance(found, str)
    return found


@pytest.fixture(
    params=["sqlite_url", pytest.param("postgres_url", marks=pytest.mark.postgres), None],
    ids=["sqlite", "postgres", "fake"],
)
def url_or_none(request: pytest.FixtureRequest) -> str | None:
    return request.param and request.getfixturevalue(request.param)


@pytest.fixture
async def any_store(
    url_or_none: str | None, ring: KeyRing, clock: HandClock
) -> AsyncIterator[Store]:
    """Every store there is, the fake of other tests among them."""
    if url_or_none is None:
        yield FakeStore(clock.now)
    else:
        async with open_store(url_or_none, ring, now=clock.now) as sql:
            yield sql


@pytest.fixture
async def store(url: str, ring: KeyRing, clock: HandClock) -> AsyncIterator[SqlStore]:
    async with open_store(url, ring, now=clock.now) as opened:
        yield opened
