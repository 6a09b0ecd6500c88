"""The app is removed from a server, or only seems to be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime

import pytest
import structlog

from companion.bot import identify_gate, shard_line
from companion.domain.actor import GuildId
from companion.playground.interaction import Interaction
from companion.playground.state import Channel, Guild, Message
from tests.e2e.conftest import Opener
from tests.e2e.test_restarts import restarted
from tests.e2e.world import World, body, labels, only, until
from tests.support.provider_script import Answer

HELLO = "Hello from the scripted provider."
SLOW = Answer(text="tick " * 400, tokens_per_s=40)


@pytest.fixture
async def small(opener: Opener) -> AsyncGenerator[World]:
    """A world with room for two answers."""
    async with opener(at_once=2) as opened:
        yield opened


def home(world: World) -> Guild:
    return world.discord.world.guild("Playground")


def another(world: World) -> Channel:
    """Return a channel of another server with the app in it."""
    inner = world.discord.world
    guild = inner.add_guild("Elsewhere", owner="Ada", members=("Grace",))
    return next(c for c in inner.channels.values() if c.guild_id == guild.id)


async def left_at(world: World, guild: GuildId | None = None) -> datetime | None:
    async with world.store.read() as unit:
        return await unit.servers.left_at(guild or GuildId(home(world).id))


async def noted(world: World, *, left: bool, guild: GuildId | None = None) -> None:
    """Wait until the database says so."""
    async with asyncio.timeout(5.0):
        while (await left_at(world, guild) is not None) is not left:  # noqa: ASYNC110  nobody says when
            await asyncio.sleep(0.01)


async def asked(world: World) -> Interaction:
    """Ask for an answer that takes long, and wait for its first words."""
    world.provider.script(SLOW)
    answer = await world.start("ask", who="Ada", prompt="Tick.")
    return await answer.until(lambda seen: seen.original is not None and "tick" in seen.text)


async def mentioned(world: World) -> Message:
    """Do the same by a mention."""
    world.provider.script(SLOW)
    said = await world.say(f"<@{world.discord.world.app.id}> Tock.", who="Grace")
    await until(lambda: any("tick" in each.text for each in world.below(said)))
    return said


async def test_a_removal_ends_all_in_that_server_without_a_word(small: World) -> None:
    by_command, by_mention, elsewhere = await asked(small), await mentioned(small), another(small)
    waiting = await small.start("ask", who="Grace", prompt="And me?")
    await waiting.until(lambda seen: seen.original is not None and "line" in seen.text)
    before = len(small.discord.requests)
    small.discord.admin.remove_app(home(small))
    await until(lambda: not small.door.busy)
    assert len(small.provider.chats) == 2
    assert all(chat.hung_up_at is not None for chat in small.provider.chats)
    # what was on its way at that moment, perhaps, and nothing more
    assert len(small.discord.requests) - before <= 2
    assert small.discord.requests.invalid == 0
    assert labels(only(by_command)) == labels(small.below(by_mention)[0]) == ["Stop"]
    assert labels(only(waiting)) == ["Cancel"]
    await noted(small, left=True)
    assert body(await small.ask("Still there?", where=elsewhere)) == HELLO
    assert small.discord.requests.invalid == 0


async def test_a_crowd_in_a_server_that_is_left_makes_no_storm_of_refusals(world: World) -> None:
    crowd, inner = 8, world.discord.world
    world.provider.script(*[Answer(text="tick " * 400, tokens_per_s=40)] * crowd)
    rooms = [inner.add_channel(home(world), f"room-{number}") for number in range(crowd)]
    said = [await world.say(f"<@{inner.app.id}> Tick.", where=room) for room in rooms]
    await until(lambda: all(world.below(each) for each in said))
    world.discord.admin.remove_app(home(world))
    await until(lambda: not world.door.busy)
    assert all(chat.hung_up_at is not None for chat in world.provider.chats)
    # those that were on their way at that moment
    assert world.discord.requests.invalid <= 2


async def test_what_comes_with_the_removal_is_left_alone(world: World) -> None:
    with structlog.testing.capture_logs() as logs:
        await world.say(f"<@{world.discord.world.app.id}> Hi.", who="Grace")
        world.discord.admin.remove_app(home(world))
        await noted(world, left=True)
        await until(lambda: not world.door.busy)
    assert not world.provider.chats
    assert world.discord.requests.invalid == 0
    assert {"interaction_gone", "interaction_handled"} <= {entry["event"] for entry in logs}
    assert not [entry for entry in logs if entry["log_level"] == "error"]


async def test_an_outage_is_no_removal(world: World) -> None:
    world.provider.script(Answer(text="tick " * 40, tokens_per_s=80))
    answer = await world.start("ask", who="Ada", prompt="Tick.")
    await answer.until(lambda seen: seen.original is not None and "tick" in seen.text)
    world.discord.admin.begin_outage(home(world))
    assert body(await world.settled(answer)).split() == ["tick"] * 40
    world.discord.admin.end_outage(home(world))
    assert body(await world.ask("Back?")) == HELLO
    assert await left_at(world) is None


async def test_a_server_that_adds_the_app_again_is_served(world: World) -> None:
    world.discord.admin.remove_app(home(world))
    await noted(world, left=True)
    world.discord.admin.add_app(home(world))
    await noted(world, left=False)
    said = await world.say(f"<@{world.discord.world.app.id}> Hi.", who="Grace")
    (answer,) = await world.heard(said)
    assert body(answer) == HELLO


async def test_a_removal_while_nothing_ran_is_found_at_the_start(world: World) -> None:
    await world.ask("Hi.")
    async with world.store.read() as unit:
        assert await unit.servers.known() == {GuildId(home(world).id): None}
    await world.door.close()
    world.discord.admin.remove_app(home(world))
    async with restarted(world):
        await noted(world, left=True)


async def test_servers_of_another_processs_shards_are_not_judged(world: World) -> None:
    ours, theirs = GuildId(2 << 22), GuildId(3 << 22)
    async with world.store.write() as unit:
        await unit.servers.note_in([ours, theirs])
    async with restarted(world, shard_count=2, shard_ids=(0,)):
        await noted(world, left=True, guild=ours)
        assert await left_at(world, theirs) is None


async def test_a_removal_between_two_sessions_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard_line, "AFTER_INVALID_S", (0.0, 0.0))
    monkeypatch.setattr(identify_gate, "APART_S", 0.0)
    answer = await asked(world)
    world.discord.faults.drop_gateway()
    world.discord.faults.forget_sessions()
    world.discord.admin.remove_app(home(world))
    await noted(world, left=True)
    await until(lambda: not world.door.busy)
    assert labels(only(answer)) == ["Stop"]
