"""One bot over several processes: shards, the HTTP API alone, one PostgreSQL and one Redis."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest

from companion.playground.interaction import Interaction
from companion.playground.local_discord import LocalDiscord
from companion.playground.state import Channel, Message
from companion.shell import keys
from tests.db.postgres import PostgresServer, postgres_server
from tests.shell.processes import Running, run, running
from tests.support.provider_script import Answer
from tests.support.redis_process import RedisProcess, redis_process
from tests.support.scripted_provider import ScriptedProvider

pytestmark = pytest.mark.postgres

SAID = "Said once."
DISCORD_ALONE = ("run", "--no-http")
API_ALONE = ("run", "--no-discord")
HEALED_S = 15.0


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture
async def postgres(server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> PostgresServer:
    monkeypatch.setenv("DATABASE_URL", await server.empty("companion"))
    monkeypatch.setenv("COMPANION_KEYRING", keys.new())
    return server


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisProcess]:
    with redis_process() as server:
        monkeypatch.setenv("REDIS_URL", server.url)
        yield server


@pytest.fixture
async def provider(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[ScriptedProvider]:
    async with ScriptedProvider.start() as provider:
        provider.default = Answer(text=SAID)
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-many-processes-0123456789")
        yield provider


@pytest.fixture
async def discord(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[LocalDiscord]:
    async with LocalDiscord.start() as discord:
        discord.gateway.enforce_concurrency = False
        monkeypatch.setenv("DISCORD_TOKEN", discord.token)
        monkeypatch.setenv("DISCORD_API_URL", discord.api_url)
        monkeypatch.setenv("COMPANION_SHARD_COUNT", "2")
        monkeypatch.setenv("COMPANION_HTTP_PORT", "0")
        yield discord


def places(discord: LocalDiscord, shard: int, count: int) -> list[Channel]:
    """Make servers that belong to that shard, and return a channel of each."""
    world, found = discord.world, list[Channel]()
    while len(found) < count:
        guild_id = world.ids.next()
        if (guild_id >> 22) % 2 == shard:
            guild = world.add_guild(f"Of shard {shard}", owner="Ada", id=guild_id)
            found.append(world.add_channel(guild, "talk"))
    return found


@asynccontextmanager
async def fleet(*commands: tuple[Sequence[str], str]) -> AsyncGenerator[list[Running]]:
    """Run commands at once, each with its shards; they end when asked to, with 0."""
    async with AsyncExitStack() as stack:
        started = [
            await stack.enter_async_context(running(*words, COMPANION_SHARD_IDS=shards))
            for words, shards in commands
        ]
        for process in started:
            await process.event("ready")
        yield started
        for process in started:
            process.signal(signal.SIGTERM)
        assert [await process.ended() for process in started] == [0] * len(started)


async def ask(discord: LocalDiscord, where: Channel) -> Interaction:
    return await discord.invoke("Ada", where, "ask", {"prompt": "Say it once."})


def is_whole(message: Message) -> bool:
    return SAID in message.text and "-# " in message.text


async def shown(discord: LocalDiscord, where: Channel, count: int) -> list[Message]:
    """Wait until that many whole answers stand there; return them."""
    async with asyncio.timeout(15):
        events = discord.subscribe()
        while len(found := [m for m in discord.messages(where) if is_whole(m)]) < count:
            await anext(events)
        return found


async def until_shared_by(count: int, session: aiohttp.ClientSession, origin: str) -> None:
    """Wait until a process has counted all that share its limits: it looks once a second."""
    limits = ""
    async with asyncio.timeout(10):
        while limits != f"shared through Redis, processes: {count}":
            await asyncio.sleep(0.1)
            async with session.get(f"{origin}/readyz") as health:
                limits = (await health.json())["parts"]["limits"]["detail"]


async def outage(
    postgres: PostgresServer, redis: RedisProcess, discord: LocalDiscord, room: Channel
) -> None:
    """Take both servers away and bring them back: people are told, then answered."""
    postgres.stop()
    redis.send(signal.SIGSTOP)
    struck = await ask(discord, room)
    await struck.answered(HEALED_S)
    assert "isn't reachable" in struck.text
    await asyncio.to_thread(postgres.start)
    redis.send(signal.SIGCONT)
    after = await ask(discord, room)
    await after.until(lambda seen: SAID in seen.text, HEALED_S)


async def test_processes_share_one_bot_and_get_over_an_outage(
    postgres: PostgresServer, redis: RedisProcess, discord: LocalDiscord, provider: ScriptedProvider
) -> None:
    rooms = [*places(discord, 0, 2), *places(discord, 1, 2)]
    token = (await run("tokens", "create", "a program", "--user", "42", "--act-as")).out.split()[0]
    processes = ((DISCORD_ALONE, "0"), (DISCORD_ALONE, "1"), (API_ALONE, "0"))
    async with fleet(*processes) as [_, _, api]:
        asked = [await ask(discord, room) for room in rooms]
        for room in rooms:
            await shown(discord, room, 1)
        origin = (await api.event("listening"))["url"]
        body = {"user_id": "42", "prompt": "Say it once."}
        head = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession() as session:
            async with session.post(f"{origin}/openai-completion", json=body, headers=head) as told:
                assert (await told.json())["completion"] == SAID
            await until_shared_by(3, session, origin)
        await outage(postgres, redis, discord, rooms[0])
    assert len(provider.chats) == 6
    assert all(seen.text.count(SAID) == 1 for seen in asked)


async def test_two_processes_with_the_same_shard_answer_once(
    postgres: PostgresServer, redis: RedisProcess, discord: LocalDiscord, provider: ScriptedProvider
) -> None:
    """A new version starts before the old one has ended: each sees everything."""
    rooms = places(discord, 0, 6)
    async with fleet((DISCORD_ALONE, "0"), (DISCORD_ALONE, "0")):
        asked = [await ask(discord, room) for room in rooms]
        for room in rooms:
            await discord.say("Ada", room, f"<@{discord.application_id}> Say it once.")
        for room in rooms:
            await shown(discord, room, 2)
    assert len(provider.chats) == 12
    assert [seen.text.count(SAID) for seen in asked] == [1] * 6
    assert all(len([m for m in discord.messages(room) if SAID in m.text]) == 2 for room in rooms)
    assert not [m.text for room in rooms for m in discord.messages(room) if "already" in m.text]
