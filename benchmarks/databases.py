"""A database for the app: SQLite in its own folder, or a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from enum import StrEnum

from tests.db.postgres import postgres_server

from companion.db import migrations
from companion.db.keyring import KeyRing


class Kind(StrEnum):
    """Which database."""

    SQLITE = "sqlite"
    POSTGRES = "postgres"


@asynccontextmanager
async def database(kind: Kind) -> AsyncGenerator[str | None]:
    """Give a migrated PostgreSQL database (without fsync), or leave SQLite to the app."""
    if kind is Kind.SQLITE:
        yield None
        return
    with postgres_server() as server:
        url = await server.new_database()
        await migrations.upgrade(url)
        yield url


def settings(url: str | None) -> dict[str, str]:
    """Return the settings that point an app at it."""
    return {"DATABASE_URL": url, "COMPANION_KEYRING": KeyRing.new_entry("k1")} if url else {}
