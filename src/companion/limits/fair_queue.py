"""Slots for replies, and the queue for them, in this process's memory.

When a slot is free for whoever comes, taking it is a look at four counters. Only who must
wait meets the rounds of `deficit_round`. No server and no key of one's own gets all slots,
so one that asks without end leaves some for everyone else, who then does not wait at all.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Self

from companion.domain.queue_errors import Overloaded
from companion.limits.deficit_round import Line, Request, Round
from companion.ports.clock import Clock
from companion.ports.limits import Claim, Standing

LONGEST_WAIT_S: Final = 30.0
"""Who would wait longer is refused at once, and told how long it would be."""

FIRST_GUESS_S: Final = 5.0
"""How long a slot is held, until it is known: about what a short answer takes."""

_SMOOTHING: Final = 0.1
_ANSWERS_LATER: Final = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSizes:
    """How many replies run at once: in this process, and for one person."""

    process: int
    person: int

    @property
    def group(self) -> int:
        """Slots for one server, or one key that is not everyone's."""
        return max(min(self.person, self.process), self.process - self.process // 4)

    @property
    def waiting(self) -> int:
        """How many may wait in all; a quarter of one server, an eighth of one person."""
        return max(64, 8 * self.process)


class SlotQueue:
    """The `FairQueue` of one process. Use it within one running event loop."""

    def __init__(self, sizes: QueueSizes, clock: Clock) -> None:
        self._sizes = sizes
        self._clock = clock
        self._running = 0
        self._of_group: Counter[str] = Counter()
        self._of_person: Counter[str] = Counter()
        self._of_key: Counter[str] = Counter()
        self._round = Round(lambda: Round(Line))
        self._tickets: dict[Request, SlotTicket] = {}
        self._held_s = FIRST_GUESS_S

    @property
    def running(self) -> int:
        """How many slots are taken."""
        return self._running

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return len(self._round)

    @property
    def is_full(self) -> bool:
        """Whether whoever comes now would have to wait."""
        return self._running >= self._sizes.process

    def check(self, claim: Claim) -> None:
        """Raise `Overloaded` when whoever claims a slot now would be refused: see `FairQueue`."""
        if len(self._round) and not self._has_room(claim):
            with self.enter(claim, lambda: 1):
                pass

    def enter(self, claim: Claim, cost: Callable[[], int]) -> SlotTicket:
        """Take a slot, or a place in the queue: see `FairQueue`."""
        if self._has_room(claim):
            return self._taken(SlotTicket(self, claim))
        ticket = SlotTicket(self, claim, Request(claim=claim, cost=cost()))
        request = ticket.request
        assert request is not None
        self._round.add(_path(claim), request)
        self._tickets[request] = ticket
        try:
            self._check_wait(request)
        except Overloaded:
            self._forget(request, served=False)
            raise
        return ticket

    def standing(self, request: Request) -> Standing:
        """Return a request's place in the queue: of all that hold it up, the slowest."""
        _, ahead, wait_s, _ = max(self._waits(request), key=lambda wait: wait[2])
        return Standing(ahead=ahead, wait_s=wait_s)

    def leave(self, ticket: SlotTicket) -> None:
        """Take a slot or a place back."""
        if ticket.request is not None:
            self._forget(ticket.request, served=False)
            return
        self._held_s += _SMOOTHING * (self._clock.monotonic() - ticket.since - self._held_s)
        claim = ticket.claim
        self._running -= 1
        _less(self._of_group, claim.group)
        _less(self._of_person, claim.person)
        if claim.key is not None:
            _less(self._of_key, claim.key)
        self._serve()

    def _serve(self) -> None:
        """Give free slots to those whose turn it is."""
        while len(self._round) and self._running < self._sizes.process:
            request = self._round.pick(lambda request: self._has_room(request.claim))
            if request is None:
                return
            self._taken(self._forget(request, served=True)).wake()

    def _has_room(self, claim: Claim) -> bool:
        sizes = self._sizes
        return (
            self._running < sizes.process
            and self._of_person[claim.person] < sizes.person
            and self._of_group[claim.group] < sizes.group
            and (claim.key is None or self._of_key[claim.key] < sizes.group)
        )

    def _taken(self, ticket: SlotTicket) -> SlotTicket:
        claim = ticket.claim
        self._running += 1
        self._of_group[claim.group] += 1
        self._of_person[claim.person] += 1
        if claim.key is not None:
            self._of_key[claim.key] += 1
        ticket.since = self._clock.monotonic()
        return ticket

    def _forget(self, request: Request, *, served: bool) -> SlotTicket:
        self._round.remove(_path(request.claim), request, served=served)
        ticket = self._tickets.pop(request)
        ticket.request = None
        return ticket

    def _check_wait(self, request: Request) -> None:
        """Raise `Overloaded` when a request would wait too long, or behind too many."""
        sizes = self._sizes
        scope, _, wait_s, limit = max(self._waits(request), key=lambda wait: wait[2])
        own, in_group, _ = self._round.ranks(_path(request.claim), request)
        if in_group >= sizes.waiting // 4 or own >= sizes.waiting // 8:
            scope, limit = ("guild", sizes.group) if in_group > own else ("user", sizes.person)
        elif self.waiting > sizes.waiting:
            scope, limit = "process", sizes.process
        elif wait_s <= LONGEST_WAIT_S:
            return
        raise Overloaded(
            scope=scope, limit=limit, retry_after_s=min(max(wait_s, 1.0), _ANSWERS_LATER)
        )

    def _waits(self, request: Request) -> Iterable[tuple[str, int, float, int]]:
        """Yield what holds a request up: scope, how many before it, seconds, slots there."""
        claim, sizes = request.claim, self._sizes
        own, in_group, in_all = self._round.ranks(_path(claim), request)
        taken = (
            ("user", own, self._of_person[claim.person], sizes.person),
            ("guild", in_group, self._of_group[claim.group], sizes.group),
            ("key", in_group, self._of_key[claim.key or ""], sizes.group),
            ("process", in_all, self._running, sizes.process),
        )
        for scope, ahead, running, slots in taken:
            if (turns := ahead + 1 - (slots - running)) > 0:
                yield scope, ahead, turns * self._held_s / slots, slots


class SlotTicket:
    """The `Ticket` of a `SlotQueue`. `request` is what waits, `None` once the slot is there."""

    __slots__ = ("_came", "_open", "_queue", "claim", "request", "since")

    def __init__(self, queue: SlotQueue, claim: Claim, request: Request | None = None) -> None:
        self.claim = claim
        self.request = request
        self.since = 0.0
        self._queue = queue
        self._came = asyncio.Event() if request is not None else None
        self._open = True

    @property
    def waits(self) -> bool:
        """Whether the slot is not there yet."""
        return self.request is not None

    def standing(self) -> Standing | None:
        """Return the place in the queue as it is now; `None` once the slot is there."""
        return None if self.request is None else self._queue.standing(self.request)

    async def wait(self, at_most_s: float | None = None) -> None:
        """Wait for the slot, or for that long."""
        if self._came is None:
            return
        try:
            async with asyncio.timeout(at_most_s):
                await self._came.wait()
        except TimeoutError:
            return

    def wake(self) -> None:
        """Say that the slot is there."""
        if self._came is not None:
            self._came.set()

    def __enter__(self) -> Self:
        """Keep it for the length of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give the slot or the place back."""
        if self._open:
            self._open = False
            self._queue.leave(self)


def _path(claim: Claim) -> tuple[str, str]:
    return claim.group, claim.person


def _less(counter: Counter[str], name: str) -> None:
    counter[name] -= 1
    if not counter[name]:
        del counter[name]
