"""Storage of answers under an idempotency key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NewType, Protocol
from uuid import UUID

IdempotencyId = NewType("IdempotencyId", UUID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is stored under a key. `answer` is `None` while the first request is answered."""

    body_hash: str
    answer: str | None


class IdempotentAnswers(Protocol):
    """Answers by key; their texts are sealed."""

    async def claim(
        self,
        key: IdempotencyId,
        body_hash: str,
        *,
        now: datetime,
        until: datetime,
        oldest: datetime,
    ) -> Kept | None:
        """Take the key until `until`, or return what is there.

        A row older than `oldest`, and a claim that ran out, count as not there.
        """
        ...

    async def keep(self, key: IdempotencyId, body_hash: str, answer: str) -> None:
        """Store the answer under a key that was claimed."""
        ...

    async def release(self, key: IdempotencyId) -> None:
        """Give an unanswered key back, so that the request may be made again."""
        ...

    async def drop_before(self, moment: datetime) -> int:
        """Delete what is older than `moment`; return how many."""
        ...
