from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from discord.http import Route

from companion.db import migrations
from companion.db.keyring import KeyRing
from tests.e2e.world import Setup, World, open_world
from tests.support.own_loop import in_own_loop

Opener = Callable[..., AbstractAsyncContextManager[World]]


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "migrated.db"
    in_own_loop(migrations.upgrade(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture
def database(migrated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(migrated, tmp_path / "companion.db"))


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing.parse(KeyRing.new_entry("k1"))


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
