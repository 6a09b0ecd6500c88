from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from companion.db.keyring import KeyRing
from tests.api.openai.site import Site, open_site


@pytest.fixture
async def site(database: Path, ring: KeyRing) -> AsyncGenerator[Site]:
    async with open_site(database, ring) as opened:
        yield opened
