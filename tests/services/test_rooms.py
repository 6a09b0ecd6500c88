"""Chat channels of servers."""

from __future__ import annotations

import pytest

from companion.domain.actor import ChannelId, GuildId
from companion.domain.errors import ManagerOnly, NotAllowed
from companion.services.rooms import CACHE_S
from tests.services.house import ADA, ADMIN, DM, GUILD, HERE, House

ROOM, OTHER = ChannelId(7), ChannelId(8)


async def test_managers_set_chat_channels(house: House) -> None:
    rooms = house.services.rooms
    assert not await rooms.is_chat_channel(GUILD, ROOM)
    await rooms.set_chat_channels(ADMIN, HERE, frozenset({ROOM}))
    assert await rooms.is_chat_channel(GUILD, ROOM)
    assert not await rooms.is_chat_channel(GUILD, OTHER)
    assert not await rooms.is_chat_channel(GuildId(10), ROOM)
    assert await rooms.chat_channels(ADMIN, HERE) == {ROOM}


async def test_nobody_else_sees_or_sets_them(house: House) -> None:
    for who, where in ((ADA, HERE), (ADMIN, DM)):
        with pytest.raises(ManagerOnly):
            await house.services.rooms.set_chat_channels(who, where, frozenset({ROOM}))
        with pytest.raises(NotAllowed):
            await house.services.rooms.chat_channels(who, where)


async def test_another_processs_change_is_seen_within_seconds(house: House) -> None:
    rooms = house.services.rooms
    assert not await rooms.is_chat_channel(GUILD, ROOM)
    async with house.store.write() as unit:
        await unit.chat_channels.save(GUILD, frozenset({ROOM}))
    assert not await rooms.is_chat_channel(GUILD, ROOM)
    house.clock.advance(CACHE_S)
    assert await rooms.is_chat_channel(GUILD, ROOM)
