"""How much may run at once and per minute: stream slots, then token buckets.

Slots are looked at first, so that who is refused for them has spent no token.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from companion.domain.actor import Actor, Place
from companion.domain.errors import RateLimited, TooManyReplies
from companion.domain.models import Credential
from companion.ports.limits import Bucket, Limiter, LimitScope
from companion.services.access import identity

SLOT_RETRY_S: Final = 5.0
"""When asking again makes sense: about what a short answer takes."""


class Admission:
    """Lets replies in, and counts those that run."""

    def __init__(self, *, limiter: Limiter, max_streams: int, max_streams_per_user: int) -> None:
        self._limiter = limiter
        self._max = max_streams
        self._max_per_user = max_streams_per_user
        self._running: Counter[str] = Counter()

    @property
    def running(self) -> int:
        """How many slots are taken."""
        return self._running.total()

    @property
    def is_full(self) -> bool:
        """Whether no reply more is let in."""
        return self.running >= self._max

    @asynccontextmanager
    async def admit(
        self, actor: Actor, place: Place, credential: Credential
    ) -> AsyncGenerator[None]:
        """Hold a slot while the block runs; raises `TooManyReplies` or `RateLimited`.

        Who is refused has spent nothing.
        """
        with self._slot(identity(actor)):
            refusal = await self._limiter.take(_buckets(actor, place, credential))
            if refusal is not None:
                raise RateLimited(
                    scope=refusal.bucket.scope.value, retry_after_s=refusal.retry_after_s
                )
            yield

    @contextmanager
    def _slot(self, who: str) -> Generator[None]:
        if self._running.get(who, 0) >= self._max_per_user:
            raise TooManyReplies(own=True, limit=self._max_per_user, retry_after_s=SLOT_RETRY_S)
        if self.running >= self._max:
            raise TooManyReplies(own=False, limit=self._max, retry_after_s=SLOT_RETRY_S)
        self._running[who] += 1
        try:
            yield
        finally:
            self._running[who] -= 1
            if not self._running[who]:
                del self._running[who]


def _buckets(actor: Actor, place: Place, credential: Credential) -> list[Bucket]:
    buckets = [
        Bucket(scope=LimitScope.USER, id=identity(actor)),
        Bucket(scope=LimitScope.KEY, id=credential.fingerprint),
    ]
    if place.guild_id is not None:
        buckets.append(Bucket(scope=LimitScope.GUILD, id=str(place.guild_id)))
    return buckets
