"""Column types. None of them encrypts: a `SealedText` only wraps what is stored."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator

from companion.db.sealed import Purpose, Sealed

E = TypeVar("E", bound=StrEnum)


class SealedText(TypeDecorator[Sealed]):
    """A sealed value of one purpose. A plain string is refused, so none is stored by mistake."""

    impl = Text
    cache_ok = True

    def __init__(self, purpose: Purpose) -> None:
        super().__init__()
        self.purpose = purpose

    def process_bind_param(self, value: Sealed | None, dialect: Dialect) -> str | None:
        """Return the stored form."""
        if value is None:
            return None
        if not isinstance(value, Sealed):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError("a sealed column takes a Sealed value only")
        return value.text

    def process_result_value(self, value: str | None, dialect: Dialect) -> Sealed | None:
        """Wrap the stored form."""
        return None if value is None else Sealed(value)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC. SQLite keeps it without a zone, in a form that sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC; a naive time is a mistake."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("times are aware")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class OneOf(TypeDecorator[E]):
    """A closed set of words, stored as text so that a new word needs no migration."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[E]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: E | None, dialect: Dialect) -> str | None:
        """Return the word."""
        return None if value is None else value.value

    def process_result_value(self, value: str | None, dialect: Dialect) -> E | None:
        """Return the member of that word."""
        return None if value is None else self.words(value)
