"""What happens in a server that the app leaves, and to the data of one it stays away from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from companion.domain.accounts import KeepFor, KeyScope, Preferences
from companion.domain.actor import Actor, ChannelId, GuildId, Place
from companion.domain.chat import ChatEvent
from companion.domain.conversation import Finish
from companion.domain.errors import KeyMissing
from companion.domain.models import Payer
from companion.domain.server_errors import NotInServer
from companion.services.membership import AT_ONCE, KEPT
from tests.services.house import (
    ADA,
    ADMIN,
    DM,
    GRACE,
    GUILD,
    HERE,
    NOBODY,
    House,
    channel,
    collected,
    failed,
    finished,
    request,
    until,
)

OTHER = GuildId(77)
ELSEWHERE = channel(7, OTHER)
BROUGHT_ALONG = replace(HERE, user_install_only=True)
"""The same channel, for who installed the app for themselves."""


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """A house whose app is in two servers, of its only shard."""
    built = House(max_streams=1)
    await listed(built, GUILD, OTHER)
    yield built
    await built.services.close()


async def listed(house: House, *guilds: GuildId) -> None:
    await house.services.membership.listed(0, 1, frozenset(guilds))


async def left_since(house: House, guild: GuildId = GUILD) -> timedelta | None:
    async with house.store.read() as unit:
        at = await unit.servers.left_at(guild)
    return None if at is None else house.clock.now() - at


async def running(house: House, where: Place, who: Actor = ADA) -> asyncio.Task[list[ChatEvent]]:
    """Ask for an answer that begins and does not end."""
    house.provider.script("Half", asyncio.Event())
    asked = request("Why?", who, where)
    task = asyncio.ensure_future(collected(house.services.chat.ask(asked)))
    await until(lambda: house.provider.open)
    return task


# At once


async def test_what_runs_in_a_server_ends_with_it(house: House) -> None:
    answer = await running(house, HERE)
    await house.services.membership.left(GUILD)
    assert finished(await answer).finish is Finish.STOPPED
    assert house.provider.open == 0
    (call,) = house.log
    assert call.end is not None
    assert call.end.error_code == "left"


async def test_what_waits_in_a_server_is_never_sent(house: House) -> None:
    first = await running(house, ELSEWHERE)
    second = asyncio.ensure_future(collected(house.services.chat.ask(request("And?", GRACE))))
    await until(lambda: house.queue.waiting)
    await house.services.membership.left(GUILD)
    assert finished(await second).finish is Finish.STOPPED
    assert house.queue.waiting == 0
    assert len(house.provider.calls) == 1
    assert not first.done()


@pytest.mark.parametrize("where", [ELSEWHERE, DM, BROUGHT_ALONG])
async def test_what_runs_elsewhere_or_for_a_person_goes_on(house: House, where: Place) -> None:
    answer = await running(house, where)
    await house.services.membership.left(GUILD)
    await asyncio.sleep(0)
    assert house.provider.open == 1
    assert not answer.done()


async def test_nothing_is_asked_where_the_app_is_not(house: House) -> None:
    await house.services.membership.left(GUILD)
    assert isinstance(await house.refusal(where=HERE), NotInServer)
    await house.answer(where=ELSEWHERE)
    await house.answer(where=BROUGHT_ALONG)
    await house.services.membership.joined(GUILD)
    await house.answer(where=HERE)


async def test_whoever_is_at_the_desk_hears_why(house: House) -> None:
    asked = asyncio.ensure_future(collected(house.services.chat.ask(request("Why?"))))
    await until(lambda: house.desk.running)
    await house.services.membership.left(GUILD)
    assert isinstance(failed(await asked).error, NotInServer)
    assert not house.provider.calls


# The server's key


@pytest.fixture
async def keyed() -> AsyncIterator[House]:
    """A house where only a server's key pays."""
    built = House(operator_key_for=NOBODY)
    await listed(built, GUILD)
    await built.save_key(who=ADMIN, scope=KeyScope.SERVER)
    yield built
    await built.services.close()


async def test_a_servers_key_pays_only_where_the_app_is_a_member(keyed: House) -> None:
    await keyed.answer(where=HERE)
    assert keyed.provider.calls[-1][0].payer is Payer.SERVER
    error = await keyed.refusal(where=BROUGHT_ALONG, who=ADMIN)
    assert isinstance(error, KeyMissing)
    assert not error.may_set_server_key


async def test_no_key_is_set_for_a_server_where_the_app_is_not(keyed: House) -> None:
    with pytest.raises(NotInServer):
        await keyed.save_key(who=ADMIN, where=BROUGHT_ALONG, scope=KeyScope.SERVER)
    assert await keyed.services.accounts.remove_key(ADMIN, BROUGHT_ALONG, KeyScope.SERVER)


async def test_a_server_that_is_left_is_forgotten_its_key_of_this_session(keyed: House) -> None:
    await keyed.save_key(who=ADMIN, scope=KeyScope.SERVER, keep_for=KeepFor.SESSION)
    await keyed.services.membership.left(GUILD)
    await keyed.services.membership.joined(GUILD)
    assert isinstance(await keyed.refusal(where=HERE), KeyMissing)


# Noting


async def test_a_removal_is_noted_and_taken_back(house: House) -> None:
    await house.services.membership.left(GUILD)
    house.clock.advance(days=1)
    assert await left_since(house) == timedelta(days=1)
    await house.services.membership.joined(GUILD)
    assert await left_since(house) is None


async def test_what_is_not_on_the_list_was_left_meanwhile(house: House) -> None:
    house.clock.advance(hours=1)
    await listed(house, OTHER)
    house.clock.advance(hours=1)
    assert await left_since(house) == timedelta(hours=1)
    assert await left_since(house, OTHER) is None
    await listed(house, OTHER)  # a note that is there stays as it is
    assert await left_since(house) == timedelta(hours=1)
    await listed(house, GUILD, OTHER)
    assert await left_since(house) is None


async def test_nobody_judges_servers_of_another_shard() -> None:
    first, second = GuildId(2 << 22), GuildId(3 << 22)
    house = House()
    await house.services.membership.listed(0, 2, frozenset({first}))
    other = House(store=house.store)
    await other.services.membership.listed(1, 2, frozenset({second}))
    assert house.store.tables.servers == {first: None, second: None}
    await other.services.membership.listed(1, 2, frozenset())
    assert house.store.tables.servers == {first: None, second: other.clock.now()}


async def test_a_place_that_a_person_brought_the_app_to_is_no_server_of_ours(house: House) -> None:
    await house.answer(where=replace(channel(5, GuildId(55)), user_install_only=True))
    await listed(house, GUILD, OTHER)
    assert GuildId(55) not in house.store.tables.servers


async def test_a_removal_is_noted_once_the_database_is_back(house: House) -> None:
    house.store.down = True
    await house.services.membership.left(GUILD)
    house.store.down = False
    await until(lambda: house.clock.sleeping)
    house.clock.advance(seconds=1)
    await until(lambda: house.store.tables.servers[GUILD] is not None)
    assert await left_since(house) == timedelta(seconds=1)


async def test_what_is_written_late_is_what_is_true_then(house: House) -> None:
    house.store.down = True
    await house.services.membership.left(GUILD)
    house.store.down = False
    await house.services.membership.joined(GUILD)
    await until(lambda: house.clock.sleeping)
    house.clock.advance(seconds=1)
    await until(lambda: not house.services.tasks.runs("note servers"))
    assert await left_since(house) is None


# Deleting


async def lived_in(house: House) -> None:
    """Let two servers and a person have everything that can be had."""
    for guild, place in ((GUILD, HERE), (OTHER, ELSEWHERE)):
        await house.save_key(who=ADMIN, where=place, scope=KeyScope.SERVER)
        await house.answer(where=place)
        async with house.store.write() as unit:
            await unit.preferences.save_guild(guild, Preferences(persona="Rhyme."))
            await unit.chat_channels.save(guild, frozenset({ChannelId(guild)}))
    await house.save_key(where=DM)
    await house.answer(where=DM)


async def test_what_belongs_to_a_server_goes_after_its_time(house: House) -> None:
    await lived_in(house)
    calls = len(house.log)
    await house.services.membership.left(GUILD)
    house.clock.advance(KEPT.total_seconds() - 1)
    assert await house.services.membership.erase_due() == 0
    assert len(house.turns) == 3
    house.clock.advance(seconds=1)
    await house.services.sweeper.sweep()
    tables = house.store.tables
    assert GUILD not in tables.servers
    assert {key.owner.guild_id for key in tables.keys.values()} == {OTHER, None}
    assert list(tables.of_guild) == [OTHER]
    assert set(tables.chat_channels.values()) == {OTHER}
    assert {key.guild_id for _, key in tables.conversations.values()} == {OTHER, None}
    assert len(house.turns) == 2
    assert len(house.log) == calls
    assert [call.keeps_contents for call in house.log if call.start.guild_id == GUILD] == [False]
    assert all(call.keeps_contents for call in house.log if call.start.guild_id != GUILD)


async def test_many_conversations_go_in_several_steps(house: House) -> None:
    for number in range(2 * AT_ONCE):
        await house.answer(where=channel(100 + number))
    await house.services.membership.left(GUILD)
    house.clock.advance(KEPT.total_seconds())
    before = house.store.writes
    await house.services.membership.erase_due()
    assert house.store.writes - before == 3
    assert not house.turns


async def test_a_server_that_came_back_in_time_keeps_everything(house: House) -> None:
    await lived_in(house)
    await house.services.membership.left(GUILD)
    house.clock.advance(days=29)
    await house.services.membership.joined(GUILD)
    house.clock.advance(days=2)
    assert await house.services.membership.erase_due() == 0
    assert len(house.turns) == 3


async def test_nothing_goes_before_discord_has_told_where_the_app_is(house: House) -> None:
    await lived_in(house)
    await house.services.membership.left(GUILD)
    house.clock.advance(KEPT.total_seconds())
    later = House(store=house.store)  # it may have been added again while nobody ran
    later.clock.advance(KEPT.total_seconds())
    assert await later.services.membership.erase_due() == 0
    await listed(later, GUILD, OTHER)
    assert await later.services.membership.erase_due() == 0
    assert len(house.turns) == 3


async def test_what_a_person_goes_on_with_is_theirs(house: House) -> None:
    await house.answer(where=HERE)
    await house.answer(where=channel(2))
    await house.services.membership.left(GUILD)
    house.clock.advance(1)
    await house.answer(where=BROUGHT_ALONG)
    house.clock.advance(KEPT.total_seconds())
    await house.services.membership.erase_due()
    assert len(house.turns) == 2
    assert {key.channel_id for _, key in house.store.tables.conversations.values()} == {
        HERE.channel_id
    }
