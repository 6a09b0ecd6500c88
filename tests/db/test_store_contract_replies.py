"""What every store does with replies that are on their way to Discord."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from companion.domain.conversation import Finish, TurnId
from companion.domain.delivery import Checkpoint, Ending, ReplyState, Shown
from companion.ports.replies import Lease, StoredReply
from companion.ports.store import Store
from tests.db.things import NOON, delivery, new_conversation, new_person, new_turn, terms

SOON = NOON + timedelta(seconds=6)
LATER = SOON + timedelta(seconds=6)


@pytest.fixture
def store(any_store: Store) -> Store:
    return any_store


async def taken(store: Store, owner: str = "b") -> list[StoredReply]:
    async with store.write() as unit:
        return list(await unit.replies.take_expired(owner, SOON, LATER, 10))


async def test_a_reply_that_only_arrived_is_taken_over_as_it_was(store: Store) -> None:
    sent = delivery()
    async with store.note() as unit:
        await unit.replies.arrive([sent, delivery(token=None)], "a", SOON)
        await unit.replies.arrive([replace(sent, private=True)], "c", LATER)
    first = next(reply for reply in await taken(store) if reply.delivery.id == sent.id)
    assert first.delivery == sent
    assert first.lease == Lease(reply=sent.id, owner="b", fence=2)
    assert (first.state, first.turn_id, first.attempts) == (ReplyState.ARRIVED, None, 1)


async def test_all_that_was_stored_of_a_reply_is_taken_over(store: Store) -> None:
    sent, turn = delivery(), TurnId(uuid4())
    lease, shown = Lease(reply=sent.id, owner="a"), Shown(follow_ups=("7",), in_channel=(8,))
    async with store.write() as unit:
        await unit.replies.arrive([sent], "a", SOON)
        known = replace(sent, private=True)
        assert await unit.replies.accept(known, lease, turn, terms(), SOON)
        await unit.replies.note_shown([(lease, shown)])
        assert await unit.replies.answered(lease, Ending(seconds=2.5, cost_micros=None))
    (reply,) = await taken(store)
    assert reply.delivery == known
    assert (reply.turn_id, reply.terms, reply.shown) == (turn, terms(), shown)
    assert reply.state is ReplyState.ANSWERED
    assert reply.ending == Ending(seconds=2.5)


async def test_nobody_takes_over_what_somebody_works_on(store: Store) -> None:
    sent = delivery()
    async with store.write() as unit:
        await unit.replies.arrive([sent], "a", SOON)
        assert await unit.replies.renew("a", LATER) == {sent.id: 1}
        assert not await unit.replies.any_expired("b", SOON)
    assert await taken(store) == []
    async with store.write() as unit:
        assert await unit.replies.release("a", SOON) == 1
        assert await unit.replies.any_expired("b", SOON)
        assert not await unit.replies.any_expired("a", SOON)
    assert len(await taken(store)) == 1


async def test_who_lost_a_lease_changes_nothing_any_more(store: Store) -> None:
    sent = delivery()
    lease = Lease(reply=sent.id, owner="a")
    async with store.write() as unit:
        assert await unit.replies.accept(sent, lease, TurnId(uuid4()), terms(), SOON)
    (reply,) = await taken(store)
    async with store.write() as unit:
        assert await unit.replies.renew("a", LATER) == {}
        assert not await unit.replies.accept(sent, lease, TurnId(uuid4()), terms(), LATER)
        assert not await unit.replies.answered(lease, Ending(seconds=1.0))
        await unit.replies.note_shown([(lease, Shown(follow_ups=("9",)))])
        await unit.replies.remove([lease])
        await unit.replies.release("b", SOON)
    (again,) = await taken(store, "c")
    assert replace(again, lease=reply.lease, attempts=1) == reply


async def test_a_removed_reply_is_gone(store: Store) -> None:
    sent = [delivery(), delivery()]
    async with store.write() as unit:
        await unit.replies.arrive(sent, "a", SOON)
        await unit.replies.remove([Lease(reply=each.id, owner="a") for each in sent])
    assert await taken(store) == []


async def test_no_more_are_taken_than_asked_for(store: Store) -> None:
    async with store.write() as unit:
        await unit.replies.arrive([delivery() for _ in range(3)], "a", SOON)
        assert len(await unit.replies.take_expired("b", SOON, LATER, 2)) == 2
        assert len(await unit.replies.take_expired("b", SOON, LATER, 2)) == 1


async def test_a_checkpoint_stays_out_of_the_history_and_of_ended_turns(store: Store) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        home = await new_conversation(unit, person)
        turn = new_turn(home, person)
        assert await unit.turns.begin(turn) is not None
        half = Checkpoint(
            turn_id=turn.id, conversation_id=home, author_id=person, answer="Because of"
        )
        await unit.turns.checkpoint([half, replace(half, turn_id=TurnId(uuid4()))])
        stored = await unit.turns.find(turn.id)
        assert stored is not None
        assert (stored.answer, stored.finish) == ("Because of", None)
        assert await unit.turns.newest(home) == 0
        assert await unit.turns.before(home, None, 9) == []
        await unit.turns.finish(turn, answer="All.", finish=Finish.COMPLETE, usage=None)
        await unit.turns.checkpoint([half])
        stored = await unit.turns.find(turn.id)
    assert stored is not None
    assert stored.answer == "All."
