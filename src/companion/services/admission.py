"""How much may run at once and per minute: token buckets, then slots and the queue for them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Final

from companion.domain.actor import Actor, Place
from companion.domain.errors import RateLimited
from companion.domain.models import Credential, Payer
from companion.ports.clock import Clock
from companion.ports.limits import (
    Bucket,
    Claim,
    FairQueue,
    Limiter,
    LimitScope,
    Refusal,
    Ticket,
)
from companion.services.access import identity
from companion.services.expected import Expected

USUAL_COST: Final = 1000
"""Tokens; what a request is taken for whose length is not looked at."""

_MOST_EMPTY: Final = 10_000


class Admission:
    """Lets replies in: now, in a while, or not."""

    def __init__(
        self, *, limiter: Limiter, desk: FairQueue, queue: FairQueue, clock: Clock
    ) -> None:
        self._limiter = limiter
        self._desk = desk
        self._queue = queue
        self._empty = _EmptyBuckets(clock)
        self._expected = Expected(clock)

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

    def knock(self, actor: Actor, place: Place) -> None:
        """Raise what `glance` would; who passes is expected to take a token soon.

        A bucket's last token is for the first who passed, and not for all who come before
        it was taken: they would be told only after all the work that comes before that.
        """
        buckets = _buckets(actor, place)
        for bucket in buckets:
            wait_s = self._limiter.known_wait_s(bucket, self._expected.count(bucket))
            if wait_s > 0:
                raise _limited(bucket, wait_s)
        self.glance(actor, place)
        self._expected.add(buckets)

    def glance(self, actor: Actor, place: Place) -> None:
        """Raise what is known without asking anybody: `RateLimited` or `Overloaded`.

        Who floods us is mostly turned away here, before a look into the database. Whoever is
        at the desk will be in the queue before them.
        """
        self._empty.check(_buckets(actor, place))
        claim = _claim(actor, place, None)
        self._queue.check(claim, self._desk.crowd(claim))

    def glance_again(self, actor: Actor, place: Place) -> None:
        """Raise what became known while they waited at the desk."""
        self._empty.check(_buckets(actor, place))
        self._queue.check(_claim(actor, place, None))

    def at_desk(self, actor: Actor, place: Place) -> Ticket:
        """Take a turn for what comes before a slot: few at once, in a fair order.

        The database serves in the order of asking: a thousand questions of one server that
        asked it at once would be answered before anybody else's. Raises `Overloaded`.
        """
        return self._desk.enter(_claim(actor, place, None), lambda: USUAL_COST)

    async def buckets(self, actor: Actor, place: Place, credential: Credential) -> None:
        """Take a token of the person, the server and the key; raises `RateLimited`."""
        self._expected.remove(_buckets(actor, place))
        refusal = await self._limiter.take(_buckets(actor, place, credential))
        if refusal is not None:
            self._empty.note(refusal)
            raise _limited(refusal.bucket, refusal.retry_after_s)

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
    ) -> AsyncGenerator[bool]:
        """Hold a slot while the block runs, waiting for it first when it must; say whether.

        Raises `RateLimited` or `Overloaded`.
        """
        await self.buckets(actor, place, credential)
        with self.enter(actor, place, credential, lambda: USUAL_COST) as ticket:
            if waits := ticket.waits:
                await ticket.wait()
            yield waits


class _EmptyBuckets:
    """Buckets that said when they have a token again: until then nobody need ask them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: OrderedDict[Bucket, float] = OrderedDict()

    def note(self, refusal: Refusal) -> None:
        """Remember a refusal."""
        self._until[refusal.bucket] = self._clock.monotonic() + refusal.retry_after_s
        if len(self._until) > _MOST_EMPTY:
            self._until.popitem(last=False)

    def check(self, buckets: Iterable[Bucket]) -> None:
        """Raise `RateLimited` when one of them is known to be empty."""
        if not self._until:
            return
        for bucket in buckets:
            wait_s = self._until.get(bucket, 0.0) - self._clock.monotonic()
            if wait_s > 0:
                raise _limited(bucket, wait_s)
            self._until.pop(bucket, None)


def _limited(bucket: Bucket, retry_after_s: float) -> RateLimited:
    return RateLimited(scope=bucket.scope.value, retry_after_s=retry_after_s)


def _claim(actor: Actor, place: Place, credential: Credential | None) -> Claim:
    person = identity(actor)
    own = credential if credential and credential.payer is not Payer.OPERATOR else None
    return Claim(
        group=f"guild:{place.guild_id}" if place.guild_id is not None else person,
        person=person,
        key=own and own.fingerprint,
    )


def _buckets(actor: Actor, place: Place, credential: Credential | None = None) -> list[Bucket]:
    buckets = [Bucket(scope=LimitScope.USER, id=identity(actor))]
    if credential is not None:
        buckets.append(Bucket(scope=LimitScope.KEY, id=credential.fingerprint))
    if place.guild_id is not None:
        buckets.append(Bucket(scope=LimitScope.GUILD, id=str(place.guild_id)))
    return buckets
