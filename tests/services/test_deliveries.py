"""What a process keeps of the replies it is writing, and what it may still write."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from companion.domain.chat import ChatEvent, Delta, Started
from companion.domain.conversation import Finish, NewTurn
from companion.domain.delivery import Delivery, Ending, ReplyState, Shown
from companion.domain.errors import AlreadyAnswered, StorageUnavailable
from companion.ports.replies import StoredReply
from companion.services import deliveries
from companion.services.background import BackgroundTasks
from companion.services.deliveries import LEASE_S, Deliveries
from companion.services.running_turns import Cut, Running
from tests.db.things import delivery, new_conversation, new_person, new_turn, terms
from tests.fakes import FakeClock, FakeStore
from tests.services.house import House, finished, request, until


class Desk:
    """Two processes on one database."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = FakeStore(self.clock.now)
        self.mine = self.process()
        self.other = self.process()
        self.running = Running(owner="discord:1", place=delivery().place)

    def process(self) -> Deliveries:
        return Deliveries(store=self.store, clock=self.clock, tasks=BackgroundTasks())

    @property
    def stored(self) -> list[StoredReply]:
        return [row.reply for row in self.store.tables.replies.values()]

    async def begun(
        self, sent: Delivery, texts: Sequence[str] = (), by: Deliveries | None = None
    ) -> NewTurn:
        by = by or self.mine
        async with self.store.write() as unit:
            person = await new_person(unit)
            turn = new_turn(await new_conversation(unit, person), person)
            await by.begin(unit, sent, turn.id, terms())
            assert await unit.turns.begin(turn)
        by.follow(sent.id, turn, texts)
        by.watch(sent, self.running)
        return turn

    async def taken_by_another(self) -> StoredReply:
        self.clock.advance(LEASE_S + 1)
        async with self.store.write() as unit:
            now = self.clock.now()
            (reply,) = await unit.replies.take_expired(self.other.owner, now, now, 1)
        return reply


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_what_arrived_is_stored_before_anything_is_done_with_it(desk: Desk) -> None:
    sent = delivery()
    await desk.mine.arrive(sent)
    (reply,) = desk.stored
    assert (reply.delivery, reply.state) == (sent, ReplyState.ARRIVED)


async def test_all_that_runs_is_kept_in_one_transaction(desk: Desk) -> None:
    texts = [["Because "], ["It "]]
    sent = [delivery(), delivery()]
    turns = [await desk.begun(each, text) for each, text in zip(sent, texts, strict=True)]
    for each in sent:
        desk.mine.show(each.id, Shown(follow_ups=("7",)))
    await asyncio.sleep(0.01)
    desk.clock.advance(1)
    before = desk.store.writes
    await desk.mine.keep()
    assert desk.store.writes == before + 1
    stored = desk.store.tables.turns
    assert [stored[turn.id].answer for turn in turns] == ["Because ", "It "]
    assert [reply.shown for reply in desk.stored] == [Shown(follow_ups=("7",))] * 2


async def test_a_shown_reply_leaves_nothing_behind(desk: Desk) -> None:
    sent = delivery()
    await desk.mine.arrive(sent)
    await desk.mine.keep()
    desk.mine.finish(sent.id)
    await desk.mine.keep()
    assert desk.stored == []
    assert len(desk.mine) == 0
    assert not await desk.mine.holds(sent.id)


async def test_who_was_taken_over_writes_nothing_more_and_stops(desk: Desk) -> None:
    sent = delivery()
    turn = await desk.begun(sent, ["late"])
    await desk.mine.keep()
    taken = await desk.taken_by_another()
    assert not await desk.mine.holds(sent.id)
    assert desk.running.cut_by is Cut.DOOR_GONE
    async with desk.store.write() as unit:
        assert not await desk.mine.end(unit, sent.id, Ending(seconds=1))
        assert (await unit.turns.find(turn.id)).finish is None  # type: ignore[union-attr]  # it is there
    assert [reply.lease for reply in desk.stored] == [taken.lease]


async def test_a_lease_that_ran_out_unseen_is_taken_up_again(desk: Desk) -> None:
    sent = delivery()
    await desk.begun(sent)
    await desk.mine.keep()
    desk.clock.advance(LEASE_S + 1)
    assert await desk.mine.holds(sent.id)


async def test_nothing_is_written_while_nobody_can_say_whose_it_is(desk: Desk) -> None:
    sent = delivery()
    await desk.begun(sent)
    await desk.mine.keep()
    desk.store.down = True
    desk.clock.advance(LEASE_S + 1)
    asked = asyncio.create_task(desk.mine.holds(sent.id))
    await asyncio.sleep(0.01)
    assert not asked.done()
    desk.store.down = False
    desk.clock.advance(1)
    assert await asked


@pytest.mark.parametrize("reason", ["full", "read_only"])
async def test_a_database_that_takes_nothing_from_anybody_stops_no_reply(
    desk: Desk, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = delivery()
    await desk.begun(sent)
    await desk.mine.keep()

    def refuse() -> None:
        raise StorageUnavailable(reason=reason)

    monkeypatch.setattr(desk.store, "note", refuse)
    desk.clock.advance(LEASE_S + 1)
    asked = asyncio.create_task(desk.mine.holds(sent.id))
    await until(lambda: desk.clock.sleeping)
    desk.clock.advance(1)
    assert await asked


async def test_of_two_processes_with_one_interaction_only_one_begins(desk: Desk) -> None:
    sent = delivery()
    await desk.other.arrive(sent)
    await desk.other.keep()
    with pytest.raises(AlreadyAnswered):
        await desk.begun(sent)
    await desk.begun(sent, by=desk.other)


async def test_what_a_stopping_process_leaves_can_be_taken_at_once(desk: Desk) -> None:
    sent = delivery()
    turn = await desk.begun(sent, ["So"])
    await desk.mine.release()
    async with desk.store.write() as unit:
        now = desk.clock.now()
        assert len(await unit.replies.take_expired(desk.other.owner, now, now, 9)) == 1
    kept = desk.store.tables.turns[turn.id]
    assert (kept.answer, kept.finish) == ("So", None)
    assert not await desk.mine.holds(sent.id)


async def test_an_ended_answer_is_not_overwritten_by_a_late_checkpoint(desk: Desk) -> None:
    sent = delivery()
    turn = await desk.begun(sent, ["All"])
    async with desk.store.write() as unit:
        assert await desk.mine.end(unit, sent.id, Ending(seconds=1.0))
        await unit.turns.finish(turn, answer="All.", finish=Finish.COMPLETE, usage=None)
    await desk.mine.keep()
    assert desk.store.tables.turns[turn.id].answer == "All."
    assert [reply.state for reply in desk.stored] == [ReplyState.ANSWERED]


async def test_a_reply_is_stored_as_running_then_as_answered_and_goes_when_shown() -> None:
    house, sent = House(), delivery()
    states: list[ReplyState] = []
    seen: list[ChatEvent] = []
    async for event in house.services.chat.ask(request("Why?", delivery=sent)):
        states += [row.reply.state for row in house.store.tables.replies.values()]
        seen.append(event)
    last = finished(seen)
    assert set(states) == {ReplyState.RUNNING, ReplyState.ANSWERED}
    (row,) = house.store.tables.replies.values()
    assert row.reply.turn_id == last.turn_id
    assert row.reply.ending == Ending(seconds=last.seconds, cost_micros=last.cost_micros)
    house.services.deliveries.finish(sent.id)
    await house.services.deliveries.keep()
    assert house.store.tables.replies == {}


async def test_an_answer_that_waits_for_the_database_keeps_its_row() -> None:
    house, sent = House(), delivery()
    events = house.services.chat.ask(request("Why?", delivery=sent))
    async for event in events:
        house.store.down = isinstance(event, Started | Delta)
    house.services.deliveries.finish(sent.id)
    house.store.down = False
    await house.services.deliveries.keep()
    assert len(house.store.tables.replies) == 1
    house.clock.advance(1)
    await until(lambda: house.turns[-1].finish is Finish.COMPLETE)
    await until(lambda: house.services.tasks.runs("store an ended turn") is False)
    await house.services.deliveries.keep()
    assert house.store.tables.replies == {}


async def test_whoever_lost_a_reply_leaves_its_turn_to_the_other() -> None:
    house, sent = House(), delivery()
    other = Deliveries(store=house.store, clock=house.clock, tasks=BackgroundTasks())
    async for event in house.services.chat.ask(request("Why?", delivery=sent)):
        if isinstance(event, Started):
            async with house.store.write() as unit:
                late = house.clock.now() + timedelta(seconds=LEASE_S)
                assert await unit.replies.take_expired(other.owner, late, late, 9)
    assert [turn.finish for turn in house.turns] == [None]


async def test_a_slow_database_holds_up_no_acknowledgement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk()
    monkeypatch.setattr(deliveries, "LONGEST_ARRIVAL_S", 0.01)
    async with desk.store.write():  # whoever writes now waits
        await desk.mine.arrive(delivery())
        monkeypatch.setattr(deliveries, "LONGEST_ARRIVAL_S", 9.0)
        async with asyncio.timeout(0.1):  # it is known to be slow by now
            await desk.mine.arrive(delivery())
    await until(lambda: desk.stored)


async def test_a_failing_database_is_not_waited_for() -> None:
    desk = Desk()
    desk.store.down = True
    await desk.mine.arrive(delivery())
    async with asyncio.timeout(0.1):
        await desk.mine.arrive(delivery())


async def test_the_first_words_are_kept_before_they_are_shown(desk: Desk) -> None:
    sent, texts = delivery(), list[str]()
    turn = await desk.begun(sent, texts)
    await desk.mine.keep()
    texts.append("So")
    desk.mine.about_to_show(sent.id)
    await until(lambda: desk.store.tables.turns[turn.id].answer)
    assert desk.store.tables.turns[turn.id].answer == "So"
