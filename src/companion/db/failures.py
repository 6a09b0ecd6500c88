"""The one place where errors of SQLAlchemy and its drivers become ours.

`reason` is a code for logs and the doctor. The driver's error stays the cause; it
holds no values, because engines are made with `hide_parameters`.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from companion.domain.errors import StorageUnavailable

_SQLITE: Final = {
    "SQLITE_BUSY": "locked",
    "SQLITE_LOCKED": "locked",
    "SQLITE_FULL": "full",
    "SQLITE_READONLY": "read_only",
    "SQLITE_CANTOPEN": "unreachable",
    "SQLITE_CORRUPT": "damaged",
    "SQLITE_NOTADB": "damaged",
    "SQLITE_IOERR": "disk",
    "SQLITE_CONSTRAINT": "constraint",
}
_POSTGRES: Final = {  # by SQLSTATE, the longest prefix wins
    "08": "unreachable",
    "57": "unreachable",
    "23": "constraint",
    "25006": "read_only",
    "26000": "pooler",  # a prepared statement is not there, or there already:
    "42P05": "pooler",  # between us and the server is something like PgBouncer
    "28": "refused",
    "3D": "missing",
    "40": "conflict",
    "42P01": "not_migrated",
    "42703": "not_migrated",
    "53": "busy",
    "53100": "full",
    "55P03": "locked",
}
_FILES: Final = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EROFS: "read_only",
    errno.EACCES: "read_only",
    errno.EPERM: "read_only",
}


@contextmanager
def translated() -> Generator[None]:
    """Raise `StorageUnavailable` for whatever the database or its driver raises."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError, TimeoutError) as error:
        if isinstance(error, StatementError) and not isinstance(error, DBAPIError):
            raise  # not the database: a value of ours that no column takes
        raise StorageUnavailable(reason=_reason(error)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, PoolTimeout):
        return "busy"
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return "unreachable"
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return _sqlite_reason(cause)
    state: object = getattr(cause, "sqlstate", None)
    if isinstance(state, str):
        return next((_POSTGRES[state[:n]] for n in (5, 2) if state[:n] in _POSTGRES), "failed")
    if isinstance(cause, OSError):  # a timeout is one too
        return _FILES.get(cause.errno or 0, "unreachable")
    return "failed"


def _sqlite_reason(error: sqlite3.Error) -> str:
    if str(error).startswith(("no such table", "no such column")):
        return "not_migrated"
    # extended codes append words: SQLITE_READONLY_DIRECTORY, SQLITE_IOERR_WRITE
    name = "_".join(str(getattr(error, "sqlite_errorname", "")).split("_")[:2])
    return _SQLITE.get(name, "failed")
