"""How much may run at once and per minute: token buckets, then slots and the queue for them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final

from companion.domain.actor import Actor, Place
from companion.domain.errors import RateLimited
from companion.domain.models import Credential, Payer
from companion.ports.limits import Bucket, Claim, FairQueue, Limiter, LimitScope, Ticket
from companion.services.access import identity

USUAL_COST: Final = 1000
"""Tokens; what a request is taken for whose length is not looked at."""


class Admission:
    """Lets replies in: now, in a while, or not."""

    def __init__(self, *, limiter: Limiter, queue: FairQueue) -> None:
        self._limiter = limiter
        self._queue = queue

    @property
    def running(self) -> int:
        """How many slots are taken."""
        return self._queue.running

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return self._queue.waiting

    @property
    def is_full(self) -> bool:
        """Whether whoever comes now would have to wait."""
        return self._queue.is_full

    async def buckets(self, actor: Actor, place: Place, credential: Credential) -> None:
        """Take a token of the person, the server and the key; raises `RateLimited`."""
        refusal = await self._limiter.take(_buckets(actor, place, credential))
        if refusal is not None:
            raise RateLimited(scope=refusal.bucket.scope.value, retry_after_s=refusal.retry_after_s)

    def enter(
        self, actor: Actor, place: Place, credential: Credential, cost: Callable[[], int]
    ) -> Ticket:
        """Take a slot or a place in the queue; raises `Overloaded` when there is none.

        Keep it with `with`, and wait for the slot before anything is sent. `cost` is the
        request's tokens, asked for only when it must wait.
        """
        return self._queue.enter(_claim(actor, place, credential), cost)

    @asynccontextmanager
    async def admit(
        self, actor: Actor, place: Place, credential: Credential
    ) -> AsyncGenerator[Ticket]:
        """Hold a slot while the block runs, waiting for it first when it must.

        Raises `RateLimited` or `Overloaded`.
        """
        await self.buckets(actor, place, credential)
        with self.enter(actor, place, credential, lambda: USUAL_COST) as ticket:
            if ticket.waits:
                await ticket.wait()
            yield ticket


def _claim(actor: Actor, place: Place, credential: Credential) -> Claim:
    person = identity(actor)
    return Claim(
        group=f"guild:{place.guild_id}" if place.guild_id is not None else person,
        person=person,
        key=None if credential.payer is Payer.OPERATOR else credential.fingerprint,
    )


def _buckets(actor: Actor, place: Place, credential: Credential) -> list[Bucket]:
    buckets = [
        Bucket(scope=LimitScope.USER, id=identity(actor)),
        Bucket(scope=LimitScope.KEY, id=credential.fingerprint),
    ]
    if place.guild_id is not None:
        buckets.append(Bucket(scope=LimitScope.GUILD, id=str(place.guild_id)))
    return buckets
