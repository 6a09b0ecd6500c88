"""Migrations, from the installed package or a checkout.

A migration runs in one transaction: one that fails leaves the database as it was.
Processes that migrate at once wait for each other.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import URL, Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from companion.db import urls
from companion.db.engine import WRITING, create_private_file, postgres_engine, sqlite_engine
from companion.db.failures import translated
from companion.db.migration_files import head
from companion.domain.errors import StorageUnavailable

if TYPE_CHECKING:
    from companion.db.alembic_run import Direction

__all__ = ["check", "current", "downgrade", "head", "migrating", "upgrade", "upgrade_apart"]

WAITS_S: Final = 60.0
"""How long SQLite waits for the migration of another process."""
LOCK: Final = 0x636F6D70616E696F
"""The advisory lock that migrating processes share on PostgreSQL."""

_UPGRADE: Final = """
import asyncio, sys
from companion.db import migrations
asyncio.run(migrations.upgrade(sys.argv[1]))
"""


async def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database to a revision.

    Raises `StorageUnavailable`, or `ConfigurationError` on a revision we do not have.
    """
    await _move(url, "upgrade", revision)


async def upgrade_apart(url: str) -> None:
    """Bring an SQLite file to `head` in a process of its own.

    Alembic takes 10 MB that a process which goes on running would keep. Where that fails
    it is done here, for the sake of the error. Raises as `upgrade`.
    """
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _UPGRADE, url),
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=DEVNULL,
    )
    if await child.wait() != 0:
        await upgrade(url)


async def downgrade(url: str, revision: str) -> None:
    """Take the database back to a revision; `base` drops every table. Raises as `upgrade`."""
    await _move(url, "downgrade", revision)


async def current(url: str) -> str | None:
    """Return the database's revision, or `None` when it was never migrated."""
    parsed = urls.parse(url)
    if urls.is_sqlite(parsed) and not _exists(parsed):
        return None  # looking must not create the file
    async with migrating(url) as connection:
        return await connection.run_sync(_current)


async def check(url: str) -> bool:
    """Return whether migrations are pending."""
    return await current(url) != head()


@asynccontextmanager
async def migrating(url: str) -> AsyncGenerator[AsyncConnection]:
    """Open a connection, in a transaction that no other migration shares."""
    parsed = urls.parse(url)
    engine = _engine(parsed)
    try:
        with translated():
            async with engine.begin() as connection:
                await _lock(connection, on_sqlite=urls.is_sqlite(parsed))
                yield connection
                if urls.is_sqlite(parsed):
                    await _check_references(connection)
    finally:
        await engine.dispose()


async def _move(url: str, direction: Direction, revision: str) -> None:
    from companion.db.alembic_run import move  # noqa: PLC0415 - loads Alembic

    async with migrating(url) as connection:
        await connection.run_sync(move, direction, revision)


def _engine(url: URL) -> AsyncEngine:
    if not urls.is_sqlite(url):
        return postgres_engine(url)
    create_private_file(_path(url))
    # foreign keys stay off: remaking a table would delete the rows that point to it
    return sqlite_engine(url, WRITING, busy_timeout_s=WAITS_S, log_ahead=True)


async def _lock(connection: AsyncConnection, *, on_sqlite: bool) -> None:
    if on_sqlite:  # the first statement, whatever it is, begins and so locks the file
        await connection.execute(text("SELECT 1"))
    else:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


async def _check_references(connection: AsyncConnection) -> None:
    broken = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).first()
    if broken is not None:
        raise StorageUnavailable(reason="constraint")


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.scalar(text("SELECT version_num FROM alembic_version"))


def _path(url: URL) -> Path:
    assert url.database is not None
    return Path(url.database)


def _exists(url: URL) -> bool:
    return _path(url).exists()
