"""The services as the app wires them: all real, with one key that pays and hardly any limits."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from companion.clock import SystemClock
from companion.db.keyring import KeyRing
from companion.db.uow import SqlStore, open_store
from companion.domain.models import ModelId
from companion.domain.money import NO_CAPS, Caps
from companion.domain.secrets import Secret
from companion.files.caps import CPU_S
from companion.files.processes import ReadingProcesses
from companion.files.reader import SafeFileReader
from companion.limits.memory import BucketSize, MemoryLimiter
from companion.llm.client import ProviderTimings, open_provider
from companion.llm.prices import GenaiPrices
from companion.ports.limits import LimitScope
from companion.ports.llm import PriceList
from companion.services.container import Services
from companion.services.policy import ServicePolicy
from companion.wiring import operator, wired

MODEL: Final = "gpt-6-luna"
OPERATOR_KEY: Final = "sk-operator-canary-7f3a9c1e5b"
PLENTY: Final = BucketSize(capacity=100_000, period_s=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be different from the usual."""

    operator_key: str | None = OPERATOR_KEY
    prices: PriceList | None = None
    user_bucket: BucketSize = PLENTY
    at_once: int = 64
    at_once_for_one: int = 64
    reading_cpu_s: int = CPU_S
    caps: Caps = NO_CAPS
    system_prompt: str = "Be brief."
    timings: ProviderTimings | None = None


@asynccontextmanager
async def opened(
    url: str, ring: KeyRing, base_url: str, wish: Wish | None = None
) -> AsyncGenerator[tuple[SqlStore, Services]]:
    """Open the store of a migrated database, and services that ask that provider."""
    wish, clock = wish or Wish(), SystemClock()
    async with (
        open_store(url, ring) as store,
        open_provider(clock=clock, timings=wish.timings) as provider,
    ):
        key = Secret(wish.operator_key) if wish.operator_key else None
        buckets = dict.fromkeys(LimitScope, PLENTY) | {LimitScope.USER: wish.user_bucket}
        services = wired(
            store=store,
            provider=provider,
            prices=wish.prices or GenaiPrices(),
            limiter=MemoryLimiter(buckets, clock),
            at_once=wish.at_once,
            at_once_for_one=wish.at_once_for_one,
            clock=clock,
            policy=ServicePolicy(
                base_url=base_url,
                default_model=ModelId(MODEL),
                system_prompt=wish.system_prompt,
                operator=operator(store, key, base_url),
                caps=wish.caps,
            ),
            files=SafeFileReader(ReadingProcesses(cpu_s=wish.reading_cpu_s)),
        )
        try:
            yield store, services
        finally:
            await services.close()
