from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator

import discord
import pytest

from companion.bot import shard_line
from companion.playground.events import Dispatch
from companion.playground.local_discord import LocalDiscord
from tests.bot.gateway_client import Listener, channel_of_shard, listening

BEAT_S = 0.4


@pytest.fixture
async def local() -> AsyncGenerator[LocalDiscord]:
    async with LocalDiscord.start() as discord_:
        yield discord_


@pytest.fixture
async def bot(local: LocalDiscord, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Listener]:
    async with listening(local, monkeypatch.setattr) as listener:
        yield listener


async def test_dropped_connections_go_on_where_discord_says_and_lose_nothing(
    local: LocalDiscord, bot: Listener
) -> None:
    drops = [None, 4000, 1000, 1001, 4009, None]
    for number, code in enumerate(drops):
        local.faults.drop_gateway(code)
        await local.say("Ada", "general", str(number))
        await bot.hears(*map(str, range(number + 1)))
    assert local.gateway.paths == ["/gateway", *["/gateway/resume"] * len(drops)]
    assert (local.gateway.identifies, local.gateway.resumes) == (1, len(drops))


@pytest.mark.parametrize("ask", ["reconnect", "invalid"])
async def test_discord_may_ask_for_a_new_connection(
    local: LocalDiscord, bot: Listener, ask: str
) -> None:
    if ask == "reconnect":
        local.faults.ask_reconnect()
    else:
        local.faults.invalidate_session(resumable=True)
    await local.say("Ada", "general", "In between")
    await bot.hears("In between")
    assert (local.gateway.identifies, local.gateway.resumes) == (1, 1)


async def test_session_that_discord_ended_is_begun_anew(
    local: LocalDiscord, bot: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard_line, "AFTER_INVALID_S", (0.0, 0.0))
    local.faults.invalidate_session(resumable=False)
    async with asyncio.timeout(5.0):
        while local.gateway.identifies < 2:  # noqa: ASYNC110  nobody announces it
            await asyncio.sleep(0.01)
    await local.say("Ada", "general", "Again")
    await bot.hears("Again")
    assert local.gateway.paths[-1] == "/gateway"


async def test_silent_connection_is_left_within_one_and_a_half_heartbeats(
    local: LocalDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.gateway.heartbeat_interval_ms = round(BEAT_S * 1000)
    async with listening(local, monkeypatch.setattr) as bot:
        await asyncio.sleep(2.2 * BEAT_S)
        assert local.gateway.resumes == 0
        local.faults.zombie()
        began = time.monotonic()
        await local.say("Ada", "general", "Unheard")
        await bot.hears("Unheard")
        assert time.monotonic() - began < 1.5 * BEAT_S + 0.3
        assert (local.gateway.identifies, local.gateway.resumes) == (1, 1)


async def test_event_that_makes_no_sense_ends_nothing(local: LocalDiscord, bot: Listener) -> None:
    (session,) = local.gateway.sessions.values()
    session.dispatch(Dispatch(name="MESSAGE_CREATE", data={"id": "not a number"}))
    await local.say("Ada", "general", "Sense")
    await bot.hears("Sense")
    assert (local.gateway.identifies, local.gateway.resumes) == (1, 0)


async def test_one_shards_trouble_leaves_the_others_alone(
    local: LocalDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.gateway.shards = 2
    rooms = [channel_of_shard(local, shard, 2) for shard in range(2)]
    async with listening(local, monkeypatch.setattr) as bot:
        local.gateway.refused_shards = {1}
        local.faults.drop_gateway(shard=1)
        await asyncio.sleep(0.1)
        await local.say("Ada", rooms[1], "for the dead one")
        await local.say("Ada", rooms[0], "for the living")
        await bot.hears("for the living")
        assert bot.shards[1].is_closed()
        assert not bot.shards[0].is_closed()
        local.gateway.refused_shards.clear()
        await bot.hears("for the living", "for the dead one")


@pytest.mark.parametrize("code", [4004, 4010, 4011, 4012, 4013, 4014])
async def test_fatal_code_ends_all_shards(
    local: LocalDiscord, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    local.gateway.shards = 2
    async with listening(local, monkeypatch.setattr) as bot:
        local.faults.drop_gateway(code, shard=1)
        assert bot.connecting is not None
        with pytest.raises(discord.ConnectionClosed) as closed:
            await asyncio.wait_for(bot.connecting, 5.0)
        assert closed.value.code == code
