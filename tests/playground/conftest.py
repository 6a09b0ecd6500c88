from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from companion.playground.local_discord import LocalDiscord
from tests.playground.raw import RawApp, raw_app


@pytest.fixture
async def local() -> AsyncGenerator[LocalDiscord]:
    async with LocalDiscord.start() as discord:
        yield discord


@pytest.fixture
async def app(local: LocalDiscord) -> AsyncGenerator[RawApp]:
    """A program with the app's token; three plain commands are registered."""
    async with raw_app(local) as one:
        await one.register("ask", "help", "clear")
        local.requests.clear()
        yield one
