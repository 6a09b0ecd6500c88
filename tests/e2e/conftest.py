from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from discord.http import Route

from companion.db.keyring import KeyRing
from tests.e2e.world import Setup, World, open_world

Opener = Callable[..., AbstractAsyncContextManager[World]]


@pytest.fixture
def opener(database: Path, ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> Opener:
    """Open a world that is set up differently."""
    monkeypatch.setattr(Route, "API_BASE_URL", Route.API_BASE_URL)  # the door sets it

    def opened(**changes: object) -> AbstractAsyncContextManager[World]:
        return open_world(database, ring, Setup(**changes))  # type: ignore[arg-type]

    return opened


@pytest.fixture
async def world(opener: Opener) -> AsyncGenerator[World]:
    async with opener() as opened:
        yield opened
