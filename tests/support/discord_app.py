"""A small real py-cord app for tests of the local Discord: one bot, logged in over sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import discord
from discord.http import Route

from companion.playground.local_discord import LocalDiscord


class QuickBot(discord.AutoShardedBot):
    """A bot that identifies without py-cord's five seconds between shards."""

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        pass


def new_bot(*, intents: discord.Intents | None = None, **options: object) -> discord.AutoShardedBot:
    """Return a bot that does not wait for more servers after the first moment."""
    wanted = discord.Intents.default() if intents is None else intents
    bot = QuickBot(intents=wanted, **options)
    bot._connection.guild_ready_timeout = 0.05  # pyright: ignore[reportPrivateUsage]
    return bot


@asynccontextmanager
async def logged_in(
    bot: discord.AutoShardedBot, local: LocalDiscord
) -> AsyncGenerator[discord.AutoShardedBot]:
    """Run the bot against the local Discord; ready when entered, closed after."""
    before = Route.API_BASE_URL
    Route.API_BASE_URL = f"{local.api_url}/v10"
    running = asyncio.create_task(bot.start(local.token))
    ready = asyncio.create_task(bot.wait_for("ready", timeout=10.0))
    try:
        await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        await ready
        yield bot
    finally:
        ready.cancel()
        await bot.close()
        await asyncio.gather(running, ready, return_exceptions=True)
        Route.API_BASE_URL = before
