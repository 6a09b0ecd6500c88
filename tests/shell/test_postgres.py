"""What is different on PostgreSQL: the operator migrates, and gives the keys."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from companion.db import migrations
from companion.domain.errors import ConfigurationError
from companion.settings import load
from companion.shell import doctor, keys
from companion.shell.checkup import DATABASE, State
from companion.storage import opened_store
from tests.db.postgres import PostgresServer, postgres_server

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server() -> Generator[PostgresServer]:
    with postgres_server() as server:
        yield server


async def test_unmigrated_database_is_refused_with_the_command_to_run(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await server.new_database()
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("COMPANION_KEYRING", keys.new())
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    with pytest.raises(ConfigurationError) as caught:
        async with opened_store(load()):
            pass
    assert "companion db upgrade" in caught.value.fix
    assert await migrations.current(url) is None
    rows = {row.check: row for row in await doctor.examined(load())}
    assert rows[DATABASE].state is State.FAILED
    assert "companion db upgrade" in rows[DATABASE].fix

    await migrations.upgrade(url)
    async with opened_store(load()) as store:
        await store.ping()
    rows = {row.check: row for row in await doctor.examined(load())}
    assert rows[DATABASE].state is State.OK
