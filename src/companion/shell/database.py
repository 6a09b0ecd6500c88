"""`companion db`: Alembic from the installed package."""

from __future__ import annotations

import asyncio

from companion.db import migrations
from companion.shell.sentences import Exit
from companion.shell.starting import loaded_settings
from companion.storage import make_data_dir, on_sqlite


def upgrade(revision: str) -> str:
    """Migrate up and return what to print."""
    url = _url()
    asyncio.run(migrations.upgrade(url, revision))
    return f"The database is at {asyncio.run(migrations.current(url))}."


def downgrade(revision: str) -> str:
    """Migrate down and return what to print."""
    url = _url()
    asyncio.run(migrations.downgrade(url, revision))
    return (
        f"The database is at {asyncio.run(migrations.current(url)) or 'no revision: it is empty'}."
    )


def current() -> str:
    """Return the database's revision."""
    return asyncio.run(migrations.current(_url())) or "none"


def check() -> tuple[str, Exit]:
    """Return whether migrations are pending, in words and as an exit code."""
    if asyncio.run(migrations.check(_url())):
        return "Migrations are pending: run `companion db upgrade`.", Exit.FAILED
    return "The database is up to date.", Exit.OK


def _url() -> str:
    settings = loaded_settings(quiet=True)
    if on_sqlite(settings):
        make_data_dir(settings)
    return settings.store_url
