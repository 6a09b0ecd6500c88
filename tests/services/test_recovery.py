"""What becomes of replies whose process ended."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from companion.domain.actor import Actor
from companion.domain.chat import ChatEvent, Delta, Failed, Finished
from companion.domain.conversation import ConversationKey, Finish, NewTurn
from companion.domain.delivery import Checkpoint, Ending, Terms
from companion.domain.delivery_errors import Restarted
from companion.domain.errors import AlreadyAnswered, Draining
from companion.domain.models import KeyFingerprint, Payer
from companion.domain.secrets import Secret
from companion.ports.replies import Lease, StoredReply
from companion.ports.store import CallStatus
from companion.services.deliveries import LEASE_S
from companion.services.recovery import Recovered
from tests.db.things import call_start, delivery, new_turn
from tests.services.house import OPERATOR_KEY, House, text


class Ruins:
    """A house whose last process died, and what it left."""

    def __init__(self) -> None:
        self.house = House()
        self.sent = delivery()
        self.store = self.house.store
        key = self.store.fingerprints.of_key(Secret(OPERATOR_KEY))
        self.terms = Terms(payer=Payer.OPERATOR, fingerprint=key)

    async def leave(self, *, answer: str = "", arrived_only: bool = False) -> NewTurn | None:
        """Leave a reply as a dead process would."""
        sent, now = self.sent, self.house.clock.now()
        lease, until = Lease(reply=sent.id, owner="dead"), now + timedelta(seconds=LEASE_S)
        async with self.store.write() as unit:
            if arrived_only:
                await unit.replies.arrive([sent], "dead", until)
                return None
            person = await unit.people.ensure(Actor(name="Ada", discord_id=sent.asker))
            place = sent.place
            home = await unit.conversations.ensure(
                ConversationKey(
                    channel_id=place.channel_id, owner_id=person, guild_id=place.guild_id
                )
            )
            turn = new_turn(home, person, "Why?", interaction_id=sent.origin)
            await unit.turns.begin(turn)
            await unit.replies.accept(sent, lease, turn.id, self.terms, until)
            await unit.provider_log.start(call_start(person, turn=turn.id, conversation=home))
            written = Checkpoint(
                turn_id=turn.id, conversation_id=home, author_id=person, answer=answer
            )
            await unit.turns.checkpoint([written] if answer else [])
        return turn

    async def take(self) -> Sequence[StoredReply]:
        """Look again when the leases have run out."""
        self.house.clock.advance(LEASE_S)
        return await self.house.services.recovery.take()

    async def bring(self) -> Recovered:
        """Take over the one reply."""
        (reply,) = await self.take()
        return await self.house.services.recovery.bring(reply)


async def all_of(events: AsyncGenerator[ChatEvent]) -> list[ChatEvent]:
    return [event async for event in events]


@pytest.fixture
def ruins() -> Ruins:
    return Ruins()


async def test_what_somebody_works_on_is_left_alone(ruins: Ruins) -> None:
    await ruins.leave()
    assert await ruins.house.services.recovery.take() == ()


async def test_what_only_arrived_is_told_to_be_asked_again(ruins: Ruins) -> None:
    await ruins.leave(arrived_only=True)
    recovered = await ruins.bring()
    (event,) = await all_of(recovered.events)
    assert isinstance(event, Failed)
    assert isinstance(event.error, Restarted)


async def test_what_another_process_answers_is_left_to_it(ruins: Ruins) -> None:
    await ruins.leave()
    ruins.sent = replace(delivery(), origin=ruins.sent.origin)
    await ruins.leave(arrived_only=True)
    found = {reply.turn_id is None: reply for reply in await ruins.take()}
    recovered = await ruins.house.services.recovery.bring(found[True])
    (event,) = await all_of(recovered.events)
    assert isinstance(event, Failed)
    assert isinstance(event.error, AlreadyAnswered)


async def test_what_was_not_begun_to_be_written_is_made_once_more(ruins: Ruins) -> None:
    await ruins.leave()
    recovered = await ruins.bring()
    events = await all_of(recovered.events)
    assert recovered.anew
    assert isinstance(events[-1], Finished)
    assert text(events)
    assert ruins.house.texts_sent[-1] == ("user", "Why?")
    (stored,) = ruins.house.turns  # the new one took the old one's place
    assert stored.finish is Finish.COMPLETE
    async with ruins.store.read() as unit:
        assert await unit.turns.asked_by(ruins.sent.origin) == stored
    assert {call.end.status for call in ruins.house.log if call.end} == {
        CallStatus.CUT,
        CallStatus.OK,
    }


async def test_it_is_made_once_more_only_once(ruins: Ruins) -> None:
    await ruins.leave()
    await ruins.take()
    async with ruins.store.write() as unit:
        late = ruins.house.clock.now() + timedelta(seconds=LEASE_S)
        (again,) = await unit.replies.take_expired("third", late, late, 1)
    recovered = await ruins.house.services.recovery.bring(again)
    assert not recovered.anew
    (event,) = await all_of(recovered.events)
    assert isinstance(event, Failed)
    assert event.turn_id == again.turn_id
    assert ruins.house.sent == []


@pytest.mark.parametrize(
    "terms",
    [
        Terms(payer=Payer.PERSON, fingerprint=KeyFingerprint("another")),
        Terms(payer=Payer.OPERATOR, fingerprint=KeyFingerprint("x"), repeatable=False),
    ],
    ids=["another key would pay", "it had pictures"],
)
async def test_what_cannot_be_repeated_as_it_was_is_not_sent_anywhere(
    ruins: Ruins, terms: Terms
) -> None:
    ruins.terms = terms
    await ruins.leave()
    events = await all_of((await ruins.bring()).events)
    assert isinstance(events[-1], Failed)
    assert isinstance(events[-1].error, Restarted)
    assert ruins.house.sent == []


async def test_what_was_written_is_kept_and_marked(ruins: Ruins) -> None:
    await ruins.leave(answer="Because of the")
    recovered = await ruins.bring()
    events = await all_of(recovered.events)
    assert not recovered.anew
    assert [event.text for event in events if isinstance(event, Delta)] == ["Because of the"]
    end = events[-1]
    assert isinstance(end, Finished)
    assert (end.finish, type(end.cause)) == (Finish.INTERRUPTED, Draining)
    (stored,) = ruins.house.turns
    assert (stored.answer, stored.finish) == ("Because of the", Finish.INTERRUPTED)
    (call,) = ruins.house.log
    assert call.end is not None
    assert call.end.status is CallStatus.CUT
    assert call.end.usage is not None
    assert call.end.usage.estimated
    assert ruins.house.sent == []


async def test_an_ended_answer_is_shown_as_it_ended(ruins: Ruins) -> None:
    turn = await ruins.leave()
    assert turn is not None
    async with ruins.store.write() as unit:
        await unit.turns.finish(turn, answer="All.", finish=Finish.COMPLETE, usage=None)
        await unit.replies.answered(
            Lease(reply=ruins.sent.id, owner="dead"), Ending(seconds=2.5, cost_micros=None)
        )
    events = await all_of((await ruins.bring()).events)
    assert text(events) == "All."
    end = events[-1]
    assert isinstance(end, Finished)
    assert (end.finish, end.seconds, end.turn_id) == (Finish.COMPLETE, 2.5, turn.id)


async def test_a_stopping_process_leaves_it_to_the_next(ruins: Ruins) -> None:
    await ruins.leave()
    recovered = await ruins.bring()
    await ruins.house.services.chat.drain(0)
    (event,) = await all_of(recovered.events)
    assert isinstance(event, Failed)
    assert isinstance(event.error, Draining)


@pytest.mark.parametrize("answer", ["", "Half"])
async def test_a_reply_in_a_server_that_was_left_is_only_brought_to_its_end(
    ruins: Ruins, answer: str
) -> None:
    await ruins.leave(answer=answer)
    guild = ruins.sent.place.guild_id
    assert guild is not None
    await ruins.house.services.membership.left(guild)
    recovered = await ruins.bring()
    assert not recovered.deliverable
    await all_of(recovered.events)
    assert not ruins.house.provider.calls
    (turn,) = ruins.house.turns
    assert turn.finish is Finish.INTERRUPTED
    assert all(call.end for call in ruins.house.log)


async def test_a_reply_to_who_brought_the_app_along_is_brought_there(ruins: Ruins) -> None:
    place = ruins.sent.place
    assert place.guild_id is not None
    ruins.sent = replace(ruins.sent, place=replace(place, user_install_only=True))
    await ruins.leave()
    await ruins.house.services.membership.left(place.guild_id)
    recovered = await ruins.bring()
    assert recovered.deliverable
    assert isinstance((await all_of(recovered.events))[-1], Finished)
