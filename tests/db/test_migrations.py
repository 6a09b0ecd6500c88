"""Migrations and models agree, in both databases, up and down."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from companion.db import migrations
from companion.db.migration_files import folder
from companion.db.rows import Row
from companion.domain.errors import ConfigurationError, StorageUnavailable
from tests.db.postgres import PostgresServer

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """A database that was never migrated."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        yield await server.new_database()


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, Row.metadata))


async def test_the_migrated_database_is_what_the_models_say(empty_url: str) -> None:
    await migrations.upgrade(empty_url)
    async with migrations.migrating(empty_url) as connection:
        assert await connection.run_sync(differences) == []
        assert await connection.run_sync(unnamed_constraints) == []


def unnamed_constraints(connection: Connection) -> list[str]:
    seen = inspect(connection)
    return [
        f"{table}: {found}"
        for table in Row.metadata.tables
        for found in (
            *seen.get_foreign_keys(table),
            *seen.get_unique_constraints(table),
            *seen.get_check_constraints(table),
            seen.get_pk_constraint(table),
        )
        if not str(found["name"]).startswith(("fk_", "uq_", "ck_", "pk_"))
    ]


async def test_down_to_base_and_up_again(empty_url: str) -> None:
    await migrations.upgrade(empty_url)
    await migrations.downgrade(empty_url, "base")
    async with migrations.migrating(empty_url) as connection:
        assert await connection.run_sync(tables) == {"alembic_version"}
    assert await migrations.current(empty_url) is None
    await migrations.upgrade(empty_url)
    assert await migrations.current(empty_url) == migrations.head()


async def test_pending_is_said_until_it_is_done(empty_url: str) -> None:
    assert await migrations.current(empty_url) is None
    assert await migrations.check(empty_url)
    await migrations.upgrade(empty_url)
    assert not await migrations.check(empty_url)
    await migrations.upgrade(empty_url)


async def test_processes_that_migrate_at_once_do_it_once(empty_url: str) -> None:
    await asyncio.gather(*(migrations.upgrade(empty_url) for _ in range(4)))
    assert await migrations.current(empty_url) == migrations.head()


async def test_a_revision_of_another_version_is_a_configuration_error(empty_url: str) -> None:
    await migrations.upgrade(empty_url)
    with pytest.raises(ConfigurationError):
        await migrations.upgrade(empty_url, "9999")
    assert await migrations.current(empty_url) == migrations.head()


async def test_a_migration_that_fails_leaves_the_database_as_it_was(empty_url: str) -> None:
    async with migrations.migrating(empty_url) as connection:
        await connection.exec_driver_sql("CREATE TABLE turns (id INTEGER)")  # in the way
    with pytest.raises(StorageUnavailable):
        await migrations.upgrade(empty_url)
    async with migrations.migrating(empty_url) as connection:
        assert await connection.run_sync(tables) == {"turns"}


async def test_looking_creates_no_file(tmp_path: Path) -> None:
    assert await migrations.check(f"sqlite:///{tmp_path}/new.db")
    assert list(tmp_path.iterdir()) == []


def test_the_newest_file_is_alembics_head() -> None:
    scripts = ScriptDirectory(str(folder()))
    assert scripts.get_heads() == [migrations.head()]


def test_developers_can_run_alembic_itself(tmp_path: Path) -> None:
    path = tmp_path / "developer.db"
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{path}"}
    for command in (["upgrade", "head"], ["check"]):
        subprocess.run(
            [sys.executable, "-m", "alembic", *command],
            cwd=ROOT,
            env=environment,
            check=True,
            capture_output=True,
        )
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [
            (migrations.head(),)
        ]
    finally:
        connection.close()


def test_opening_a_store_and_checking_for_migrations_loads_no_alembic(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "import companion.db.uow, companion.db.rotation\n"
        "from companion.db import migrations\n"
        f"asyncio.run(migrations.check('sqlite:///{tmp_path}/x.db'))\n"
        "assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


async def test_upgrading_apart_leaves_alembic_out_of_this_process(tmp_path: Path) -> None:
    """What a running process carries for ever is not paid for one second of its start."""
    url = f"sqlite:///{tmp_path}/apart.db"
    program = (
        "import asyncio, sys\n"
        "from companion.db import migrations\n"
        f"asyncio.run(migrations.upgrade_apart({url!r}))\n"
        "assert 'alembic' not in sys.modules\n"
    )
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", program], check=True, timeout=30)
    assert not await migrations.check(url)


async def test_upgrading_apart_says_what_failed(tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(StorageUnavailable):
        await migrations.upgrade_apart(f"sqlite:///{tmp_path}/broken.db")
