"""The services on the adapters of this process: what the app runs, and what its tests run."""

from __future__ import annotations

from companion.db.uow import SqlStore
from companion.domain.models import Credential, Payer
from companion.domain.secrets import Secret
from companion.files.reader import SafeFileReader
from companion.limits.fair_queue import desk_queue, reply_queue
from companion.llm.client import Provider
from companion.ports.clock import Clock
from companion.ports.files import FileReader
from companion.ports.limits import Limiter
from companion.ports.llm import PriceList
from companion.services.container import Outside, Services, build_services
from companion.services.policy import ServicePolicy


def wired(
    *,
    store: SqlStore,
    provider: Provider,
    prices: PriceList,
    limiter: Limiter,
    at_once: int,
    at_once_for_one: int,
    clock: Clock,
    policy: ServicePolicy,
    files: FileReader | None = None,
) -> Services:
    """Return the services, with so many replies at once in all and for one person.

    Starts nothing; close them in the end.
    """
    return build_services(
        Outside(
            store=store,
            provider=provider.chat,
            relay=provider.relay,
            catalogue=provider.catalogue,
            speech=provider.speech,
            files=files or SafeFileReader(),
            prices=prices,
            limiter=limiter,
            desk=desk_queue(at_once, clock),
            queue=reply_queue(at_once, at_once_for_one, clock),
            clock=clock,
            policy=policy,
        )
    )


def operator(store: SqlStore, key: Secret | None, base_url: str) -> Credential | None:
    """Return the operator's key as what pays at that endpoint, if there is one."""
    return key and Credential(
        key=key,
        base_url=base_url,
        fingerprint=store.fingerprints.of_key(key),
        payer=Payer.OPERATOR,
    )
