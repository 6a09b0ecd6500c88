"""Sealing everything again under the first key of the ring, while the program runs.

Nothing is remembered between runs: the work left is whatever is not yet under the
first key, so a run that was killed is simply run again. Each row is changed only
if it still holds what was read (a key saved meanwhile wins). The canary comes last,
and only when nothing readable is left under another key: until then, a ring
without the old key does not open the database.

First give every process the new ring (new key in front), then rotate.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select, update

from companion.db.canary import open_canary
from companion.db.engine import Engines, open_engines
from companion.db.keyring import KeyRing
from companion.db.rows import CanaryRow, SealedRow
from companion.db.sealed import Sealed
from companion.db.sealed_columns import (
    Column,
    count,
    key_ids,
    not_under,
    primary_key,
    sealed_columns,
    sealed_tables,
    under,
)
from companion.db.statements import Statements
from companion.db.uow import utc_now
from companion.domain.errors import SealError

BATCH: Final = 50
PAUSE_S: Final = 0.01
"""Between batches, so that others get their turn to write."""
MOST_PASSES: Final = 10
"""Rows under an old key may still come from a process with the old ring; do not chase it."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationReport:
    """What a rotation did. `remaining` and `unreadable` count rows, not columns.

    An old key may be dropped from the ring when `remaining` is zero; `unreadable`
    rows open under no key and are left as they are.
    """

    resealed: int
    remaining: int
    unreadable: int


async def rotate(url: str, ring: KeyRing, progress: Progress | None = None) -> RotationReport:
    """Seal every value again under the ring's first key.

    `progress` gets the rows done and the rows that needed it at the start. Raises
    `WrongKeyRing` before anything is changed, and `StorageUnavailable`.
    """
    async with open_engines(url) as engines:
        async with engines.writing() as run:
            await open_canary(run, ring, utc_now())
        return await _Rotation(engines, ring, progress).run()


async def key_usage(url: str) -> dict[str, int]:
    """Return how many rows hold a value under each key id."""
    usage: dict[str, int] = {}
    async with open_engines(url) as engines, engines.reading() as run:
        for table in sealed_tables():
            found = [await run.all(query) for query in key_ids(table, on_sqlite=run.on_sqlite)]
            for key_id in {one for column in found for one in column}:
                rows = await run.one(count(table, under(table, key_id)))
                usage[key_id] = usage.get(key_id, 0) + (rows or 0)
    return usage


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """Old and new value of a column."""

    old: Sealed
    new: Sealed


class _Rotation:
    """One run."""

    def __init__(self, engines: Engines, ring: KeyRing, progress: Progress | None) -> None:
        self._engines = engines
        self._ring = ring
        self._progress = progress
        self._resealed = 0
        self._unreadable = 0
        self._held = 0
        self._total = 0

    async def run(self) -> RotationReport:
        """Pass over all tables until a pass finds nothing to do."""
        others = [table for table in sealed_tables() if table is not CanaryRow]
        self._total = await self._remaining()
        for _ in range(MOST_PASSES):
            before, self._unreadable, self._held = self._resealed, 0, 0
            for table in others:
                await self._pass_over(table)
            if self._resealed == before and not self._held:
                break
        if await self._remaining() <= self._unreadable + 1:
            await self._pass_over(CanaryRow)
        return RotationReport(
            resealed=self._resealed,
            remaining=max(0, await self._remaining() - self._unreadable),
            unreadable=self._unreadable,
        )

    async def _pass_over(self, table: type[SealedRow]) -> None:
        key = primary_key(table)
        after: object = None
        while rows := await self._batch(table, key, after):
            after = getattr(rows[-1], key.key)
            await self._store(table, [(row, self._changes(row)) for row in rows])
            if self._progress:
                self._progress(self._resealed, max(self._total, self._resealed))
            await asyncio.sleep(PAUSE_S)

    async def _store(
        self, table: type[SealedRow], batch: Sequence[tuple[SealedRow, Mapping[str, _Change]]]
    ) -> None:
        key = primary_key(table)
        changed = {getattr(row, key.key): (row, change) for row, change in batch if change}
        # rows that others hold (PostgreSQL) are left for the next pass: whoever never waits
        # while holding rows is in no deadlock
        free = select(key).where(key.in_(changed)).with_for_update(skip_locked=True)
        async with self._engines.writing() as run:
            for row_id in await run.all(free):
                self._resealed += await replace_values(run, *changed.pop(row_id))
        self._held += len(changed)

    async def _batch(
        self, table: type[SealedRow], key: Column, after: object
    ) -> Sequence[SealedRow]:
        stale = not_under(table, self._ring.primary)
        query = select(table).where(stale).order_by(key).limit(BATCH)
        if after is not None:
            query = query.where(key > after)
        async with self._engines.reading() as run:
            return await run.all(query)

    def _changes(self, row: SealedRow) -> Mapping[str, _Change]:
        """Seal the row's values again; none of them when one does not open."""
        changes: dict[str, _Change] = {}
        for name, purpose in sealed_columns(type(row)).items():
            old: Sealed | None = getattr(row, name)
            if old is None or self._ring.is_current(old):
                continue
            try:
                plaintext = self._ring.open(purpose, old, row.binding(name))
            except SealError:
                self._unreadable += 1
                return {}
            changes[name] = _Change(
                old=old, new=self._ring.seal(purpose, plaintext, row.binding(name))
            )
        return changes

    async def _remaining(self) -> int:
        """Count the rows that are not wholly under the first key."""
        rows = 0
        async with self._engines.reading() as run:
            for table in sealed_tables():
                rows += await run.one(count(table, not_under(table, self._ring.primary))) or 0
        return rows


async def replace_values(run: Statements, row: SealedRow, changes: Mapping[str, _Change]) -> int:
    """Store the new values where the row still holds the old ones; return how many rows."""
    table = type(row)
    key = primary_key(table)
    unchanged = [getattr(table, name) == change.old for name, change in changes.items()]
    values: dict[str, Any] = {name: change.new for name, change in changes.items()}
    same = key == getattr(row, key.key)
    return await run.run(update(table).where(same, *unchanged).values(values))
