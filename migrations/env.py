"""Alembic's entry: with a connection from the program, or, for developers, from DATABASE_URL."""

from __future__ import annotations

import asyncio
import os

from alembic import context

from companion.db.alembic_run import run_migrations
from companion.db.migrations import migrating


async def migrate_from_environment() -> None:
    """Migrate the database that DATABASE_URL names."""
    url = os.environ.get("DATABASE_URL")
    if not url:
        raise SystemExit("DATABASE_URL is not set; set it to the database to migrate")
    async with migrating(url) as connection:
        await connection.run_sync(run_migrations)


if context.is_offline_mode():
    raise SystemExit("migrations read the database they change: there is no offline mode")
if "connection" in context.config.attributes:
    run_migrations(context.config.attributes["connection"])
else:
    asyncio.run(migrate_from_environment())
