"""aiosqlite, with one visit to the connection's thread per statement instead of four.

SQLAlchemy asks an async driver for a cursor, an execution, the rows and the closing
one by one. Each question is a hand-over between threads and two turns of the event
loop, which together cost more than the statement. This cursor does it all at once, and
a transaction begins within the visit of its first statement.

Even one visit costs more than to touch a few rows by key. So the brief statements (`ask`) are
run where they are asked for, on the event loop's own thread. Only the caller knows which ones
are: see `Statements.quick`. The first of a transaction may find a lock in its way: then
it waits for it on a visit.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final, TypeVar, cast

import aiosqlite
from aiosqlite import core

T = TypeVar("T")

CHUNK: Final = 64
BRIEF: Final = 20
"""So many statements at most are run on the event loop in one go."""
PRIMARY: Final = 0xFF
"""The part of an error's code that extended codes share."""
IMPATIENT: Final = "PRAGMA busy_timeout=0"
AGAIN_S: Final = 0.01
READING: Final = "BEGIN"
"""How a transaction begins that takes no lock."""
Visit = Callable[..., Coroutine[Any, Any, Any]]
"""Runs a function in the connection's thread."""
Questions = SimpleQueue[tuple[Any, Callable[[], Any]]]
"""What the thread is asked to run, each with the future that takes the answer."""


async def undisturbed(work: Coroutine[Any, Any, T]) -> T:
    """Do work on a connection to its end, and be cancelled afterwards.

    The thread would go on with it, beside whatever comes next in the same transaction; and a
    connection that SQLAlchemy is cancelled on is closed, with all that others did on it.
    """
    working = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        while not working.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({working})
        if not working.cancelled():
            working.exception()  # nobody hears of it, and that is meant
        raise


class OneVisitCursor:
    """A cursor that holds all rows of its last statement."""

    arraysize = 1

    def __init__(self, connection: OneVisitConnection, visit: Visit) -> None:
        self._asked = connection
        self._visit = visit
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
        cursor = self._asked.run(execute, statement, values)
        try:
            self.description, self.rowcount = cursor.description, cursor.rowcount
            self.lastrowid = cursor.lastrowid
            self._rows = cursor.fetchall() if cursor.description else []
        finally:
            cursor.close()


class OneVisitConnection(aiosqlite.Connection):
    """A connection with such cursors, which also skips a rollback of nothing."""

    def __init__(self, connector: Callable[[], sqlite3.Connection], busy_timeout_s: float) -> None:
        super().__init__(connector, CHUNK)
        self._patience = f"PRAGMA busy_timeout={round(busy_timeout_s * 1000)}"
        # a daemon: a process that is told to stop does not wait for it
        asked = cast("Questions", self._tx)  # pyright: ignore[reportUnknownMemberType]  # untyped
        self._thread = self.worker = Thread(target=serve, args=(asked,), daemon=True)
        self._begin = ""
        self._only_reads = False
        self._unsure = False
        """Whether a statement was given up that may still be run, and begin a transaction."""
        self._wanted: str | None = None
        self.synchronous: str | None = None
        """What commits wait for now, where it was ever said."""

    def cursor(self) -> OneVisitCursor:  # type: ignore[override]  # SQLAlchemy needs no more
        """Make a cursor, without a visit."""
        return OneVisitCursor(self, self._visit)

    async def _visit(self, work: Callable[..., Any], *values: Any) -> Any:
        visit = cast("Visit", self._execute)  # pyright: ignore[reportUnknownMemberType]  # untyped
        self._unsure = True
        try:
            found = await visit(self._patiently, work, *values)
        except sqlite3.Error:
            self._unsure = False
            raise
        self._unsure = False
        return found

    def begin(self, begin: str, *, synchronous: str | None = None) -> None:
        """Begin a transaction with the next statement, and say what its commit waits for.

        SQLAlchemy says so too, when it is met within a transaction that has begun.
        """
        if self._begin or self.in_transaction:
            return
        self._begin, self._wanted = begin, synchronous
        self._only_reads = begin == READING

    async def ask(self, sql: str, values: Sequence[Any]) -> tuple[list[Any], int]:
        """Run a brief statement; return its rows, and how many it touched."""
        if self._begin:
            return cast("tuple[list[Any], int]", await self._first(self._fetch, sql, values))
        return self._fetch(sql, values)

    async def tell(self, sql: str, values: Sequence[Sequence[Any]]) -> None:
        """Run a brief statement for each of the values, in one visit when there are many."""
        if len(values) > BRIEF:
            await undisturbed(self._visit(self._fetch_all, sql, values))
        elif self._begin:
            await self._first(self._fetch_all, sql, values)
        else:
            self._fetch_all(sql, values)

    async def _first(self, work: Callable[..., Any], *values: Any) -> Any:
        """Begin with that statement: at once, or on a visit when a lock has to be waited for."""
        begin = self._begin
        try:
            return work(*values)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & PRIMARY != sqlite3.SQLITE_BUSY:
                raise
        if not self.in_transaction:
            self._begin = begin
        return await undisturbed(self._visit(work, *values))

    def _patiently(self, work: Callable[..., Any], *values: Any) -> Any:
        """Run something in the connection's thread, which may wait for a lock."""
        raw = self._raw
        raw.execute(self._patience)
        try:
            return work(*values)
        finally:
            raw.execute(IMPATIENT)

    @property
    def _raw(self) -> sqlite3.Connection:
        if self._connection is None:  # SQLAlchemy closes one that was in use when cancelled
            raise sqlite3.ProgrammingError("the connection is closed")
        return self._connection

    def _fetch_all(self, sql: str, values: Sequence[Sequence[Any]]) -> None:
        self.run(sqlite3.Cursor.executemany, sql, values).close()

    def _fetch(self, sql: str, values: Sequence[Any]) -> tuple[list[Any], int]:
        cursor = self.run(sqlite3.Cursor.execute, sql, values)
        try:
            return (cursor.fetchall() if cursor.description else []), cursor.rowcount
        finally:
            cursor.close()

    async def commit(self) -> None:
        """Commit, when there was a statement at all."""
        self._begin = ""
        if not self.in_transaction:
            return
        if self._only_reads:  # it lets go of a snapshot: nothing to wait for
            self._conn.commit()
            return
        try:
            await super().commit()
        except sqlite3.Error:
            await self.rollback()  # SQLAlchemy takes it for ended, and the next one would fail
            raise

    async def rollback(self) -> None:
        """Roll back when there is a transaction; the pool asks each time it gets one back."""
        self._begin = ""
        if self._unsure or self.in_transaction:
            await super().rollback()
            self._unsure = False

    async def checkpoint(self) -> None:
        """Move the write-ahead log into the file, outside of any transaction."""
        await self._visit(self._fetch, "PRAGMA wal_checkpoint(TRUNCATE)", ())

    def run(
        self, execute: Callable[..., sqlite3.Cursor], statement: str, values: Any
    ) -> sqlite3.Cursor:
        """Run a statement, in the transaction that was begun."""
        cursor = self._raw.cursor()
        if self._begin:
            self._open(self._begin)
        return execute(cursor, statement, values)

    def _open(self, begin: str) -> None:
        if self._wanted and self._wanted != self.synchronous:  # not within a transaction
            self._conn.execute(f"PRAGMA synchronous={self._wanted}")
            self.synchronous = self._wanted
        self._begin = ""
        self._conn.execute(begin)


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


def connector(
    path: str, busy_timeout_s: float, *, log_ahead: bool = False
) -> Callable[[], OneVisitConnection]:
    """Return what opens a connection to a file that exists; nothing begins by itself.

    With `log_ahead` the file gets a write-ahead log, if it has none yet.
    """
    connect = partial(
        sqlite3.connect,
        f"{Path(path).absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=busy_timeout_s,
        isolation_level=None,  # the driver must not begin by itself, late and deferred
        check_same_thread=False,
    )

    def opened() -> sqlite3.Connection:
        connection = connect()
        try:
            if log_ahead:
                _log_ahead(connection, busy_timeout_s)
            connection.execute(IMPATIENT)  # on the event loop nothing waits
        except sqlite3.Error:  # a file of another kind, say
            connection.close()
            raise
        return connection

    return lambda: OneVisitConnection(opened, busy_timeout_s)


def _log_ahead(connection: sqlite3.Connection, patience_s: float) -> None:
    """Begin the log. Of several who do at once SQLite refuses all but one without waiting."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(AGAIN_S)  # on the connection's own thread
        else:
            return
