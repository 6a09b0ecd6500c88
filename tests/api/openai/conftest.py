from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from companion.db import migrations
from tests.api.openai.site import Site, open_site
from tests.support.own_loop import in_own_loop


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "migrated.db"
    in_own_loop(migrations.upgrade(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture
def database(migrated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(migrated, tmp_path / "companion.db"))


@pytest.fixture
async def site(database: Path) -> AsyncGenerator[Site]:
    async with open_site(database) as opened:
        yield opened
