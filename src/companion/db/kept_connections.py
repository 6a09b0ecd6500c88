"""SQLite's connections, taken out of their pool once and lent from then on.

A round trip through the pool, and SQLAlchemy's account of the transaction, take four times
what a short transaction does. So a transaction here begins and ends at the driver, and
SQLAlchemy is only met by statements that make row objects. A connection that was
in a transaction which failed goes back to the pool, which puts it right or closes it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, cast

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from companion.db.sqlite_driver import OneVisitConnection
from companion.db.waiting_line import WaitingLine
from companion.domain.errors import StorageUnavailable

SQLITE_QUEUE_S: Final = 20.0
"""How long a transaction may wait for a connection."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An open connection, as SQLAlchemy and as its driver know it."""

    connection: AsyncConnection
    driver: OneVisitConnection

    async def commit(self) -> None:
        """Commit; raises what SQLAlchemy or the driver does."""
        if self.connection.in_transaction():  # a statement went through SQLAlchemy
            await self.connection.commit()
        else:
            await self.driver.commit()


class KeptConnections:
    """As many connections of an engine as may be in use at once."""

    def __init__(self, engine: AsyncEngine, places: int) -> None:
        self._engine = engine
        self._idle: list[Kept] = []
        self._places = WaitingLine(places)
        self._number = places

    @asynccontextmanager
    async def lent(self) -> AsyncGenerator[Kept]:
        """Lend one; raises `StorageUnavailable` when all are in use for too long."""
        await self._places.acquire(within_s=SQLITE_QUEUE_S)
        try:
            kept = self._idle.pop() if self._idle else await self._open()
            well = False
            try:
                yield kept
                well = True
            finally:
                if well:
                    self._idle.append(kept)
                else:
                    await kept.connection.close()
        finally:
            self._places.release()

    async def close(self, within_s: float) -> None:
        """Give all back to the pool, for which those in use are waited for a moment."""
        for _ in range(self._number):
            try:
                await self._places.acquire(within_s=within_s)
            except StorageUnavailable:
                break
        while self._idle:
            await self._idle.pop().connection.close()

    async def _open(self) -> Kept:
        connection = await self._engine.connect()
        raw = await connection.get_raw_connection()
        return Kept(connection, cast("OneVisitConnection", raw.driver_connection))
