"""Engines: one for reading, one for writing.

SQLite: a transaction that begins by reading and then writes fails at once when
another one wrote meanwhile, busy timeout or not. So writers begin with `BEGIN
IMMEDIATE`, on a single connection whose queue is in this process (fair, and no
polling of the file); readers have their own connections and a snapshot.
PostgreSQL: one pool; readers get a read-only snapshot.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, cast
from uuid import uuid4

from sqlalchemy import URL, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

from companion.db import urls
from companion.db.failures import translated
from companion.db.kept_connections import SQLITE_QUEUE_S, KeptConnections
from companion.db.sqlite_driver import READING, OneVisitConnection, connector
from companion.db.statements import Statements, short_transaction, transaction
from companion.domain.errors import ConfigurationError, StorageUnavailable

BUSY_TIMEOUT_S: Final = 5
"""How long SQLite waits for another process's write."""
SQLITE_READERS: Final = 3
FULL: Final = "FULL"
NORMAL: Final = "NORMAL"
"""What a commit waits for."""
WRITING: Final = "BEGIN IMMEDIATE"
POSTGRES_POOL: Final = 5
POSTGRES_OVERFLOW: Final = 5
POSTGRES_WORKING: Final = POSTGRES_POOL + POSTGRES_OVERFLOW - 1
"""Transactions at once; one connection is left for the question whether the database is there."""
POSTGRES_POOL_WAIT_S: Final = 2.0
POSTGRES_CONNECT_S: Final = 3.0
POSTGRES_STATEMENT_S: Final = 5.0
"""A server that hangs is noticed after this, and two seconds more for a polite goodbye."""
POSTGRES_RECYCLE_S: Final = 1800
POSTGRES_IDLE_S: Final = 10.0
"""Who has not used a connection for so long asks whether it still leads anywhere.

Asking takes three trips (BEGIN, a statement, ROLLBACK), as many as a short transaction has
in all. A server that ends closes its connections, which the driver sees by itself;
only what lies between (a firewall, a pooler) forgets a connection without a word, and late.
"""
GIVING_BACK_S: Final = 1.0
"""How long the end waits for whoever was told to stop and still holds a connection."""


_USED_AT: Final = "companion_used_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """Where reads and where writes go; on PostgreSQL both share one pool."""

    reader: AsyncEngine
    writer: AsyncEngine
    readers: KeptConnections | None = None
    writers: KeptConnections | None = None

    def reading(self) -> AbstractAsyncContextManager[Statements]:
        """Open a transaction that reads."""
        if self.readers is None:
            return transaction(self.reader)
        return short_transaction(self.readers, READING)

    def writing(self, *, durable: bool = True) -> AbstractAsyncContextManager[Statements]:
        """Open a transaction that writes.

        Without `durable` it outlives the process, but on SQLite not a loss of power,
        unless another write was committed since.
        """
        if self.writers is None:
            return transaction(self.writer)
        return short_transaction(self.writers, WRITING, FULL if durable else NORMAL)


@asynccontextmanager
async def open_engines(url: str) -> AsyncGenerator[Engines]:
    """Open the engines of a database; connections are made when first used.

    At the end the write-ahead log of SQLite goes into the file. Raises
    `ConfigurationError` on a URL we cannot use or without its driver, and
    `StorageUnavailable` when there is no such file.
    """
    parsed = urls.parse(url)
    engines = _sqlite_engines(parsed) if urls.is_sqlite(parsed) else _postgres_engines(parsed)
    try:
        yield engines
    finally:
        for kept in filter(None, (engines.readers, engines.writers)):
            await kept.close(GIVING_BACK_S)
        await _given_back(engines)
        await engines.reader.dispose()
        if urls.is_sqlite(parsed):
            await _checkpoint(engines.writer)
        await engines.writer.dispose()


def create_private_file(path: Path) -> None:
    """Create the database file readable by its owner only; SQLite's side files inherit that.

    Only a migration does: a file that is lost later is not replaced by an empty one.
    """
    with translated(), suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def sqlite_engine(
    url: URL,
    begin: str,
    pragmas: str = "",
    *,
    pool_size: int = 1,
    busy_timeout_s: float = BUSY_TIMEOUT_S,
    log_ahead: bool = False,
) -> AsyncEngine:
    """Make an SQLite engine whose transactions begin with that statement."""
    engine = create_async_engine(
        url,
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=SQLITE_QUEUE_S,
        async_creator=connector(str(url.database), busy_timeout_s, log_ahead=log_ahead),
    )

    def on_connect(connection: _Driver, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in filter(None, map(str.strip, pragmas.split(";"))):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def on_begin(connection: Connection) -> None:
        driver = cast("OneVisitConnection", connection.connection.driver_connection)
        driver.begin(begin)

    event.listen(engine.sync_engine, "connect", on_connect)
    event.listen(engine.sync_engine, "begin", on_begin)
    return engine


def postgres_engine(url: URL) -> AsyncEngine:
    """Make a PostgreSQL engine with a small bounded pool."""
    arguments: dict[str, Any] = {
        "timeout": POSTGRES_CONNECT_S,
        "command_timeout": POSTGRES_STATEMENT_S,
        "server_settings": {"application_name": "companion"},
    }
    if url.query.get(urls.STATEMENT_CACHE) == "0":
        arguments["statement_cache_size"] = 0
        # a pooler hands the server connection on: a name must not be met twice
        arguments["prepared_statement_name_func"] = lambda: f"companion_{uuid4().hex}"
    try:
        engine = create_async_engine(
            url,
            hide_parameters=True,
            pool_size=POSTGRES_POOL,
            max_overflow=POSTGRES_OVERFLOW,
            pool_timeout=POSTGRES_POOL_WAIT_S,
            pool_recycle=POSTGRES_RECYCLE_S,
            connect_args=arguments,
        )
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            variable=urls.VARIABLE,
            problem="names a PostgreSQL server, whose driver is not installed",
            fix="install companion[postgres]",
        ) from error
    _leave_lost_connections(engine.sync_engine)
    return engine


def _leave_lost_connections(engine: Engine) -> None:
    """Let nobody have a connection that was lost; all are made anew then."""

    def on_checkin(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info[_USED_AT] = time.monotonic()

    def on_checkout(
        connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection
    ) -> None:
        if cast("_PostgresDriver", record.driver_connection).is_closed():
            raise InvalidatePoolError
        used_at: float | None = record.info.get(_USED_AT)
        if used_at is None or time.monotonic() - used_at < POSTGRES_IDLE_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as lost:
            raise InvalidatePoolError from lost

    event.listen(engine, "checkin", on_checkin)
    event.listen(engine, "checkout", on_checkout)


class _Cursor(Protocol):
    def execute(self, statement: str) -> object: ...
    def close(self) -> None: ...


class _Driver(Protocol):
    """As much of a driver's connection as a connect event needs."""

    def cursor(self) -> _Cursor: ...


class _PostgresDriver(Protocol):
    """As much of asyncpg's connection as a checkout needs."""

    def is_closed(self) -> bool: ...


def _sqlite_engines(url: URL) -> Engines:
    path = Path(str(url.database))
    if not path.exists():
        raise StorageUnavailable(reason="not_migrated" if path.parent.is_dir() else "unreachable")
    shared = "foreign_keys=ON; synchronous=FULL; secure_delete=FAST"
    writer = sqlite_engine(url, WRITING, shared, log_ahead=True)
    reader = sqlite_engine(url, READING, f"{shared}; query_only=ON", pool_size=SQLITE_READERS)
    return Engines(
        reader=reader,
        writer=writer,
        readers=KeptConnections(reader, SQLITE_READERS),
        writers=KeptConnections(writer, 1),
    )


def _postgres_engines(url: URL) -> Engines:
    writer = postgres_engine(url)
    reader = writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Engines(reader=reader, writer=writer)


async def _given_back(engines: Engines) -> None:
    """Wait for connections on their way back: a pool closes what lies in it, and only that."""
    pools = {cast("QueuePool", engine.pool) for engine in (engines.reader, engines.writer)}
    with suppress(TimeoutError):
        async with asyncio.timeout(GIVING_BACK_S):
            while any(pool.checkedout() for pool in pools):  # noqa: ASYNC110 — it tells nobody
                await asyncio.sleep(GIVING_BACK_S / 100)


async def _checkpoint(writer: AsyncEngine) -> None:
    """Move the write-ahead log into the file. Failing loses nothing: the log stays."""
    with suppress(StorageUnavailable), translated():
        async with writer.connect() as connection:
            # straight to the driver, because a checkpoint runs outside of any transaction
            raw = await connection.get_raw_connection()
            await cast("OneVisitConnection", raw.driver_connection).checkpoint()
