"""Loud and quiet servers over a simulated half minute: who waits for whom."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field

import pytest

from companion.domain.queue_errors import Overloaded
from companion.limits.fair_queue import LONGEST_WAIT_S, SlotTicket, reply_queue
from companion.ports.limits import Claim
from tests.fakes import FakeClock

ANSWER_S = (1.3, 3.3)
SECONDS = 30
QUIET = [f"quiet-{number}" for number in range(20)]


@dataclass(slots=True)
class Waits:
    """How long people of one kind waited, and how many were refused."""

    seconds: list[float] = field(default_factory=list[float])
    refused: int = 0

    @property
    def p95(self) -> float:
        return sorted(self.seconds)[int(0.95 * len(self.seconds))]


def simulated(loud_servers: int, loud_per_s: float, quiet_per_s: float = 4.0) -> dict[str, Waits]:
    """Let loud servers ask so often each, and the quiet ones so often together."""
    chance, clock = random.Random(4), FakeClock()  # noqa: S311 — guards nothing
    queue = reply_queue(64, 2, clock)
    waits = {"loud": Waits(), "quiet": Waits()}
    ends: list[tuple[float, int, SlotTicket]] = []
    waiting: dict[SlotTicket, tuple[str, float]] = {}
    asks = [(n / loud_per_s, f"loud-{s}") for s in range(loud_servers) for n in range(3000)]
    asks += [(n / quiet_per_s, chance.choice(QUIET)) for n in range(int(quiet_per_s * SECONDS))]

    def go_on(now: float) -> None:
        clock.advance(now - (clock.monotonic() - 1000.0))

    def begin(now: float) -> None:
        for ticket in [ticket for ticket in waiting if not ticket.waits]:
            kind, since = waiting.pop(ticket)
            waits[kind].seconds.append(now - since)
            heapq.heappush(ends, (now + chance.uniform(*ANSWER_S), id(ticket), ticket))

    for at, server in sorted(ask for ask in asks if ask[0] < SECONDS):
        while ends and ends[0][0] <= at:
            ended, _, ticket = heapq.heappop(ends)
            go_on(ended)
            ticket.leave()
            begin(ended)
        go_on(at)
        kind, person = server.partition("-")[0], f"{server}-{chance.randrange(200)}"
        try:
            ticket = queue.enter(Claim(group=server, person=person, key=None), lambda: 1000)
        except Overloaded:
            waits[kind].refused += 1
            continue
        waiting[ticket] = (kind, at)
        begin(at)
    return waits


def test_beside_one_loud_server_the_quiet_do_not_wait_at_all() -> None:
    waits = simulated(loud_servers=1, loud_per_s=100.0)
    assert waits["quiet"].p95 == simulated(loud_servers=0, loud_per_s=1.0)["quiet"].p95 == 0.0
    assert waits["quiet"].refused == 0
    assert waits["loud"].refused > 500


@pytest.mark.parametrize("loud_servers", [2, 3])
def test_beside_several_loud_servers_the_quiet_wait_for_a_turn_only(loud_servers: int) -> None:
    waits = simulated(loud_servers=loud_servers, loud_per_s=100.0)
    assert waits["quiet"].p95 <= 0.75
    assert waits["quiet"].refused == 0
    assert 10 * waits["quiet"].p95 < waits["loud"].p95 < 2 * LONGEST_WAIT_S
