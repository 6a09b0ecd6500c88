"""Whether this process takes work: what `/readyz` reports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from companion.api.routes.health import Part
from companion.domain.errors import StorageUnavailable
from companion.ports.clock import Clock
from companion.ports.store import Store

FRESH_S: Final = 1.0
ANSWER_S: Final = 2.0


class Gateway(Protocol):
    """The Discord door, as far as readiness looks at it."""

    @property
    def is_ready(self) -> bool:
        """Whether all shards are connected."""
        ...


class ProcessReadiness:
    """Gateway up, database writable, not draining.

    The database is asked once a second at most, however many ask, and one question
    at a time: probes must not become a load.
    """

    def __init__(
        self,
        *,
        store: Store,
        gateway: Gateway | None,
        limits: Callable[[], Part],
        clock: Clock,
    ) -> None:
        self.draining = False
        self._store = store
        self._gateway = gateway
        self._limits = limits
        self._clock = clock
        self._lock = asyncio.Lock()
        self._database = Part(ok=False, detail="not asked yet")
        self._asked_at: float | None = None

    async def parts(self) -> Mapping[str, Part]:
        """Return the state of each part now."""
        return {
            "process": Part(ok=not self.draining, detail="draining" if self.draining else "up"),
            "gateway": self._gateway_part(),
            "database": await self._database_part(),
            "limits": self._limits(),
        }

    def _gateway_part(self) -> Part:
        if self._gateway is None:
            return Part(ok=True, detail="off")
        ready = self._gateway.is_ready
        return Part(ok=ready, detail="connected" if ready else "not connected")

    async def _database_part(self) -> Part:
        async with self._lock:
            now = self._clock.monotonic()
            if self._asked_at is None or now - self._asked_at >= FRESH_S:
                self._database = await self._ask_database()
                self._asked_at = self._clock.monotonic()
            return self._database

    async def _ask_database(self) -> Part:
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._store.ping()
        except TimeoutError:
            return Part(ok=False, detail="too slow")
        except StorageUnavailable as error:
            return Part(ok=False, detail=error.reason)
        return Part(ok=True, detail="writable")
