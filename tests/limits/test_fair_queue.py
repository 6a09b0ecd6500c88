from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.domain.queue_errors import Overloaded
from companion.limits.deficit_round import CREDIT, DEAREST
from companion.limits.fair_queue import (
    DESK,
    FIRST_GUESS_S,
    LONGEST_WAIT_S,
    QueueSizes,
    SlotQueue,
    SlotTicket,
    desk_queue,
)
from companion.ports.limits import Claim
from tests.fakes import FakeClock


class Line:
    """A queue, and short ways to stand in it."""

    def __init__(self, process: int = 4, person: int = 4) -> None:
        self.clock = FakeClock()
        self.sizes = QueueSizes(
            process=process, person=person, waiting=64, first_guess_s=FIRST_GUESS_S
        )
        self.queue = SlotQueue(self.sizes, self.clock)

    def enter(
        self,
        person: str = "ada",
        group: str = "here",
        *,
        key: str | None = None,
        cost: int = CREDIT,
    ) -> SlotTicket:
        return self.queue.enter(Claim(group=group, person=person, key=key), lambda: cost)

    def fill(self) -> list[SlotTicket]:
        """Take all slots, each for someone of their own."""
        return [self.enter(f"p{n}", f"g{n}") for n in range(self.sizes.process)]


def leave(ticket: SlotTicket) -> None:
    with ticket:
        pass


def served(waiting: list[SlotTicket], slot: SlotTicket) -> list[SlotTicket]:
    """Pass one slot on until nobody waits; return them in the order of their turns."""
    order: list[SlotTicket] = []
    left = list(waiting)
    while left:
        leave(slot)
        (slot,) = [ticket for ticket in left if not ticket.waits]
        left.remove(slot)
        order.append(slot)
    leave(slot)
    return order


async def test_a_free_slot_is_there_at_once_and_asks_nobody_what_it_costs() -> None:
    line = Line()

    def cost() -> int:
        raise AssertionError

    with line.queue.enter(Claim(group="g", person="p", key=None), cost) as ticket:
        assert not ticket.waits
        assert ticket.standing() is None
        await ticket.wait()
        assert line.queue.running == 1
    assert line.queue.running == line.queue.waiting == 0


async def test_who_waits_is_woken_by_a_slot_given_back() -> None:
    line = Line(process=1, person=1)
    first, second = line.enter("ada"), line.enter("grace")
    assert second.waits
    assert line.queue.is_full
    waiting = asyncio.create_task(second.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    leave(first)
    await waiting
    assert not second.waits
    assert (line.queue.running, line.queue.waiting) == (1, 0)


async def test_who_is_known_to_come_counts_like_who_waits_and_only_in_their_server() -> None:
    line = Line(process=4)
    here = Claim(group="here", person="ada", key=None)
    line.queue.check(here, 3)
    line.queue.check(here, line.sizes.waiting_of_group - 1)
    with pytest.raises(Overloaded) as refused:
        line.queue.check(here, 100)
    assert refused.value.retry_after_s > LONGEST_WAIT_S
    assert line.queue.running == line.queue.waiting == 0
    assert not line.enter().waits


async def test_a_crowd_is_who_runs_and_who_waits_of_a_server() -> None:
    line = Line(process=1)
    crowd = [line.enter(), line.enter("grace"), line.enter("hal", "there")]
    here, there = (ticket.claim for ticket in crowd[1:])
    assert (line.queue.crowd(here), line.queue.crowd(there)) == (2, 1)
    for ticket in crowd:
        leave(ticket)
    assert (line.queue.crowd(here), line.queue.crowd(there)) == (0, 0)


async def test_waiting_ends_after_the_time_given() -> None:
    line = Line(process=1)
    line.fill()
    ticket = line.enter()
    await ticket.wait(0.001)
    assert ticket.waits


async def test_who_gives_up_leaves_no_gap() -> None:
    line = Line(process=1, person=1)
    first, second, third = line.enter("a"), line.enter("b"), line.enter("c")
    leave(second)
    leave(first)
    assert not third.waits
    leave(third)
    leave(third)
    assert line.queue.running == line.queue.waiting == 0


async def test_a_person_and_a_key_of_ones_own_have_slots_of_their_own() -> None:
    line = Line(process=4, person=2)
    own = [line.enter("ada") for _ in range(3)]
    assert [ticket.waits for ticket in own] == [False, False, True]
    assert not line.enter("grace").waits
    other = Line(process=8, person=2)
    keyed = [other.enter(f"p{n}", f"g{n}", key="k") for n in range(7)]
    assert [ticket.waits for ticket in keyed] == [False] * 6 + [True]
    assert not other.enter("q", "h", key="other").waits


async def test_one_server_never_has_all_slots() -> None:
    line = Line(process=8, person=2)
    for number in range(20):
        line.enter(f"p{number}", "loud")
    assert line.queue.running == line.sizes.group == 6
    assert not line.enter("quiet", "calm").waits


async def test_one_server_has_half_of_the_desk() -> None:
    desk = desk_queue(64, FakeClock())
    for number in range(20):
        desk.enter(Claim(group="loud", person=f"p{number}", key=None), lambda: CREDIT)
    assert desk.running == DESK // 2


async def test_servers_take_turns_whoever_asked_first() -> None:
    line = Line(process=1, person=1)
    slot = line.enter("x", "other")
    loud = [line.enter(f"p{n}", "loud") for n in range(4)]
    calm = [line.enter("q", "calm")]
    order = served(loud + calm, slot)
    assert order.index(calm[0]) <= 1


async def test_people_of_a_server_take_turns() -> None:
    line = Line(process=1, person=1)
    slot = line.enter("x", "other")
    greedy = [line.enter("greedy", "here") for _ in range(4)]
    modest = line.enter("modest", "here")
    assert served([*greedy, modest], slot).index(modest) <= 1


async def test_who_asks_for_more_work_has_fewer_turns() -> None:
    line = Line(process=1, person=1)
    slot = line.enter("x", "other")
    dear = [line.enter("dear", "dear", cost=3 * CREDIT) for _ in range(2)]
    cheap = [line.enter(f"c{n}", "cheap", cost=CREDIT) for n in range(3)]
    order = served(dear + cheap, slot)
    assert [ticket in dear for ticket in order[:3]].count(True) <= 1
    assert order[-1] in dear


async def test_nothing_costs_so_much_that_its_turn_never_comes() -> None:
    line = Line(process=1, person=1)
    slot = line.enter("x", "other")
    dear = line.enter("dear", "dear", cost=10**12)
    cheap = [line.enter(f"p{n}", f"g{n}") for n in range(3)]
    assert len(served([dear, *cheap], slot)) == 4
    assert DEAREST < 10**12


async def test_the_estimate_follows_how_long_slots_are_held() -> None:
    line = Line(process=2, person=2)
    first, second = line.fill()
    before = line.enter("a", "a").standing()
    assert before
    assert (before.ahead, before.wait_s) == (0, FIRST_GUESS_S / 2)
    line.clock.advance(60)
    leave(first)
    leave(second)
    held = [line.enter("b", "b") for _ in range(2)]
    standing = held[-1].standing()
    assert standing
    assert standing.wait_s > before.wait_s


async def test_a_place_moves_up() -> None:
    line = Line(process=1, person=1)
    slot = line.enter("x", "x")
    waiting = [line.enter(f"p{n}", f"g{n}") for n in range(3)]
    first = waiting[-1].standing()
    assert first
    assert first.ahead == 2
    leave(slot)
    assert not waiting[0].waits
    last = waiting[-1].standing()
    assert last
    assert last.ahead <= 1


async def test_whose_wait_would_be_long_is_refused_with_the_time() -> None:
    line = Line(process=1, person=1)
    line.fill()
    fits = int(LONGEST_WAIT_S / FIRST_GUESS_S)
    for number in range(fits):
        line.enter(f"p{number}")
    with pytest.raises(Overloaded) as refused:
        line.enter("late")
    assert refused.value.scope == "process"
    assert refused.value.retry_after_s == (fits + 1) * FIRST_GUESS_S
    assert line.queue.waiting == fits


@pytest.mark.parametrize(("who", "scope"), [("p", "user"), ("p{}", "guild")])
async def test_nobody_fills_the_queue_alone(who: str, scope: str) -> None:
    line = Line(process=8, person=8)
    slots = line.fill()
    for _ in range(200):  # slots are held for no time at all, so no wait is too long
        leave(slots.pop(0))
        slots.append(line.enter("quick", "quick"))
    with pytest.raises(Overloaded) as refused:
        for number in range(line.sizes.waiting):
            line.enter(who.format(number), "g")
    assert refused.value.scope == scope
    assert line.queue.waiting < line.sizes.waiting // 2
    line.enter("someone", "else")


Event = tuple[int, int]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), max_size=120))
def test_slots_are_neither_lost_nor_made_up(events: list[Event]) -> None:
    """Whoever comes and goes: no limit is passed, and no slot idles while someone could use it."""
    line = Line(process=4, person=2)
    tickets: list[SlotTicket] = []
    for action, number in events:
        if action < 2 or not tickets:
            person, group = f"p{number % 7}", f"g{number % 3}"
            try:
                tickets.append(line.enter(person, group, cost=number * 100))
            except Overloaded:
                continue
        else:
            leave(tickets.pop(number % len(tickets)))
        running = [ticket for ticket in tickets if not ticket.waits]
        assert len(running) == line.queue.running <= 4
        assert len(tickets) - len(running) == line.queue.waiting
        people = Counter(ticket.claim.person for ticket in running)
        groups = Counter(ticket.claim.group for ticket in running)
        assert max(people.values(), default=0) <= 2
        assert max(groups.values(), default=0) <= line.sizes.group
        if len(running) < 4:
            assert all(
                people[t.claim.person] == 2 or groups[t.claim.group] == line.sizes.group
                for t in tickets
                if t.waits
            )
    for ticket in tickets:
        leave(ticket)
    assert line.queue.running == line.queue.waiting == 0
