"""Many people at once: nothing mixes, nothing is left over."""

from __future__ import annotations

import asyncio

from companion.domain.chat import ChatEvent, Queued
from companion.domain.conversation import Finish
from companion.domain.errors import ProviderTimedOut
from tests.services.house import House, channel, finished, person, text

PEOPLE = [person(1000 + number, f"Person {number}") for number in range(50)]


async def test_fifty_people_get_their_own_answers_paid_by_their_own_keys(house: House) -> None:
    for who in PEOPLE:
        await house.save_key(f"sk-key-of-{who.discord_id}", who=who)
    events = await asyncio.gather(
        *(house.ask(f"I am {who.discord_id}", who=who, where=channel(7)) for who in PEOPLE)
    )
    for who, seen in zip(PEOPLE, events, strict=True):
        assert text(seen) == f"You said: I am {who.discord_id}"
    for credential, call in house.provider.calls:
        assert call.messages[-1].text == f"I am {credential.key.reveal().rpartition('-')[2]}"
        assert len(call.messages) == 2
    assert {turn.finish for turn in house.turns} == {Finish.COMPLETE}
    assert len({turn.conversation_id for turn in house.turns}) == len(PEOPLE)
    assert len(house.log) == len(PEOPLE)


async def test_second_questions_see_ones_own_first_only(house: House) -> None:
    await asyncio.gather(*(house.ask(f"First of {who.name}", who=who) for who in PEOPLE))
    await asyncio.gather(*(house.ask(f"Second of {who.name}", who=who) for who in PEOPLE))
    for call in house.sent[len(PEOPLE) :]:
        first, _, second = call.messages[1:]
        assert first.text.removeprefix("First") == second.text.removeprefix("Second")


async def test_two_at_once_of_one_person_are_both_kept(house: House) -> None:
    await asyncio.gather(*(house.ask(f"Question {number}") for number in range(2)))
    assert sorted(turn.position for turn in house.turns) == [1, 2]
    await house.ask("Third")
    assert len(house.texts_sent) == 6


async def test_nothing_leaks_whatever_happens() -> None:
    house = House(max_streams=8, max_streams_per_user=2)
    outcomes = [("Text",), ("Half", ProviderTimedOut()), (ProviderTimedOut(),)]
    for number in range(60):
        house.provider.script(*outcomes[number % 3])
    asked = [house.ask(who=PEOPLE[number % 20]) for number in range(60)]
    seen: list[list[ChatEvent]] = await asyncio.gather(*asked)
    assert any(isinstance(event, Queued) for events in seen for event in events)
    assert len(house.provider.calls) == len(house.log) == len(house.turns)
    assert house.services.chat.running == house.provider.open == 0
    assert house.queue.running == house.queue.waiting == 0
    house.provider.scripts.clear()
    for who in PEOPLE[:8]:
        finished([(await house.ask(who=who))[-1]])
    await house.services.close()
