from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.api.openai.site import Site, open_site


@pytest.fixture
async def site(database: Path) -> AsyncGenerator[Site]:
    async with open_site(database) as opened:
        yield opened
