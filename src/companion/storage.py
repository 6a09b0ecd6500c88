"""The database and its key ring, as the settings name them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import structlog

from companion.db import migrations, urls
from companion.db.keyring import KeyRing
from companion.db.rotation import key_usage
from companion.db.uow import SqlStore, open_store
from companion.domain.errors import ConfigurationError
from companion.settings import Settings

log = structlog.get_logger()

VARIABLE: Final = "COMPANION_KEYRING"
KEYRING_FILE: Final = "keyring"
PRIVATE_FOLDER: Final = 0o700


@asynccontextmanager
async def opened_store(settings: Settings) -> AsyncGenerator[SqlStore]:
    """Open the database, migrated: by us on SQLite, by the operator on PostgreSQL.

    Raises `ConfigurationError`, `WrongKeyRing` and `StorageUnavailable`.
    """
    url = settings.store_url
    if on_sqlite(settings):
        make_data_dir(settings)
    elif settings.keyring is None:
        key_ring(settings)  # refuses, before anybody waits for a database
    if await migrations.check(url):
        if not on_sqlite(settings):
            raise ConfigurationError(
                variable=urls.VARIABLE,
                problem="names a database that is not migrated to this version",
                fix="run `companion db upgrade`, then start again",
            )
        await migrations.upgrade_apart(url)
        log.info("migrated", revision=migrations.head())
    if await ring_is_lost(settings):
        raise ring_lost(settings)
    async with open_store(url, key_ring(settings)) as store:
        yield store


def on_sqlite(settings: Settings) -> bool:
    """Return whether the database is a file of ours. Raises `ConfigurationError`."""
    return urls.is_sqlite(urls.parse(settings.store_url))


def database_file(settings: Settings) -> Path | None:
    """Return the SQLite file, there or not yet; `None` on PostgreSQL."""
    url = urls.parse(settings.store_url)
    return Path(url.database or "").absolute() if urls.is_sqlite(url) else None


def ring_file(settings: Settings) -> Path | None:
    """Return the file of the generated key ring, there or not yet; `None` when not generated."""
    generated = settings.keyring is None and on_sqlite(settings)
    return settings.data_dir / KEYRING_FILE if generated else None


def key_ring(settings: Settings) -> KeyRing:
    """Return the encryption keys; on SQLite they are made when there are none.

    Raises `ConfigurationError`.
    """
    if settings.keyring is not None:
        return KeyRing.parse(settings.keyring.get_secret_value())
    file = ring_file(settings)
    if file is None:
        raise ConfigurationError(
            variable=VARIABLE,
            problem="is not set, and with PostgreSQL it has to be",
            fix="print a key with `companion keyring new` and give it to every process",
        )
    make_data_dir(settings)
    return KeyRing.load_or_create(file)


async def ring_is_lost(settings: Settings) -> bool:
    """Return whether a migrated database holds sealed rows, and the file with their keys is gone.

    A new ring would not open it: making one would only hide what happened.
    """
    file = ring_file(settings)
    return file is not None and not file.exists() and bool(await key_usage(settings.store_url))


def ring_lost(settings: Settings) -> ConfigurationError:
    """Return the error to raise then."""
    return ConfigurationError(
        variable=VARIABLE,
        problem=f"is not set, and the database was sealed with keys from {ring_file(settings)}, "
        "which is gone",
        fix="put that file back from a backup; without it the stored secrets stay closed",
    )


def make_data_dir(settings: Settings) -> None:
    """Make the data folder, for its owner only. Raises `ConfigurationError`."""
    make_folder(settings.data_dir)


def make_folder(folder: Path) -> None:
    """Make a folder of ours, for its owner only. Raises `ConfigurationError`."""
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            variable="COMPANION_DATA_DIR",
            problem="names a folder that cannot be made",
            fix="give a folder that Companion may write to",
        ) from error
