"""aiosqlite, with one visit to the connection's thread per statement instead of four.

SQLAlchemy asks an async driver for a cursor, an execution, the rows and the closing
one by one. Each question is a hand-over between threads and two turns of the event
loop, which together cost more than the statement. This cursor does it all at once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final, cast

import aiosqlite
from aiosqlite import core

CHUNK: Final = 64
Visit = Callable[..., Awaitable[Any]]
"""Runs a function in the connection's thread."""
Questions = SimpleQueue[tuple[Any, Callable[[], Any]]]
"""What the thread is asked to run, each with the future that takes the answer."""


class OneVisitCursor:
    """A cursor that holds all rows of its last statement."""

    arraysize = 1

    def __init__(self, visit: Visit, connection: sqlite3.Connection) -> None:
        self._visit = visit
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> OneVisitCursor:
        return self

    async def execute(self, statement: str, values: Sequence[Any] = ()) -> OneVisitCursor:
        """Run a statement and fetch everything it returns."""
        await self._visit(self._run, sqlite3.Cursor.execute, statement, values)
        return self

    async def executemany(self, statement: str, values: Iterable[Sequence[Any]]) -> OneVisitCursor:
        """Run a statement once for each set of values."""
        await self._visit(self._run, sqlite3.Cursor.executemany, statement, values)
        return self

    async def fetchall(self) -> list[Any]:
        """Hand the rows over."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Do nothing: the real cursor is closed already."""

    def _run(self, execute: Callable[..., Any], statement: str, values: Any) -> None:
        cursor = self._connection.cursor()
        try:
            execute(cursor, statement, values)
            self.description, self.rowcount = cursor.description, cursor.rowcount
            self.lastrowid = cursor.lastrowid
            self._rows = cursor.fetchall() if cursor.description else []
        finally:
            cursor.close()


class OneVisitConnection(aiosqlite.Connection):
    """A connection with such cursors, which also skips a rollback of nothing."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, CHUNK)
        # a daemon: a process that is told to stop does not wait for it
        asked = cast("Questions", self._tx)  # pyright: ignore[reportUnknownMemberType]  # untyped
        self._thread = self.worker = Thread(target=serve, args=(asked,), daemon=True)

    def cursor(self) -> OneVisitCursor:  # type: ignore[override]  # SQLAlchemy needs no more
        """Make a cursor, without a visit."""
        visit = cast("Visit", self._execute)  # pyright: ignore[reportUnknownMemberType]  # untyped
        return OneVisitCursor(visit, self._conn)

    async def rollback(self) -> None:
        """Roll back when there is a transaction; the pool asks each time it gets one back."""
        if self.in_transaction:
            await super().rollback()


def serve(asked: Questions) -> None:
    """Do what a connection is asked to, also when nobody waits for the answer any more.

    A loop closes while a statement that was given up still runs, or before it hears that
    a connection which failed to open has stopped. What was asked by then is still done.
    """
    try:
        # not public and untyped: that is why the version is held
        core._connection_worker_thread(asked)  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]
    except RuntimeError:  # the loop is closed
        while not asked.empty():
            _, work = asked.get()
            with suppress(sqlite3.Error):
                work()


def connector(path: str, busy_timeout_s: float) -> Callable[[], OneVisitConnection]:
    """Return what opens a connection to a file that exists; nothing begins by itself."""
    connect = partial(
        sqlite3.connect,
        f"{Path(path).absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=busy_timeout_s,
        isolation_level=None,  # the driver must not begin by itself, late and deferred
        check_same_thread=False,
    )
    return lambda: OneVisitConnection(connect)
