"""What every store does with forks, private turns, messages of answers, summaries and rooms."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from companion.domain.actor import ChannelId, GuildId, InteractionId, MessageId, PersonId
from companion.domain.conversation import (
    ConversationId,
    ConversationKey,
    Fork,
    Level,
    Summary,
    TurnId,
)
from companion.ports.store import Store, UnitOfWork
from tests.db.things import call_end, call_start, new_conversation, new_person, new_turn, say


@pytest.fixture
def store(any_store: Store) -> Store:
    return any_store


def branch(owner: PersonId | None, channel: int = 1) -> ConversationKey:
    return ConversationKey(
        channel_id=ChannelId(channel), owner_id=owner, guild_id=GuildId(9), branch=uuid4()
    )


def after(turn_conversation: ConversationId, position: int) -> Fork:
    return Fork(conversation_id=turn_conversation, position=position)


async def levels(unit: UnitOfWork, conversation: ConversationId) -> list[Level]:
    return list(await unit.conversations.lineage(conversation, 4))


async def summarise(
    unit: UnitOfWork, conversation: ConversationId, upto: int, revision: int = 0
) -> bool:
    summary = Summary(conversation_id=conversation, upto_position=upto, text="They met.")
    return await unit.summaries.save(summary, revision)


# Forks


async def test_a_fork_knows_what_it_left_and_where(store: Store) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        main = await new_conversation(unit, person)
        first, _ = await say(unit, main, person), await say(unit, main, person)
        fork = await unit.conversations.ensure(branch(person), after(main, first.position))
        await say(unit, fork, person)
        deeper = await unit.conversations.ensure(branch(person), after(fork, 1))
    async with store.read() as unit:
        assert [
            (each.conversation_id, each.upto, each.turn_count)
            for each in await levels(unit, deeper)
        ] == [
            (deeper, None, 0),
            (fork, 1, 1),
            (main, first.position, 2),
        ]
        assert len(await unit.conversations.lineage(deeper, 2)) == 2
        assert await unit.conversations.lineage(ConversationId(uuid4()), 4) == []


async def test_a_conversation_with_a_past_gets_no_other(store: Store) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        main, other = await new_conversation(unit, person), await new_conversation(unit, person, 2)
        thread = ConversationKey(channel_id=ChannelId(5), owner_id=None)
        moved = await unit.conversations.ensure(thread, after(main, 3), started_by=person)
        await unit.conversations.ensure(thread, after(other, 1))
        spoken = await unit.conversations.ensure(branch(person))
        await say(unit, spoken, person)
        assert [level.upto for level in await levels(unit, moved)] == [None, 3]
        found = await unit.conversations.get(moved)
        assert found is not None
        assert (found.owner_id, found.started_by, found.channel_id) == (None, person, 5)
        assert await unit.conversations.get(ConversationId(uuid4())) is None


async def test_ones_conversations_of_a_place_include_branches(store: Store) -> None:
    async with store.write() as unit:
        person, other = await new_person(unit), await new_person(unit)
        main = await new_conversation(unit, person)
        fork = await unit.conversations.ensure(branch(person), after(main, 1))
        await new_conversation(unit, person, 2)
        await new_conversation(unit, other)
        over_http = ConversationKey(channel_id=None, owner_id=person)
        http = await unit.conversations.ensure(over_http)
        assert set(await unit.conversations.of_person_in(person, ChannelId(1))) == {main, fork}
        assert await unit.conversations.of_person_in(person, None) == [http]


async def test_shared_conversations_are_found_by_place_and_by_who_spoke(store: Store) -> None:
    async with store.write() as unit:
        person, silent = await new_person(unit), await new_person(unit)
        thread = await new_conversation(unit, None, 5)
        aside = await unit.conversations.ensure(branch(None, 5), after(thread, 1))
        await say(unit, thread, person)
        await say(unit, await new_conversation(unit, person, 5), person)
        assert set(await unit.conversations.shared_in(ChannelId(5))) == {thread, aside}
        assert await unit.conversations.shared_with(person) == [thread]
        assert await unit.conversations.shared_with(silent) == []


async def test_clearing_cuts_a_fork_from_its_past(store: Store) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        main = await new_conversation(unit, person)
        await say(unit, main, person)
        fork = await unit.conversations.ensure(branch(person), after(main, 1))
        await unit.conversations.clear(fork)
        assert len(await levels(unit, fork)) == 1
        assert len(await unit.turns.before(main, None, 9)) == 1


async def test_clearing_takes_the_logs_of_forks_along(store: Store) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        main, other = await new_conversation(unit, person), await new_conversation(unit, person, 2)
        fork = await unit.conversations.ensure(branch(person), after(main, 1))
        for conversation in (main, fork, other):
            call = call_start(person, conversation=conversation)
            await unit.provider_log.start(call)
            await unit.provider_log.end(call.id, call_end())
        await unit.conversations.clear(main)
        later = call_start(person).started_at + timedelta(days=1)
        assert await unit.provider_log.drop_contents_before(later) == 1


async def test_one_persons_turns_can_be_cleared_alone(store: Store) -> None:
    async with store.write() as unit:
        person, other = await new_person(unit), await new_person(unit)
        thread = await new_conversation(unit, None, 5)
        for author in (person, other, person):
            await say(unit, thread, author)
        assert await summarise(unit, thread, 1)
        assert await unit.conversations.clear_of(thread, person) == 2
        left = await unit.turns.before(thread, None, 9)
        assert [turn.author_id for turn in left] == [other]
        (level,) = await levels(unit, thread)
        assert (level.turn_count, level.summary) == (1, None)


# Turns


async def test_private_turns_are_read_by_their_author_only(store: Store) -> None:
    async with store.write() as unit:
        person, other = await new_person(unit), await new_person(unit)
        thread = await new_conversation(unit, None, 5)
        await say(unit, thread, person, "open")
        secret = await say(unit, thread, person, "secret", private=True)
        assert secret.private
        for reader, seen in ((None, 1), (other, 1), (person, 2)):
            assert len(await unit.turns.before(thread, None, 9, reader=reader)) == seen


async def test_a_turn_is_found_by_what_asked_for_it(store: Store) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        conversation = await new_conversation(unit, person)
        turn = await say(unit, conversation, person, interaction_id=InteractionId(77))
        assert await unit.turns.asked_by(InteractionId(77)) == turn
        assert await unit.turns.asked_by(InteractionId(78)) is None


async def test_the_newest_turn_is_known_of_all_and_of_one(store: Store) -> None:
    async with store.write() as unit:
        person, other = await new_person(unit), await new_person(unit)
        thread = await new_conversation(unit, None, 5)
        assert await unit.turns.newest(thread) == 0
        mine, theirs = await say(unit, thread, person), await say(unit, thread, other)
        await unit.turns.begin(new_turn(thread, person, "not answered yet"))
        assert await unit.turns.newest(thread) == theirs.position
        assert await unit.turns.newest(thread, person) == mine.position


async def test_a_turn_takes_anothers_place(store: Store) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        conversation = await new_conversation(unit, person)
        old = await say(unit, conversation, person, "old", interaction_id=InteractionId(77))
        later = await say(unit, conversation, person, "later")
        await unit.answer_messages.note(old.id, ChannelId(1), [MessageId(5)])
        new = await say(unit, conversation, person, "new", interaction_id=InteractionId(78))
        assert await unit.turns.replace(old.id, new.id)
        assert not await unit.turns.replace(old.id, new.id)
        history = await unit.turns.before(conversation, None, 9)
        assert [turn.prompt for turn in history] == ["later", "new"]
        asked = await unit.turns.asked_by(InteractionId(77))
        assert asked is not None
        assert (asked.id, asked.position) == (new.id, old.position)
        assert await unit.answer_messages.find(MessageId(5)) == new.id
        assert await unit.turns.newest(conversation) == later.position
        assert [level.turn_count for level in await levels(unit, conversation)] == [2]


async def test_removing_a_turn_takes_along_what_was_made_of_it(store: Store) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        conversation = await new_conversation(unit, person)
        turns = [await say(unit, conversation, person) for _ in range(3)]
        await unit.answer_messages.note(turns[1].id, ChannelId(1), [MessageId(5)])
        assert await summarise(unit, conversation, turns[0].position)
        assert await unit.turns.remove(turns[1].id)
        (level,) = await levels(unit, conversation)
        assert (level.turn_count, level.summary is None) == (2, False)
        assert await unit.turns.remove(turns[0].id)
        (level,) = await levels(unit, conversation)
        assert (level.turn_count, level.summary) == (1, None)
        assert await unit.answer_messages.find(MessageId(5)) is None


# Messages of answers


async def test_messages_are_noted_in_order_and_can_be_noted_again(store: Store) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        turn = await say(unit, await new_conversation(unit, person), person)
        shown = [MessageId(9), MessageId(4)]
        await unit.answer_messages.note(turn.id, ChannelId(1), shown[:1])
        await unit.answer_messages.note(turn.id, ChannelId(1), shown)
        assert list(await unit.answer_messages.of_turn(turn.id)) == [(1, 9), (1, 4)]
        assert await unit.answer_messages.find(MessageId(4)) == turn.id


async def test_messages_of_a_turn_that_is_gone_are_not_noted(store: Store) -> None:
    async with store.write() as unit:
        await unit.answer_messages.note(TurnId(uuid4()), ChannelId(1), [MessageId(5)])
        assert await unit.answer_messages.find(MessageId(5)) is None


# Summaries


async def test_a_summary_replaces_the_last_one(store: Store) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        conversation = await new_conversation(unit, person)
        await say(unit, conversation, person)
        assert await summarise(unit, conversation, 1)
        assert await summarise(unit, conversation, 4)
        (level,) = await levels(unit, conversation)
        assert level.summary is not None
        assert (level.summary.upto_position, level.summary.text) == (4, "They met.")


@pytest.mark.parametrize("how", ["clear", "clear_of", "remove", "replace"])
async def test_what_was_taken_back_meanwhile_comes_into_no_summary(store: Store, how: str) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        conversation = await new_conversation(unit, person)
        turn, other = await say(unit, conversation, person), await say(unit, conversation, person)
        (before,) = await levels(unit, conversation)
    async with store.write() as unit:
        if how == "clear":
            await unit.conversations.clear(conversation)
        elif how == "clear_of":
            await unit.conversations.clear_of(conversation, person)
        elif how == "remove":
            await unit.turns.remove(turn.id)
        else:
            await unit.turns.replace(turn.id, other.id)
    async with store.write() as unit:
        assert not await summarise(unit, conversation, 1, before.revision)
        (level,) = await levels(unit, conversation)
        assert level.summary is None
        assert await summarise(unit, conversation, 1, level.revision)


async def test_a_turn_that_runs_counts(store: Store) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        conversation = await new_conversation(unit, person)
        await unit.turns.begin(new_turn(conversation, person))
        (level,) = await levels(unit, conversation)
        assert level.turn_count == 1


# Chat channels


async def test_chat_channels_are_replaced_as_a_whole(store: Store) -> None:
    async with store.write() as unit:
        await unit.chat_channels.save(GuildId(1), frozenset({ChannelId(1), ChannelId(2)}))
        await unit.chat_channels.save(GuildId(2), frozenset({ChannelId(3)}))
        await unit.chat_channels.save(GuildId(1), frozenset({ChannelId(2), ChannelId(4)}))
        assert await unit.chat_channels.of_guild(GuildId(1)) == {2, 4}
        assert await unit.chat_channels.of_guild(GuildId(2)) == {3}
        await unit.chat_channels.save(GuildId(1), frozenset())
        assert await unit.chat_channels.of_guild(GuildId(1)) == frozenset()
