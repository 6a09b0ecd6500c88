"""Everything that changes a conversation, at once: nobody waits for each other in a ring."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from companion.db.uow import SqlStore
from companion.domain.actor import Actor, ChannelId, MessageId, PersonId
from companion.domain.conversation import ConversationId, ConversationKey, Finish, Fork, Summary
from tests.db.things import (
    call_end,
    call_start,
    new_actor,
    new_conversation,
    new_person,
    new_turn,
    say,
)

ROUNDS = 12


async def answer_and_replace(
    store: SqlStore, conversation: ConversationId, person: PersonId, number: int
) -> None:
    """Do what a reply does, and then what having it anew does."""
    async with store.write() as unit:
        old = await say(unit, conversation, person)
    async with store.write() as unit:
        new = new_turn(conversation, person)
        await unit.turns.begin(new)
        call = call_start(person, turn=new.id, conversation=conversation)
        await unit.provider_log.start(call)
    messages = [MessageId(number * 10), MessageId(number * 10 + 1)]

    async def note() -> None:
        for turn in (old.id, new.id):
            async with store.write() as unit:
                await unit.answer_messages.note(turn, ChannelId(1), messages)

    async def finish() -> None:
        async with store.write() as unit:
            await unit.turns.replace(old.id, new.id)
            await unit.turns.finish(new, answer="Yes.", finish=Finish.COMPLETE, usage=None)
            await unit.provider_log.end(call.id, call_end())

    await asyncio.gather(note(), finish())


async def summarise(store: SqlStore, conversation: ConversationId) -> None:
    async with store.read() as unit:
        (level, *_) = await unit.conversations.lineage(conversation, 4)
    async with store.write() as unit:
        told = Summary(conversation_id=conversation, upto_position=1, text="They met.")
        await unit.summaries.save(told, level.revision)


async def take_back(store: SqlStore, conversation: ConversationId, person: PersonId) -> None:
    async with store.write() as unit:
        for turn in await unit.turns.before(conversation, None, 1):
            await unit.turns.remove(turn.id)
    async with store.write() as unit:
        await unit.conversations.clear_of(conversation, person)
    async with store.write() as unit:
        await unit.conversations.clear(conversation)


async def test_all_changes_at_once_all_pass(store: SqlStore) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        main = await new_conversation(unit, person)
        key = ConversationKey(channel_id=ChannelId(1), owner_id=person, branch=uuid4())
        fork = await unit.conversations.ensure(key, Fork(conversation_id=main, position=1))
    async with asyncio.timeout(60):
        for number in range(1, ROUNDS + 1):
            await asyncio.gather(
                answer_and_replace(store, main, person, number),
                answer_and_replace(store, fork, person, number + 100),
                *(summarise(store, each) for each in (main, fork)),
                *(take_back(store, each, person) for each in (main, fork)),
            )
    async with store.write() as unit:
        for each in (main, fork):
            await unit.conversations.clear(each)
            (level, *_) = await unit.conversations.lineage(each, 1)
            assert (level.turn_count, level.summary) == (0, None)


async def test_first_turns_of_a_person_at_once_in_few_places_all_pass(store: SqlStore) -> None:
    """Two processes hear the same of somebody new: each makes the same rows, and waits for none."""

    async def begin(actor: Actor, channel: int) -> None:
        async with store.write() as unit:
            person = await unit.people.ensure(actor)
            conversation = await new_conversation(unit, person, channel)
            await unit.turns.begin(new_turn(conversation, person))

    for _ in range(ROUNDS):
        actor = new_actor()
        async with asyncio.timeout(20):
            await asyncio.gather(*(begin(actor, channel) for channel in (1, 2, 3) * 3))
