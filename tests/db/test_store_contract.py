"""What every store does with people, conversations and turns: real databases and fakes alike."""

from __future__ import annotations

from uuid import uuid4

import pytest

from companion.domain.actor import Actor, ChannelId, DiscordUserId, InteractionId
from companion.domain.conversation import ConversationKey, Finish, TurnId
from companion.domain.usage import Usage
from companion.ports.store import Store
from tests.db.conftest import HandClock
from tests.db.things import USAGE, add_turn, new_actor, new_conversation, new_person, new_turn

BIGGEST_SNOWFLAKE = 2**63 - 1


class NotToday(Exception):
    pass


@pytest.fixture
def store(any_store: Store) -> Store:
    return any_store


# Transactions


async def test_what_a_block_wrote_is_there_after_it(store: Store) -> None:
    actor = new_actor()
    async with store.write() as unit:
        written = await unit.people.ensure(actor)
    async with store.read() as unit:
        assert await unit.people.find(actor) == written


async def test_a_failed_block_leaves_nothing(store: Store) -> None:
    actor = new_actor()
    with pytest.raises(NotToday):
        async with store.write() as unit:
            await unit.people.ensure(actor)
            raise NotToday
    async with store.read() as unit:
        assert await unit.people.find(actor) is None


async def test_ping_passes_on_a_healthy_store(store: Store) -> None:
    await store.ping()


# People


async def test_a_person_is_met_once(store: Store) -> None:
    actor = Actor(name="Ada", discord_id=DiscordUserId(BIGGEST_SNOWFLAKE))
    async with store.write() as unit:
        first = await unit.people.ensure(actor)
        again = await unit.people.ensure(Actor(name="Ada L.", discord_id=actor.discord_id))
    assert first == again


async def test_discord_and_http_users_are_different_people(store: Store) -> None:
    async with store.write() as unit:
        discord = await unit.people.ensure(Actor(name="Ada", discord_id=DiscordUserId(5)))
        http = await unit.people.ensure(Actor(name="Ada", http_id="5"))
        other = await unit.people.ensure(Actor(name="Ada", http_id="6"))
    assert len({discord, http, other}) == 3


# Conversations


async def test_a_key_names_one_conversation(store: Store) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        mine = ConversationKey(channel_id=ChannelId(1), owner_id=person)
        shared = ConversationKey(channel_id=ChannelId(1), owner_id=None)
        assert await unit.conversations.find(mine) is None
        first = await unit.conversations.ensure(mine)
        assert await unit.conversations.ensure(mine) == first
        assert await unit.conversations.find(mine) == first
        assert await unit.conversations.ensure(shared) != first


async def test_only_ones_own_conversations_are_ones_own(store: Store) -> None:
    async with store.write() as unit:
        person, other = await new_person(unit), await new_person(unit)
        mine = {await new_conversation(unit, person, channel) for channel in (1, 2)}
        await new_conversation(unit, other)
        await unit.conversations.ensure(ConversationKey(channel_id=ChannelId(3), owner_id=None))
        assert set(await unit.conversations.of_person(person)) == mine


async def test_clearing_forgets_the_turns_of_that_conversation_only(store: Store) -> None:
    kept, gone = await add_turn(store), await add_turn(store)
    async with store.write() as unit:
        assert await unit.conversations.clear(gone.conversation_id) == 1
        assert await unit.conversations.clear(gone.conversation_id) == 0
    async with store.read() as unit:
        assert await unit.turns.find(gone.id) is None
        assert await unit.turns.before(gone.conversation_id, None, 10) == []
        assert await unit.turns.find(kept.id) == kept


# Turns


async def test_a_turn_begins_running(store: Store, clock: HandClock) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        conversation = await new_conversation(unit, person)
        turn = await unit.turns.begin(new_turn(conversation, person, "Why?"))
    assert turn is not None
    assert (turn.prompt, turn.speaker, turn.answer) == ("Why?", "Ada", "")
    assert (turn.finish, turn.usage, turn.position) == (None, None, 1)
    assert turn.created_at == clock.now()
    async with store.read() as unit:
        assert await unit.turns.find(turn.id) == turn


async def test_a_finished_turn_comes_back_as_it_was(store: Store) -> None:
    turn = await add_turn(store, answer="Because \ud83d\x00 it is.")
    assert turn.answer == "Because \ud83d\x00 it is."
    assert (turn.finish, turn.usage) == (Finish.COMPLETE, USAGE)


async def test_an_estimated_usage_stays_marked(store: Store) -> None:
    usage = Usage(prompt_tokens=1, completion_tokens=0, estimated=True)
    turn = await add_turn(store)
    async with store.write() as unit:
        await unit.turns.finish(turn, answer="…", finish=Finish.STOPPED, usage=usage)
    async with store.read() as unit:
        stored = await unit.turns.find(turn.id)
    assert stored is not None
    assert stored.usage == usage


async def test_an_interaction_delivered_twice_begins_one_turn(store: Store) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        conversation = await new_conversation(unit, person)
    delivered = InteractionId(BIGGEST_SNOWFLAKE)
    begun: list[bool] = []
    for _ in range(2):
        async with store.write() as unit:
            turn = new_turn(conversation, person, interaction_id=delivered)
            begun.append(await unit.turns.begin(turn) is not None)
    assert begun == [True, False]


async def test_turns_without_an_interaction_never_clash(store: Store) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        conversation = await new_conversation(unit, person)
        for _ in range(2):
            assert await unit.turns.begin(new_turn(conversation, person)) is not None


async def test_a_turn_cleared_while_it_ran_is_not_resurrected(store: Store) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        conversation = await new_conversation(unit, person)
        turn = await unit.turns.begin(new_turn(conversation, person))
        assert turn is not None
    async with store.write() as unit:
        await unit.conversations.clear(conversation)
    async with store.write() as unit:
        ended = await unit.turns.finish(turn, answer="x", finish=Finish.COMPLETE, usage=None)
        assert not ended
    async with store.read() as unit:
        assert await unit.turns.find(turn.id) is None


async def test_a_removed_turn_is_gone(store: Store) -> None:
    turn = await add_turn(store)
    async with store.write() as unit:
        assert await unit.turns.remove(turn.id)
        assert not await unit.turns.remove(turn.id)
        assert await unit.turns.find(TurnId(uuid4())) is None


async def test_history_is_newest_first_and_limited(store: Store) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        conversation = await new_conversation(unit, person)
        for number in range(5):
            turn = await unit.turns.begin(new_turn(conversation, person, f"prompt {number}"))
            assert turn is not None
            await unit.turns.finish(turn, answer="ok", finish=Finish.COMPLETE, usage=None)
    async with store.read() as unit:
        newest = await unit.turns.before(conversation, None, 2)
        older = await unit.turns.before(conversation, newest[-1].position, 10)
    assert [turn.prompt for turn in newest] == ["prompt 4", "prompt 3"]
    assert [turn.prompt for turn in older] == ["prompt 2", "prompt 1", "prompt 0"]


async def test_history_leaves_out_what_runs_and_what_has_no_answer(store: Store) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        conversation = await new_conversation(unit, person)
        running = await unit.turns.begin(new_turn(conversation, person, "running"))
        empty = await unit.turns.begin(new_turn(conversation, person, "empty"))
        cut = await unit.turns.begin(new_turn(conversation, person, "cut"))
        assert running and empty and cut
        await unit.turns.finish(empty, answer="", finish=Finish.FAILED, usage=None)
        await unit.turns.finish(cut, answer="half", finish=Finish.INTERRUPTED, usage=None)
    async with store.read() as unit:
        history = await unit.turns.before(conversation, None, 10)
    assert [(turn.prompt, turn.answer) for turn in history] == [("cut", "half")]


async def test_positions_grow_and_are_not_used_again_after_clearing(store: Store) -> None:
    first = await add_turn(store)
    async with store.write() as unit:
        await unit.conversations.clear(first.conversation_id)
        after = await unit.turns.begin(new_turn(first.conversation_id, first.author_id))
    assert after is not None
    assert after.position > first.position
