"""The doctor's look at database, key ring and Redis. It creates nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from companion.db import migrations
from companion.db.uow import open_store
from companion.domain.errors import ConfigurationError, SealError, StorageUnavailable
from companion.settings import Settings
from companion.shell.checkup import (
    DATABASE,
    KEYS,
    REDIS,
    Finding,
    failed,
    failed_by,
    fine,
    skipped,
)
from companion.storage import database_file, key_ring, ring_file, ring_is_lost, ring_lost

REDIS_ANSWER_S: Final = 5.0


async def examine(settings: Settings) -> list[Finding]:
    """Return the rows of database, key ring and Redis."""
    return [*await _database_and_keys(settings), await _redis(settings)]


async def _database_and_keys(settings: Settings) -> list[Finding]:
    try:
        file = database_file(settings)
        if file is not None and not file.exists():
            return [_before_the_first_start(file), _ring_alone(settings)]
        if not await migrations.check(settings.store_url):
            return await _opened(settings)
    except (ConfigurationError, StorageUnavailable) as error:
        return [failed_by(DATABASE, error), skipped(KEYS, "needs a database")]
    if file is not None:
        return [fine(DATABASE, "will be migrated at the next start"), _ring_alone(settings)]
    fix = "run `companion db upgrade`"
    return [failed(DATABASE, "is not migrated to this version", fix), _ring_alone(settings)]


async def _opened(settings: Settings) -> list[Finding]:
    migrated = fine(DATABASE, f"at revision {migrations.head()}")
    file = ring_file(settings)
    if await ring_is_lost(settings):
        return [migrated, failed_by(KEYS, ring_lost(settings))]
    if file is not None and not file.exists():
        return [migrated, _ring_alone(settings)]
    try:
        ring = key_ring(settings)
        async with open_store(settings.store_url, ring) as store:
            await store.ping()
    except (ConfigurationError, SealError) as error:
        return [migrated, failed_by(KEYS, error)]
    return [migrated, fine(KEYS, f"opens the database; encrypts under {ring.primary}")]


def _before_the_first_start(file: Path) -> Finding:
    folder = next(parent for parent in file.parents if parent.exists())
    if not os.access(folder, os.W_OK):
        fix = "let Companion write there, or set COMPANION_DATA_DIR"
        return failed(DATABASE, f"cannot be made in {folder}", fix)
    return fine(DATABASE, "will be made at the first start")


def _ring_alone(settings: Settings) -> Finding:
    """Look at the ring when there is no database to try it on."""
    file = ring_file(settings)
    if file is not None and not file.exists():
        return fine(KEYS, "will be made at the first start")
    try:
        return fine(KEYS, f"encrypts under {key_ring(settings).primary}")
    except ConfigurationError as error:
        return failed_by(KEYS, error)


async def _redis(settings: Settings) -> Finding:
    if settings.redis_url is None:
        return skipped(REDIS, "REDIS_URL is not set: limits are kept in this process")
    import redis.asyncio as redis  # noqa: PLC0415 — only with the extra, which the URL demands

    client = redis.from_url(  # pyright: ignore[reportUnknownMemberType]
        settings.redis_url.get_secret_value(),
        socket_timeout=REDIS_ANSWER_S,
        socket_connect_timeout=REDIS_ANSWER_S,
        retry=None,
    )
    try:
        state: dict[str, object] = await client.info("replication")  # pyright: ignore[reportUnknownMemberType]
    except (redis.RedisError, OSError) as error:
        fix = "start Redis, or correct REDIS_URL"
        return failed(REDIS, f"does not answer ({type(error).__name__})", fix)
    finally:
        await client.aclose()
    if str(state.get("slave_read_only")) == "1":
        return failed(REDIS, "is a copy that takes no writes", "give REDIS_URL of its primary")
    return fine(REDIS, "answers: limits are shared by all processes that use it")
