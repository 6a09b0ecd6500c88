"""The canary: a sealed row that shows at open whether this ring is the database's own.

Written into an empty database only, and never over an existing one. Rotation seals
it again as the last row of all, so while any row needs an old key, so does opening.
"""

from __future__ import annotations

import os
from datetime import datetime
from typing import Final

from sqlalchemy import literal, select, update

from companion.db.fingerprints import RingFingerprints
from companion.db.keyring import KeyRing
from companion.db.rows import CanaryRow
from companion.db.sealed import Purpose
from companion.db.sealed_columns import sealed_tables
from companion.db.statements import Statements
from companion.domain.errors import SealError, StorageUnavailable, WrongKeyRing

SONG: Final = "companion"
INDEX_SECRET_BYTES: Final = 32


async def open_canary(run: Statements, ring: KeyRing, now: datetime) -> RingFingerprints:
    """Return the database's fingerprints, creating the canary in an empty database.

    Raises `WrongKeyRing` when the ring does not open the canary, or when the canary
    is missing from a database that already holds sealed rows.
    """
    row = await run.one(select(CanaryRow))
    if row is None:
        inhabited = await holds_sealed_rows(run)
        if not inhabited:
            await _create(run, ring, now)
        # where there are rows, another process may have begun meanwhile, with its canary first
        row = await run.one(select(CanaryRow))
    if row is None:
        raise WrongKeyRing
    return _open(row, ring)


async def touch(run: Statements) -> None:
    """Write to the canary row, to see that the database takes writes."""
    if not await run.run(update(CanaryRow).values(writes=CanaryRow.writes + 1)):
        raise StorageUnavailable(reason="damaged")


async def holds_sealed_rows(run: Statements) -> bool:
    """Return whether any table with sealed columns has a row."""
    for table in sealed_tables():
        if await run.one(select(literal(1)).select_from(table).limit(1)) is not None:
            return True
    return False


async def _create(run: Statements, ring: KeyRing, now: datetime) -> None:
    secret = os.urandom(INDEX_SECRET_BYTES).hex()
    insert = run.insert(CanaryRow).values(
        id=1,
        canary=ring.seal(Purpose.CANARY, SONG, CanaryRow.place("canary")),
        index_secret=ring.seal(Purpose.INDEX_SECRET, secret, CanaryRow.place("index_secret")),
        writes=0,
        created_at=now,
    )
    # two processes may start on one empty database: the first one's canary stays
    await run.run(insert.on_conflict_do_nothing())


def _open(row: CanaryRow, ring: KeyRing) -> RingFingerprints:
    try:
        ring.open(Purpose.CANARY, row.canary, row.binding("canary"))
        secret = ring.open(Purpose.INDEX_SECRET, row.index_secret, row.binding("index_secret"))
    except SealError as error:
        raise WrongKeyRing from error
    return RingFingerprints(bytes.fromhex(secret))
