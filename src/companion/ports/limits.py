"""Rate limits: a limiter refuses with a wait time instead of sleeping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


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

    async def take(self, buckets: Sequence[Bucket]) -> Refusal | None:
        """Take one token from each bucket, or from none and say which one refuses.

        Never waits. When several refuse, the longest wait is reported.
        """
        ...

    async def peek(self, bucket: Bucket) -> Level | None:
        """Return how full a bucket is, taking nothing; `None` when that cannot be known."""
        ...
