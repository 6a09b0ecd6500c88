"""The real REST client on a local Discord, with a clock that a test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from discord.http import Route

from companion.bot.closed_channels import ClosedChannels
from companion.bot.output_pacing import OutputPacing
from companion.bot.rest import Rest
from companion.bot.standing import Standing
from companion.playground.local_discord import LocalDiscord
from tests.fakes.clock import FakeClock


def me() -> Route:
    """Return the route of the app itself; a route takes its base when it is made."""
    return Route("GET", "/users/@me")


MESSAGES = "/channels/{channel_id}/messages"


class SkippingClock(FakeClock):
    """A sleep ends at once, and it is later then; `slept` says how long."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)


@dataclass(slots=True, kw_only=True)
class Client:
    """A client that is logged in."""

    discord: LocalDiscord
    rest: Rest
    standing: Standing
    closed: ClosedChannels
    clock: SkippingClock

    def say(self, where: str = "general") -> Route:
        """Return the route of a new message."""
        return Route("POST", MESSAGES, channel_id=self.discord.world.channel(where).id)

    def typing(self) -> Route:
        """Return the route of the typing notice."""
        channel = self.discord.world.channel("general").id
        return Route("POST", "/channels/{channel_id}/typing", channel_id=channel)


@asynccontextmanager
async def logged_in(restore: Callable[..., None]) -> AsyncGenerator[Client]:
    """Log in; `restore` is `monkeypatch.setattr`."""
    clock = SkippingClock()
    standing = Standing(clock)
    pacing = OutputPacing(clock, is_restrained=lambda: standing.is_restrained)
    async with LocalDiscord.start() as discord:
        restore(Route, "API_BASE_URL", f"{discord.api_url}/v10")
        closed = ClosedChannels(clock)
        rest = Rest(pacing=pacing, standing=standing, closed=closed, clock=clock)
        await rest.static_login(discord.token)
        discord.requests.clear()
        try:
            yield Client(discord=discord, rest=rest, standing=standing, closed=closed, clock=clock)
        finally:
            await rest.close()
