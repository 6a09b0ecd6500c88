"""Statements within one transaction, their errors translated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import sqlalchemy
from sqlalchemy import Delete, Select, Update
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningUpdate
from sqlalchemy.sql.selectable import TypedReturnsRows

from companion.db.failures import translated
from companion.db.rows import Row

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

T = TypeVar("T")
Insert: TypeAlias = "sqlite.Insert | postgresql.Insert"

# a row object that was read before is read anew: statements change rows behind its back
_OPTIONS: Final = {"populate_existing": True, "synchronize_session": False}


class Statements:
    """Runs statements for the repositories of one unit of work."""

    __slots__ = ("_session", "on_sqlite")

    def __init__(self, session: AsyncSession, *, on_sqlite: bool) -> None:
        self._session = session
        self.on_sqlite = on_sqlite

    def insert(self, table: type[Row]) -> Insert:
        """Begin an INSERT that can say `ON CONFLICT`."""
        if self.on_sqlite:
            return sqlite.insert(table)
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 — 2 MB that SQLite needs not

        return postgresql.insert(table)

    async def one(self, statement: TypedReturnsRows[T]) -> T | None:
        """Return the first row's only column (or the row object), or `None` without a row."""
        with translated():
            return (await self._session.scalars(statement, execution_options=_OPTIONS)).first()

    async def all(self, statement: TypedReturnsRows[T]) -> Sequence[T]:
        """Return every row's only column (or the row object)."""
        with translated():
            return (await self._session.scalars(statement, execution_options=_OPTIONS)).all()

    async def rows(
        self, query: Select[*tuple[Any, ...]] | ReturningUpdate[*tuple[Any, ...]]
    ) -> Sequence[Any]:
        """Return rows of several columns."""
        with translated():
            return (await self._session.execute(query, execution_options=_OPTIONS)).all()

    async def run(self, change: Update | Delete | Insert) -> int:
        """Run a change; return how many rows it touched."""
        with translated():
            result: Any = await self._session.execute(change, execution_options=_OPTIONS)
            return int(result.rowcount)

    async def run_all(
        self, change: sqlalchemy.Insert | Update, values: Sequence[Mapping[str, Any]]
    ) -> None:
        """Run a change of a table once for each of the values, in one visit."""
        with translated():
            connection = await self._session.connection()
            await connection.execute(change, values)
