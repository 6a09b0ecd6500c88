"""Storage of replies that are on their way to Discord, each leased to one process.

A lease names its owner and has a fence, which grows with every change of hands. Nothing is
written for a reply by whoever does not hold exactly that lease any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from companion.domain.conversation import TurnId
from companion.domain.delivery import (
    NOTHING_SHOWN,
    Delivery,
    Ending,
    ReplyId,
    ReplyState,
    Shown,
    Terms,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to work on one reply."""

    reply: ReplyId
    owner: str
    fence: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReply:
    """A reply that another process left behind. `attempts` counts how often it was taken over."""

    lease: Lease
    delivery: Delivery
    state: ReplyState
    attempts: int
    turn_id: TurnId | None = None
    terms: Terms | None = None
    shown: Shown = NOTHING_SHOWN
    ending: Ending | None = None


class Replies(Protocol):
    """Replies under way. A row goes once its answer is shown."""

    async def arrive(self, deliveries: Sequence[Delivery], owner: str, until: datetime) -> None:
        """Store replies that were acknowledged; those that are stored already stay as they are."""
        ...

    async def accept(
        self, delivery: Delivery, lease: Lease, turn: TurnId, terms: Terms, until: datetime
    ) -> bool:
        """Store that a turn answers it; false when the lease is somebody else's now."""
        ...

    async def renew(self, owner: str, until: datetime) -> Mapping[ReplyId, int]:
        """Prolong all leases of an owner; return the fences of those it still has."""
        ...

    async def note_shown(self, shown: Sequence[tuple[Lease, Shown]]) -> None:
        """Store which messages show the replies."""
        ...

    async def answered(self, lease: Lease, ending: Ending) -> bool:
        """Store that the turn has ended; false when the lease is somebody else's now."""
        ...

    async def remove(self, leases: Sequence[Lease]) -> None:
        """Delete replies that need nothing more."""
        ...

    async def release(self, owner: str, now: datetime) -> int:
        """Let others take over at once what an owner still has; return how many."""
        ...

    async def any_expired(self, owner: str, now: datetime) -> bool:
        """Return whether there is somebody else's reply that nobody works on."""
        ...

    async def take_expired(
        self, owner: str, now: datetime, until: datetime, limit: int
    ) -> Sequence[StoredReply]:
        """Take over replies of others that nobody works on, the longest forgotten first."""
        ...
