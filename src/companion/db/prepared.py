"""Statements translated once, and then run on SQLite's own connection.

SQLAlchemy's way through a statement costs thirty times what SQLite takes to find a row by its
key, and a reply has twenty such statements. So their text and the conversions of their
values are asked of SQLAlchemy once, and kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Protocol, cast

from sqlalchemy import ClauseElement, Dialect, Executable
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import result_tuple
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import ReturnsRows
from sqlalchemy.types import TypeEngine

_DIALECT: Final[Dialect] = sqlite.dialect(paramstyle="qmark")
Convert = Callable[[Any], Any]


class Driver(Protocol):
    """A connection that runs SQL text."""

    async def ask(self, sql: str, values: Sequence[Any]) -> tuple[list[Any], int]:
        """Return the rows, and how many were touched."""
        ...

    async def tell(self, sql: str, values: Sequence[Sequence[Any]]) -> None:
        """Run it once for each of the values."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """What a statement returned, all of it."""

    rows: Sequence[Any]
    touched: int

    def first(self) -> Any:
        """Return the first row; `None` without one."""
        return self.rows[0] if self.rows else None

    def value(self) -> Any:
        """Return the only value of the first row; `None` without a row."""
        return self.rows[0][0] if self.rows else None


class Prepared:
    """One statement, for parameters of certain names."""

    def __init__(self, statement: Executable, names: Sequence[str]) -> None:
        translated = cast("ClauseElement", statement)
        compiled = translated.compile(dialect=_DIALECT, column_keys=list(names))
        assert isinstance(compiled, SQLCompiler)
        self._sql = str(compiled)
        binds = {name: compiled.binds[name] for name in compiled.positiontup or ()}
        self._takes = [(name, _bound(bind.type)) for name, bind in binds.items()]
        self._defaults = {
            name: bind.effective_value for name, bind in binds.items() if not bind.required
        }
        columns = list(cast("ReturnsRows", statement).exported_columns)
        self._gives = [_result(column.type) for column in columns]
        self._row = result_tuple([column.key or "" for column in columns])

    async def run(self, driver: Driver, values: Mapping[str, Any]) -> Found:
        """Run it; raises `sqlite3.Error`."""
        rows, touched = await driver.ask(self._sql, self._given(values))
        return Found([self._read(row) for row in rows], touched)

    async def run_all(self, driver: Driver, values: Sequence[Mapping[str, Any]]) -> None:
        """Run it once for each of the values; raises `sqlite3.Error`."""
        await driver.tell(self._sql, [self._given(each) for each in values])

    def _given(self, values: Mapping[str, Any]) -> list[Any]:
        known = {**self._defaults, **values}
        return [convert(known[name]) if convert else known[name] for name, convert in self._takes]

    def _read(self, row: Sequence[Any]) -> Any:
        return self._row(
            [
                convert(value) if convert else value
                for convert, value in zip(self._gives, row, strict=True)
            ]
        )


@lru_cache(maxsize=512)
def prepared(statement: Executable, names: tuple[str, ...]) -> Prepared:
    """Return a statement for parameters of those names, which are kept as long as they are used."""
    return Prepared(statement, names)


def _bound(of: TypeEngine[Any]) -> Convert | None:
    return of.dialect_impl(_DIALECT).bind_processor(_DIALECT)


def _result(of: TypeEngine[Any]) -> Convert | None:
    return of.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
