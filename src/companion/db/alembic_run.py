"""Alembic itself. It is large and seldom needed, so `migrations` loads this page late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from alembic import command, context
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, TypeDecorator

from companion.db import api_rows, money_rows, reply_rows, rows, server_rows, urls
from companion.db.migration_files import folder
from companion.domain.errors import ConfigurationError

TABLES: Final = (rows, api_rows, money_rows, reply_rows, server_rows)
"""Where the tables are: what is not imported is not known."""

Direction = Literal["upgrade", "downgrade"]
_COMMANDS: Final[dict[Direction, Callable[[Config, str], None]]] = {
    "upgrade": command.upgrade,
    "downgrade": command.downgrade,
}


def move(connection: Connection, direction: Direction, revision: str) -> None:
    """Move the database to a revision. Raises `ConfigurationError` on one we do not know."""
    config = Config()
    config.set_main_option("script_location", str(folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        _COMMANDS[direction](config, revision)
    except CommandError as error:
        raise ConfigurationError(
            variable=urls.VARIABLE,
            problem="is at, or was sent to, a revision that this version does not have",
            fix="compare `companion db current` with the version that migrated it last",
        ) from error


def run_migrations(connection: Connection) -> None:
    """Run what Alembic's context asks for, on this connection; `migrations/env.py` calls it."""
    context.configure(
        connection=connection,
        target_metadata=rows.Row.metadata,
        render_as_batch=True,  # SQLite alters by making a new table
        transactional_ddl=True,
        compare_type=True,
        render_item=_plain_type,
    )
    with context.begin_transaction():
        context.run_migrations()


def _plain_type(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Write our column types into new migrations as what the database sees."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl_instance!r}"
    return False
