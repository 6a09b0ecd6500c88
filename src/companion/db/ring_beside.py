"""The generated key ring that lies beside a database."""

from __future__ import annotations

from pathlib import Path

from companion.db.canary import holds_sealed_rows
from companion.db.engine import open_engines
from companion.db.keyring import KeyRing
from companion.db.ring_text import VARIABLE
from companion.db.uow import transaction
from companion.domain.errors import ConfigurationError, StorageUnavailable


async def ring_beside(url: str, path: Path) -> KeyRing:
    """Return the ring in the file, making one only for a database that holds nothing sealed.

    Raises `ConfigurationError` when the file cannot be used, or is gone although the
    database was sealed under it; a new ring would only hide that loss.
    """
    if not path.exists() and await _is_sealed(url):  # noqa: ASYNC240 - once, at start
        raise ConfigurationError(
            variable=VARIABLE,
            problem=f"file {path} is gone, but the database is encrypted with what it held",
            fix="put the file back from your backup, or set COMPANION_KEYRING to that ring",
        )
    return KeyRing.load_or_create(path)


async def _is_sealed(url: str) -> bool:
    try:
        async with open_engines(url) as engines, transaction(engines.reader) as run:
            return await holds_sealed_rows(run)
    except StorageUnavailable as error:
        if error.reason == "not_migrated":
            return False
        raise
