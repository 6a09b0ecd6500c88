"""Slots for replies, and the queue for them, in this process's memory.

When a slot is free for whoever comes, taking it is a look at four counters. Only who must
wait meets the rounds of `deficit_round`. No server and no key of one's own gets all slots,
so one that asks without end leaves some for everyone else, who then does not wait at all.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from companion.domain.queue_errors import Overloaded
from companion.limits.deficit_round import Line, Request, Round
from companion.ports.clock import Clock
from companion.ports.limits import Claim, Standing

LONGEST_WAIT_S: Final = 30.0
"""Who would wait longer is refused at once, and told how long it would be."""

FIRST_GUESS_S: Final = 5.0
"""How long a slot is held, until it is known: about what a short answer takes."""

DESK: Final = 8
"""Replies that are planned at once: more would only wait for the database, in its own order."""

DESK_GUESS_S: Final = 0.05

FEW: Final = 4

_SMOOTHING: Final = 0.1
_ANSWERS_LATER: Final = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSizes:
    """How many run at once, in this process and for one person, and how many may wait for it.

    `first_guess_s` is how long a slot is held, until that is known. `kept_free` is the part
    of the slots (one in so many) that no server has alone.
    """

    process: int
    person: int
    waiting: int
    first_guess_s: float
    kept_free: int = 4

    @property
    def group(self) -> int:
        """Slots for one server, or one key that is not everyone's."""
        return max(min(self.person, self.process), self.process - self.process // self.kept_free)

    @property
    def waiting_of_group(self) -> int:
        """How many of those who wait may be of one server."""
        return self.waiting // 4

    @property
    def waiting_of_person(self) -> int:
        """How many of those who wait may be one person's."""
        return max(8, self.waiting // 16)


class SlotQueue:
    """The `FairQueue` of one process. Use it within one running event loop."""

    def __init__(self, sizes: QueueSizes, clock: Clock) -> None:
        self._sizes = sizes
        self._clock = clock
        self._running = 0
        self._of_group: Counter[str] = Counter()
        self._of_person: Counter[str] = Counter()
        self._of_key: Counter[str] = Counter()
        self._crowd: Counter[str] = Counter()
        self._round = Round(lambda: Round(Line))
        self._tickets: dict[Request, SlotTicket] = {}
        self._held_s = sizes.first_guess_s

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

    def crowd(self, claim: Claim) -> int:
        """Return how many of a group are here: see `FairQueue`."""
        return self._crowd[claim.group]

    def check(self, claim: Claim, coming: int = 0) -> None:
        """Raise `Overloaded` when whoever claims a slot would be refused: see `FairQueue`."""
        if self._has_room(claim, coming) or not (coming or len(self._round)):
            return
        request = Request(claim=claim, cost=1)
        self._round.add(_path(claim), request)
        try:
            self._check_wait(request, coming)
        finally:
            self._round.remove(_path(claim), request, served=False)

    def enter(self, claim: Claim, cost: Callable[[], int]) -> SlotTicket:
        """Take a slot, or a place in the queue: see `FairQueue`."""
        if self._has_room(claim):
            self._crowd[claim.group] += 1
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
        self._crowd[claim.group] += 1
        return ticket

    def standing(self, request: Request) -> Standing:
        """Return a request's place in the queue: of all that hold it up, the slowest."""
        ranks = self._round.ranks(_path(request.claim), request)
        slowest = self._slowest(request.claim, ranks)
        return Standing(ahead=slowest.ahead, wait_s=slowest.wait_s)

    def leave(self, ticket: SlotTicket) -> None:
        """Take a slot or a place back."""
        _less(self._crowd, ticket.claim.group)
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

    def _has_room(self, claim: Claim, coming: int = 0) -> bool:
        sizes = self._sizes
        return (
            self._running + coming < sizes.process
            and self._of_person[claim.person] < sizes.person
            and self._of_group[claim.group] + coming < sizes.group
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

    def _check_wait(self, request: Request, coming: int = 0) -> None:
        """Raise `Overloaded` when a request would wait too long, or behind too many."""
        sizes, path = self._sizes, _path(request.claim)
        lengths = _with(coming, self._round.lengths(path))
        # loud servers may fill the line together, but not keep the first of a quiet one out
        in_all = sizes.waiting * (2 if lengths[1] <= FEW else 1)
        allowed = (sizes.waiting_of_person, sizes.waiting_of_group, in_all)
        crowded = next((n for n in range(3) if lengths[n] > allowed[n]), None)
        slowest = self._slowest(request.claim, tuple(length - 1 for length in lengths))
        if slowest.wait_s > LONGEST_WAIT_S:  # behind all, it would; but it takes turns with them
            slowest = self._slowest(request.claim, _with(coming, self._round.ranks(path, request)))
        if crowded is None and slowest.wait_s <= LONGEST_WAIT_S:
            return
        scope, slots = slowest.scope, slowest.slots
        if crowded is not None:
            scope = ("user", "guild", "process")[crowded]
            slots = (sizes.person, sizes.group, sizes.process)[crowded]
        retry_after_s = min(max(slowest.wait_s, 1.0), _ANSWERS_LATER)
        raise Overloaded(scope=scope, limit=slots, retry_after_s=retry_after_s)

    def _slowest(self, claim: Claim, ranks: tuple[int, ...]) -> _Wait:
        """Return what holds a request up the longest, with so many before it in each round."""
        sizes, (own, in_group, in_all) = self._sizes, ranks
        waits = (
            self._wait("user", own, self._of_person[claim.person], sizes.person),
            self._wait("guild", in_group, self._of_group[claim.group], sizes.group),
            self._wait("key", in_group, self._of_key[claim.key or ""], sizes.group),
            self._wait("process", in_all, self._running, sizes.process),
        )
        return max(waits, key=lambda wait: wait.wait_s)

    def _wait(self, scope: str, ahead: int, running: int, slots: int) -> _Wait:
        turns = max(0, ahead + 1 - (slots - running))
        return _Wait(scope, ahead, slots, turns * self._held_s / slots)


class _Wait(NamedTuple):
    """What holds a request up: how many before it share how many slots, and for how long."""

    scope: str
    ahead: int
    slots: int
    wait_s: float


def reply_queue(process: int, person: int, clock: Clock) -> SlotQueue:
    """Return the queue for replies, so many at once."""
    sizes = QueueSizes(
        process=process,
        person=person,
        waiting=_waiting(process),
        first_guess_s=FIRST_GUESS_S,
    )
    return SlotQueue(sizes, clock)


def desk_queue(replies: int, clock: Clock) -> SlotQueue:
    """Return the queue for the short work before a reply runs or waits, with so many slots."""
    waiting = replies + _waiting(replies)
    sizes = QueueSizes(
        process=DESK, person=2, waiting=waiting, first_guess_s=DESK_GUESS_S, kept_free=2
    )
    return SlotQueue(sizes, clock)


def _waiting(replies: int) -> int:
    return max(64, 16 * replies)


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
        self.leave()

    def leave(self) -> None:
        """Give the slot or the place back before the block ends."""
        if self._open:
            self._open = False
            self._queue.leave(self)


def _path(claim: Claim) -> tuple[str, str]:
    return claim.group, claim.person


def _with(coming: int, counts: tuple[int, ...]) -> tuple[int, ...]:
    """Return the counts of a line and the rounds above, with others of the same group."""
    own, *above = counts
    return (own, *(count + coming for count in above))


def _less(counter: Counter[str], name: str) -> None:
    counter[name] -= 1
    if not counter[name]:
        del counter[name]
