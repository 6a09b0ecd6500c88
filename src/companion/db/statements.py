"""Statements within one transaction, their errors translated."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import sqlalchemy
from sqlalchemy import Delete, Executable, Select, Table, Update
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.sql.dml import ReturningUpdate
from sqlalchemy.sql.selectable import TypedReturnsRows

from companion.db.failures import translated
from companion.db.kept_connections import KeptConnections
from companion.db.prepared import Found, prepared
from companion.db.rows import Row
from companion.db.sqlite_driver import OneVisitConnection, undisturbed
from companion.domain.errors import StorageUnavailable

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

T = TypeVar("T")
Insert: TypeAlias = "sqlite.Insert | postgresql.Insert"

# a row object that was read before is read anew: statements change rows behind its back
_OPTIONS: Final = {"populate_existing": True, "synchronize_session": False}


def insert_into(table: type[Row] | Table, *, on_sqlite: bool) -> Insert:
    """Begin an INSERT that can say `ON CONFLICT`, for that database."""
    if on_sqlite:
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 — 2 MB that SQLite needs not

    return postgresql.insert(table)


class Statements:
    """Runs statements for the repositories of one unit of work."""

    __slots__ = ("_connection", "_driver", "_made", "is_broken", "on_sqlite")

    def __init__(self, connection: AsyncConnection, driver: OneVisitConnection | None) -> None:
        self._made: AsyncSession | None = None
        self._connection = connection
        self._driver = driver
        self.on_sqlite = driver is not None
        self.is_broken = False
        """Whether nothing can be saved of this transaction any more."""

    @property
    def _session(self) -> AsyncSession:
        """What makes row objects, within this transaction, whose end it does not decide."""
        if self._made is None:
            self._made = AsyncSession(self._connection, expire_on_commit=False, autoflush=False)
        return self._made

    def insert(self, table: type[Row]) -> Insert:
        """Begin an INSERT that can say `ON CONFLICT`."""
        return insert_into(table, on_sqlite=self.on_sqlite)

    async def one(self, statement: TypedReturnsRows[T]) -> T | None:
        """Return the first row's only column (or the row object), or `None` without a row."""
        with translated():
            return (await self._execute(statement)).scalars().first()

    async def all(self, statement: TypedReturnsRows[T]) -> Sequence[T]:
        """Return every row's only column (or the row object)."""
        with translated():
            return (await self._execute(statement)).scalars().all()

    async def rows(
        self, query: Select[*tuple[Any, ...]] | ReturningUpdate[*tuple[Any, ...]]
    ) -> Sequence[Any]:
        """Return rows of several columns."""
        with translated():
            return (await self._execute(query)).all()

    async def run(self, change: Update | Delete | Insert) -> int:
        """Run a change; return how many rows it touched."""
        with translated():
            return int((await self._execute(change)).rowcount)

    async def _execute(self, statement: Executable) -> Any:
        asking = self._session.execute(statement, execution_options=_OPTIONS)
        return await (asking if self._driver is None else undisturbed(asking))

    async def quick(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Found:
        """Run a statement on tables (not row classes) that touches few rows, by key.

        On SQLite it runs where it is asked for: one that takes long holds up everything.
        It is translated once: one made anew for each call is better run otherwise.
        """
        given = values or {}
        with translated():
            if self._driver is not None:
                return await prepared(statement, tuple(given)).run(self._driver, given)
            result = await self._connection.execute(statement, given)
            return Found(result.all() if result.returns_rows else (), result.rowcount)

    @asynccontextmanager
    async def undoable(self) -> AsyncGenerator[None]:
        """Undo what the block does when it raises, and nothing else of the transaction."""
        await self._say("SAVEPOINT part")
        done = False
        try:
            yield
            done = True
        finally:
            if not done:
                await self._undo()
        await self._say("RELEASE SAVEPOINT part")

    async def _undo(self) -> None:
        try:
            await self._say("ROLLBACK TO SAVEPOINT part")
            await self._say("RELEASE SAVEPOINT part")
        except StorageUnavailable:
            self.is_broken = True  # a full disk, say, ends all of a transaction

    async def _say(self, command: str) -> None:
        with translated():
            if self._driver is not None:
                await self._driver.ask(command, ())
            else:
                await self._connection.exec_driver_sql(command)

    async def run_all(
        self,
        change: sqlalchemy.Insert | Update | Delete,
        values: Sequence[Mapping[str, Any]],
    ) -> None:
        """Run a change of few rows, by key, once for each of the values, which name the same."""
        if not values:
            return
        with translated():
            if self._driver is not None:
                await prepared(change, tuple(values[0])).run_all(self._driver, values)
            else:  # one alone is brought in fewer trips than a row of them
                await self._connection.execute(change, values if values[1:] else values[0])


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncGenerator[Statements]:
    """Run a transaction of PostgreSQL: commit at the end, roll back when it is left otherwise."""
    async with AsyncExitStack() as stack:
        with translated():
            connection = await stack.enter_async_context(engine.connect())
            await connection.begin()
        yield Statements(connection, None)
        with translated():
            await connection.commit()


@asynccontextmanager
async def short_transaction(
    lender: KeptConnections, begin: str, synchronous: str | None = None
) -> AsyncGenerator[Statements]:
    """Run a transaction of SQLite as `transaction` does, on a connection that stays open."""
    async with AsyncExitStack() as stack:
        with translated():
            kept = await stack.enter_async_context(lender.lent())
        # with the first statement
        kept.driver.begin(begin, synchronous=synchronous)
        yield Statements(kept.connection, kept.driver)
        with translated():
            await kept.commit()
