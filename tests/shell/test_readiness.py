from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import cast

from companion.api.routes.health import Part
from companion.domain.errors import StorageUnavailable
from companion.ports.store import Store
from companion.readiness import ProcessReadiness


class Gateway:
    is_ready = True


class Database:
    """As much of a store as readiness asks."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.asked = 0

    async def ping(self) -> None:
        self.asked += 1
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time, UTC)

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


def build(database: Database, clock: Clock, gateway: Gateway | None) -> ProcessReadiness:
    return ProcessReadiness(
        store=cast("Store", database),
        gateway=gateway,
        limits=lambda: Part(ok=True, detail="kept in this process"),
        clock=clock,
    )


async def not_ready(readiness: ProcessReadiness) -> dict[str, str]:
    return {name: p.detail for name, p in (await readiness.parts()).items() if not p.ok}


async def test_everything_up() -> None:
    assert await not_ready(build(Database(), Clock(), Gateway())) == {}


async def test_gateway_and_draining_are_told_at_once() -> None:
    gateway = Gateway()
    readiness = build(Database(), Clock(), gateway)
    gateway.is_ready = False
    readiness.draining = True
    assert await not_ready(readiness) == {"process": "draining", "gateway": "not connected"}


async def test_process_without_discord_needs_no_gateway() -> None:
    readiness = build(Database(), Clock(), None)
    assert (await readiness.parts())["gateway"].detail == "off"
    assert await not_ready(readiness) == {}


async def test_database_is_asked_once_a_second_however_many_probe() -> None:
    database, clock = Database(), Clock()
    readiness = build(database, clock, None)
    await asyncio.gather(*(readiness.parts() for _ in range(50)))
    assert database.asked == 1
    clock.time += 1.0
    await readiness.parts()
    assert database.asked == 2


async def test_database_that_recovers_is_ready_again() -> None:
    database, clock = Database(), Clock()
    readiness = build(database, clock, None)
    database.failure = StorageUnavailable(reason="full")
    assert await not_ready(readiness) == {"database": "full"}
    database.failure = None
    clock.time += 1.0
    assert await not_ready(readiness) == {}
