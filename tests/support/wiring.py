"""The services as the app wires them: all real, with one key that pays and hardly any limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from companion.clock import SystemClock
from companion.db.uow import SqlStore
from companion.domain.models import Credential, ModelId, Payer
from companion.domain.money import NO_CAPS, Caps
from companion.domain.secrets import Secret
from companion.files.caps import CPU_S
from companion.files.processes import ReadingProcesses
from companion.files.reader import SafeFileReader
from companion.limits.fair_queue import desk_queue, reply_queue
from companion.limits.memory import BucketSize, MemoryLimiter
from companion.llm.client import Provider
from companion.llm.prices import GenaiPrices
from companion.ports.limits import LimitScope
from companion.ports.llm import PriceList
from companion.services.container import Outside, Services, build_services
from companion.services.policy import ServicePolicy

MODEL: Final = "gpt-6-luna"
OPERATOR_KEY: Final = "sk-operator-canary-7f3a9c1e5b"
PLENTY: Final = BucketSize(capacity=1000, period_s=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be different from the usual."""

    operator_key: str | None = OPERATOR_KEY
    prices: PriceList | None = None
    user_bucket: BucketSize = PLENTY
    other_buckets: BucketSize = PLENTY
    at_once: int = 64
    at_once_for_one: int = 64
    reading_cpu_s: int = CPU_S
    caps: Caps = NO_CAPS
    system_prompt: str = "Be brief."


def wired(
    store: SqlStore, llm: Provider, base_url: str, clock: SystemClock, wish: Wish | None = None
) -> Services:
    """Return services on that store and provider; close them in the end."""
    wish = wish or Wish()
    key = wish.operator_key and Secret(wish.operator_key)
    buckets = dict.fromkeys(LimitScope, wish.other_buckets) | {LimitScope.USER: wish.user_bucket}
    return build_services(
        Outside(
            store=store,
            fingerprints=store.fingerprints,
            provider=llm.chat,
            relay=llm.relay,
            catalogue=llm.catalogue,
            speech=llm.speech,
            files=SafeFileReader(ReadingProcesses(cpu_s=wish.reading_cpu_s)),
            prices=wish.prices or GenaiPrices(),
            limiter=MemoryLimiter(buckets, clock),
            desk=desk_queue(wish.at_once, clock),
            queue=reply_queue(wish.at_once, wish.at_once_for_one, clock),
            clock=clock,
            policy=ServicePolicy(
                base_url=base_url,
                default_model=ModelId(MODEL),
                system_prompt=wish.system_prompt,
                operator=Credential(
                    key=key,
                    base_url=base_url,
                    fingerprint=store.fingerprints.of_key(key),
                    payer=Payer.OPERATOR,
                )
                if key
                else None,
                caps=wish.caps,
            ),
        )
    )
