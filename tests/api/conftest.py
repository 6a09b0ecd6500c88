from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from types import SimpleNamespace

import pytest
import uvicorn.server

from companion.db.keyring import KeyRing
from tests.api.world import World, open_world


@pytest.fixture(autouse=True)
def short_naps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a server end at once: it sleeps 0.1 s each time before it looks whether it may."""

    async def nap(delay_s: float) -> None:
        await asyncio.sleep(delay_s / 20)

    hasty = SimpleNamespace(**vars(asyncio) | {"sleep": nap})
    monkeypatch.setattr(uvicorn.server, "asyncio", hasty)


@pytest.fixture
async def world(database: Path, ring: KeyRing) -> AsyncGenerator[World]:
    async with open_world(database, ring) as opened:
        yield opened
