"""What every store knows of servers and forgets of them: real databases and fakes alike."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from companion.domain.accounts import Preferences
from companion.domain.actor import ChannelId, GuildId, MessageId
from companion.domain.conversation import Turn
from companion.ports.store import Store
from tests.db.conftest import HandClock
from tests.db.things import (
    add_turn,
    call_end,
    call_start,
    new_conversation,
    new_person,
    new_turn,
    say,
)

ONE, OTHER = GuildId(2**63 - 1), GuildId(8)
HOME = GuildId(9)
"""The server of the conversations in `things`."""


@pytest.fixture
def store(any_store: Store) -> Store:
    return any_store


async def test_a_server_that_was_left_says_since_when(store: Store, clock: HandClock) -> None:
    async with store.write() as unit:
        await unit.servers.note_in([ONE, OTHER])
        await unit.servers.note_left([ONE], clock.now())
    async with store.read() as unit:
        assert await unit.servers.known() == {ONE: clock.now(), OTHER: None}
        assert await unit.servers.left_at(ONE) == clock.now()
        assert await unit.servers.left_at(OTHER) is None
        assert await unit.servers.left_at(GuildId(1)) is None


async def test_finding_it_gone_again_does_not_start_anew(store: Store, clock: HandClock) -> None:
    left = clock.now()
    for _ in range(2):
        async with store.write() as unit:
            await unit.servers.note_left([ONE], clock.now())
        clock.advance(days=1)
    async with store.read() as unit:
        assert await unit.servers.left_at(ONE) == left


async def test_being_back_takes_the_note_back(store: Store, clock: HandClock) -> None:
    async with store.write() as unit:
        await unit.servers.note_left([ONE], clock.now())
        await unit.servers.note_in([ONE])
    async with store.write() as unit:
        assert await unit.servers.known() == {ONE: None}
        assert await unit.servers.hold_left_before(ONE, clock.now()) is None


async def test_only_what_was_left_long_enough_is_held(store: Store, clock: HandClock) -> None:
    left = clock.now()
    async with store.write() as unit:
        await unit.servers.note_left([ONE], left)
        await unit.servers.note_in([OTHER])
    async with store.write() as unit:
        assert await unit.servers.left_before(left - timedelta(seconds=1)) == []
        assert await unit.servers.left_before(left) == [ONE]
        assert await unit.servers.hold_left_before(ONE, left - timedelta(seconds=1)) is None
        assert await unit.servers.hold_left_before(ONE, left) == left
        assert await unit.servers.hold_left_before(OTHER, left) is None


async def test_who_is_back_waits_for_a_deletion_that_has_begun(
    store: Store, clock: HandClock
) -> None:
    async def come_back() -> None:
        async with store.write() as unit:
            await unit.servers.note_in([ONE])

    async with store.write() as unit:
        await unit.servers.note_left([ONE], clock.now())
    async with store.write() as unit:
        assert await unit.servers.hold_left_before(ONE, clock.now())
        back = asyncio.create_task(come_back())
        await asyncio.wait({back}, timeout=0.05)
        assert not back.done()
        await unit.servers.forget(ONE)
    await back
    async with store.read() as unit:
        assert await unit.servers.known() == {ONE: None}


async def test_more_servers_than_fit_one_statement_are_noted(store: Store) -> None:
    guilds = [GuildId(number) for number in range(1, 1202)]
    async with store.write() as unit:
        await unit.servers.note_in(guilds)
    async with store.read() as unit:
        assert len(await unit.servers.known()) == len(guilds)


async def test_nothing_to_note_changes_nothing(store: Store, clock: HandClock) -> None:
    async with store.write() as unit:
        await unit.servers.note_in([])
        await unit.servers.note_left([], clock.now())
        assert await unit.servers.known() == {}


async def test_a_forgotten_server_is_not_known(store: Store, clock: HandClock) -> None:
    async with store.write() as unit:
        await unit.servers.note_left([ONE], clock.now())
        await unit.servers.note_in([OTHER])
        await unit.servers.forget(ONE)
    async with store.read() as unit:
        assert await unit.servers.known() == {OTHER: None}


async def test_choices_of_a_server_are_removed_alone(store: Store) -> None:
    chosen = Preferences(persona="Answer in rhymes.")
    async with store.write() as unit:
        person = await new_person(unit)
        await unit.preferences.save_person(person, chosen)
        for guild in (ONE, OTHER):
            await unit.preferences.save_guild(guild, chosen)
        await unit.preferences.remove_guild(ONE)
        await unit.preferences.remove_guild(ONE)
    async with store.read() as unit:
        assert await unit.preferences.of_guild(ONE) == Preferences()
        assert await unit.preferences.of_guild(OTHER) == chosen
        assert await unit.preferences.of_person(person) == chosen


# Conversations


async def test_conversations_are_found_by_server_and_last_use(
    store: Store, clock: HandClock
) -> None:
    async with store.write() as unit:
        person = await new_person(unit)
        old, empty, used = [await new_conversation(unit, person, number) for number in (1, 2, 3)]
        for conversation in (old, used):
            await say(unit, conversation, person)
    left = clock.now()
    clock.advance(seconds=1)
    async with store.write() as unit:
        await unit.turns.begin(new_turn(used, person))
    async with store.read() as unit:
        assert set(await unit.conversations.unused_since(HOME, left, 9)) == {old, empty}
        assert len(await unit.conversations.unused_since(HOME, left, 1)) == 1
        assert set(await unit.conversations.unused_since(HOME, clock.now(), 9)) == {
            old,
            empty,
            used,
        }
        assert not await unit.conversations.unused_since(OTHER, clock.now(), 9)


async def test_a_dropped_conversation_takes_everything_along(
    store: Store, clock: HandClock
) -> None:
    kept, turn = await add_turn(store, prompt="Kept"), await shown_turn(store)
    async with store.write() as unit:
        await unit.conversations.drop(turn.conversation_id)
    async with store.read() as unit:
        assert await unit.conversations.get(turn.conversation_id) is None
        assert await unit.turns.find(turn.id) is None
        assert await unit.answer_messages.find(MessageId(5)) is None
        assert await unit.turns.find(kept.id) == kept
    async with store.write() as unit:
        later = clock.now() + timedelta(days=1)
        assert await unit.provider_log.drop_contents_before(later) == 0


async def shown_turn(store: Store) -> Turn:
    turn = await add_turn(store)
    logged = call_start(turn.author_id, turn=turn.id, conversation=turn.conversation_id)
    async with store.write() as unit:
        await unit.answer_messages.note(turn.id, ChannelId(1), [MessageId(5)])
        await unit.provider_log.start(logged)
        await unit.provider_log.end(logged.id, call_end())
    return turn


# The log


async def test_contents_of_a_server_go_up_to_a_moment(store: Store, clock: HandClock) -> None:
    now = clock.now()
    async with store.write() as unit:
        person = await new_person(unit)
        before, running, after = (
            call_start(person, at=now + timedelta(seconds=late)) for late in (-1, 0, 1)
        )
        for call in (before, running, after):
            await unit.provider_log.start(call)
        await unit.provider_log.end(before.id, call_end())
    async with store.write() as unit:
        await unit.provider_log.drop_contents_of(OTHER, now)
        await unit.provider_log.drop_contents_of(HOME, now)
    async with store.write() as unit:
        await unit.provider_log.end(running.id, call_end())
        later = now + timedelta(days=1)
        assert await unit.provider_log.drop_contents_before(later) == 1
