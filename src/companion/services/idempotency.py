"""One answer for a request that is sent again under the same `Idempotency-Key`."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from companion.domain.api_errors import KeyReused, RequestRunning
from companion.ports.clock import Clock
from companion.ports.idempotency import IdempotencyId
from companion.ports.store import Store

IDEMPOTENT_FOR: Final = timedelta(hours=24)
CLAIM: Final = timedelta(minutes=15)
"""How long a request may take before its key counts as left behind by a crash."""
RETRY_S: Final = 1.0


class IdempotencyService:
    """Keeps whole answers for a day, sealed."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def name(self, *parts: str) -> IdempotencyId:
        """Return what names the request: who sent it, where to, and the key they chose."""
        joined = "".join(f"{len(part)}:{part}" for part in parts)
        return IdempotencyId(UUID(hex=self._store.fingerprints.of_request(joined.encode())[:32]))

    def body_hash(self, body: bytes) -> str:
        """Return what tells two bodies apart."""
        return self._store.fingerprints.of_request(body)

    async def claim(self, key: IdempotencyId, body_hash: str) -> str | None:
        """Return the answer there is, or `None` when this request shall make it.

        Raises `RequestRunning` while the first one runs, and `KeyReused` when the key
        was used with another body.
        """
        now = self._clock.now()
        async with self._store.write() as unit:
            kept = await unit.idempotent_answers.claim(
                key, body_hash, now=now, until=now + CLAIM, oldest=now - IDEMPOTENT_FOR
            )
        if kept is None:
            return None
        if kept.body_hash != body_hash:
            raise KeyReused
        if kept.answer is None:
            raise RequestRunning(retry_after_s=RETRY_S)
        return kept.answer

    async def keep(self, key: IdempotencyId, body_hash: str, answer: str) -> None:
        """Store the answer, to be given again."""
        async with self._store.write() as unit:
            await unit.idempotent_answers.keep(key, body_hash, answer)

    async def release(self, key: IdempotencyId) -> None:
        """Give the key back: the request failed or cannot be kept, and may be sent again."""
        async with self._store.write() as unit:
            await unit.idempotent_answers.release(key)
