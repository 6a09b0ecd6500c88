from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from companion.db.keyring import KeyRing
from tests.api.world import World, open_world


@pytest.fixture
async def world(database: Path, ring: KeyRing) -> AsyncGenerator[World]:
    async with open_world(database, ring) as opened:
        yield opened
