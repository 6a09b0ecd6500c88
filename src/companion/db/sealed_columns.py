"""Which columns are sealed, found in the tables themselves so that none is forgotten."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import ColumnElement, Text, func, or_, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.selectable import TypedReturnsRows

from companion.db.rows import CanaryRow, Row, SealedRow
from companion.db.sealed import FORMAT, Purpose, sealed_under
from companion.db.types import SealedText

Column = InstrumentedAttribute[Any]


def sealed_tables() -> tuple[type[SealedRow], ...]:
    """Return every table with sealed columns, the canary last."""
    tables = [m.class_ for m in Row.registry.mappers if issubclass(m.class_, SealedRow)]
    return tuple(sorted(tables, key=lambda table: (table is CanaryRow, table.__tablename__)))


def sealed_columns(table: type[SealedRow]) -> dict[str, Purpose]:
    """Return the names of a table's sealed columns, with what they are sealed for."""
    return {
        column.key: column.type.purpose
        for column in table.__table__.columns
        if isinstance(column.type, SealedText)
    }


def primary_key(table: type[SealedRow]) -> Column:
    """Return the column that identifies a row."""
    (key,) = table.__table__.primary_key
    return cast("Column", getattr(table, key.key))


def under(table: type[SealedRow], key_id: str) -> ColumnElement[bool]:
    """Match the rows with a value under that key."""
    prefix = sealed_under(key_id)
    return or_(*(text.startswith(prefix, autoescape=True) for text in _texts(table)))


def not_under(table: type[SealedRow], key_id: str) -> ColumnElement[bool]:
    """Match the rows with a value under any other key."""
    prefix = sealed_under(key_id)
    return or_(*(~text.startswith(prefix, autoescape=True) for text in _texts(table)))


def count(table: type[SealedRow], which: ColumnElement[bool]) -> TypedReturnsRows[int]:
    """Count the rows that match."""
    return select(func.count()).select_from(table).where(which)


def key_ids(table: type[SealedRow], *, on_sqlite: bool) -> list[TypedReturnsRows[str]]:
    """Return one query for each sealed column: the key ids in use there."""
    return [
        select(_key_id(text, on_sqlite=on_sqlite)).where(text.is_not(None)).distinct()
        for text in _texts(table)
    ]


def _key_id(text: ColumnElement[str], *, on_sqlite: bool) -> ColumnElement[str]:
    """Return what stands between the first two dots."""
    if not on_sqlite:
        return func.split_part(text, ".", 2, type_=Text())
    rest = func.substr(text, len(f"{FORMAT}.") + 1)
    return func.substr(rest, 1, func.instr(rest, ".") - 1, type_=Text())


def _texts(table: type[SealedRow]) -> list[ColumnElement[str]]:
    return [type_coerce(getattr(table, name), Text) for name in sealed_columns(table)]
