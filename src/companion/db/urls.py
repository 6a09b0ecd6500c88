"""Database URLs as people write them, made into what the drivers take."""

from __future__ import annotations

from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from companion.domain.errors import ConfigurationError

VARIABLE: Final = "DATABASE_URL"
STATEMENT_CACHE: Final = "prepared_statement_cache_size"
"""`=0` turns statement caches off, as PgBouncer's transaction mode needs."""

_DRIVERS: Final = {
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
}
_POSTGRES_OPTIONS: Final = {"host", "port", "ssl", "target_session_attrs", STATEMENT_CACHE}
_FIX: Final = "use sqlite+aiosqlite:///<path> or postgresql+asyncpg://<user>:<password>@<host>/<db>"


def parse(url: str) -> URL:
    """Return the URL with our driver. Raises `ConfigurationError`; never shows a password."""
    try:
        parsed = make_url(url.strip())
    except (ArgumentError, ValueError):
        raise _refused("is not a database URL") from None
    driver = _DRIVERS.get(parsed.drivername.lower())
    if driver is None:
        raise _refused("names a database other than SQLite and PostgreSQL")
    parsed = parsed.set(drivername=driver)
    return _sqlite(parsed) if is_sqlite(parsed) else _postgres(parsed)


def is_sqlite(url: URL) -> bool:
    """Return whether the URL names an SQLite file."""
    return url.get_backend_name() == "sqlite"


def _sqlite(url: URL) -> URL:
    if not url.database or ":memory:" in url.database or url.query:
        raise _refused("must name an SQLite file, without options")
    return url


def _postgres(url: URL) -> URL:
    if "sslmode" in url.query:  # libpq's name for what asyncpg calls ssl
        ssl = url.query["sslmode"]
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": ssl})
    unknown = sorted(set(url.query) - _POSTGRES_OPTIONS)
    if unknown:
        raise _refused(f"has an option that the driver does not know: {unknown[0]}")
    return url


def _refused(problem: str) -> ConfigurationError:
    return ConfigurationError(variable=VARIABLE, problem=problem, fix=_FIX)
