"""The limits as the settings ask for them: in this process, or shared through Redis."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from companion.api.routes.health import Part
from companion.limits.memory import MemoryLimiter
from companion.ports.clock import Clock
from companion.ports.limits import Limiter, LimitScope
from companion.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limiter, and how it does: a process without Redis is degraded, not dead."""

    limiter: Limiter
    part: Callable[[], Part]
    degraded: Callable[[], bool]


@asynccontextmanager
async def opened_limits(settings: Settings, clock: Clock) -> AsyncGenerator[Limits]:
    """Open the token buckets. Redis need not answer yet: then this process limits alone."""
    sizes = {
        LimitScope.USER: settings.limit_user,
        LimitScope.GUILD: settings.limit_guild,
        LimitScope.KEY: settings.limit_key,
    }
    if settings.redis_url is None:
        alone = Part(ok=True, detail="kept in this process")
        yield Limits(
            limiter=MemoryLimiter(sizes, clock), part=lambda: alone, degraded=lambda: False
        )
        return
    # only with the extra, which the URL demands
    from companion.limits.redis import open_redis_limiter  # noqa: PLC0415

    url = settings.redis_url.get_secret_value()
    async with open_redis_limiter(url, sizes, clock) as shared:
        yield Limits(
            limiter=shared,
            part=lambda: Part(ok=True, detail=_words(shared.degraded, shared.processes)),
            degraded=lambda: shared.degraded,
        )


def _words(degraded: bool, processes: int) -> str:
    if degraded:
        return f"Redis is away: this process keeps its share of 1 in {processes}"
    return f"shared through Redis, processes: {processes}"
