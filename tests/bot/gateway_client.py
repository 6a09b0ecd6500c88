"""The real client's connections to a local Discord; it notes the messages it hears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import discord
from discord.http import Route

from companion.bot.gateway import GatewayBot
from companion.bot.identify_record import IdentifyRecord
from companion.playground.local_discord import LocalDiscord
from companion.playground.state import Channel
from tests.bot.rest_client import SkippingClock


class Listener(GatewayBot):
    """A client that only listens."""

    def __init__(self, record: IdentifyRecord, clock: SkippingClock) -> None:
        intents = discord.Intents.none()
        intents.guilds = intents.guild_messages = intents.message_content = True
        super().__init__(record=record, clock=clock, intents=intents, guild_ready_timeout=0.01)
        self.heard: list[str] = []
        self.connecting: asyncio.Task[None] | None = None

    async def on_message(self, message: discord.Message) -> None:
        """Note it."""
        self.heard.append(message.content)

    async def hears(self, *expected: str) -> None:
        """Wait until that much was heard, and check that it is just that."""
        async with asyncio.timeout(10.0):
            while len(self.heard) < len(expected):  # noqa: ASYNC110  nobody announces it
                await asyncio.sleep(0.01)
        assert self.heard == list(expected)


@asynccontextmanager
async def listening(
    local: LocalDiscord, restore: Callable[..., None], path: Path | None = None
) -> AsyncGenerator[Listener]:
    """Connect; `restore` is `monkeypatch.setattr`."""
    restore(Route, "API_BASE_URL", f"{local.api_url}/v10")
    clock = SkippingClock()
    bot = Listener(IdentifyRecord(path, clock), clock)
    async with bot:
        await bot.login(local.token)
        connecting = bot.connecting = asyncio.create_task(bot.connect())
        await asyncio.wait_for(bot.wait_until_ready(), 10.0)
        yield bot
    connecting.cancel()
    await asyncio.wait({connecting})


def channel_of_shard(local: LocalDiscord, shard: int, count: int) -> Channel:
    """Return a channel in a server of that shard."""
    world = local.world
    while True:
        guild = world.add_guild(f"Shard {shard}", owner="Ada")
        if (guild.id >> 22) % count == shard:
            return world.add_channel(guild, f"of-{shard}")
