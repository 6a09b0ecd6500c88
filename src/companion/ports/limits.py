"""Rate limits and slots: a limiter refuses with a wait time, a queue lets wait for a while."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, Self


class LimitScope(StrEnum):
    """Whose bucket it is."""

    USER = "user"
    GUILD = "guild"
    KEY = "key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """One bucket: `id` is unique within its scope (a person, server or key fingerprint)."""

    scope: LimitScope
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The bucket that is empty, and the seconds until it has a token again."""

    bucket: Bucket
    retry_after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How full a bucket is: tokens it holds and has, and seconds until it is full."""

    limit: int
    remaining: int
    reset_s: int


class Limiter(Protocol):
    """Token buckets, their sizes known to the adapter by scope."""

    def known_wait_s(self, bucket: Bucket, ahead: int) -> float:
        """Return the seconds until there is a token for one more behind so many others.

        As far as it is known without asking anybody: 0 when nothing speaks against it.
        """
        ...

    async def take(self, buckets: Sequence[Bucket]) -> Refusal | None:
        """Take one token from each bucket, or from none and say which one refuses.

        Never waits. When several refuse, the longest wait is reported.
        """
        ...

    async def peek(self, bucket: Bucket) -> Level | None:
        """Return how full a bucket is, taking nothing; `None` when that cannot be known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who wants a slot.

    Groups (servers, or whoever asks outside of one) take turns, and in each its people do.
    `key` is the fingerprint of the key that pays, or `None` for one that all share.
    """

    group: str
    person: str
    key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A place in the queue: how many are served before, and about how long that takes."""

    ahead: int
    wait_s: float


class Ticket(Protocol):
    """A slot, or a place in the queue for one. Leaving the `with` block gives either back."""

    @property
    def waits(self) -> bool:
        """Whether the slot is not there yet."""
        ...

    def standing(self) -> Standing | None:
        """Return the place in the queue as it is now; `None` once the slot is there."""
        ...

    async def wait(self, at_most_s: float | None = None) -> None:
        """Wait for the slot, or for that long."""
        ...

    def leave(self) -> None:
        """Give the slot or the place back before the block ends."""
        ...

    def __enter__(self) -> Self:
        """Keep it for the length of the block."""
        ...

    def __exit__(self, *_: object) -> None:
        """Give the slot or the place back."""
        ...


class FairQueue(Protocol):
    """So many replies at once; who comes when all slots are taken waits for a fair turn."""

    @property
    def running(self) -> int:
        """How many slots are taken."""
        ...

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        ...

    @property
    def is_full(self) -> bool:
        """Whether whoever comes now would have to wait."""
        ...

    def crowd(self, claim: Claim) -> int:
        """Return how many of the claim's group have a slot or wait for one."""
        ...

    def check(self, claim: Claim, coming: int = 0) -> None:
        """Raise `Overloaded` when whoever claims a slot would be refused; takes nothing.

        `coming` are others of the same group, known to come before them.
        """
        ...

    def enter(self, claim: Claim, cost: Callable[[], int]) -> Ticket:
        """Take a slot, or a place in the queue; raises `Overloaded` when that would take long.

        `cost` is the work in tokens, asked for only when it must wait.
        """
        ...
