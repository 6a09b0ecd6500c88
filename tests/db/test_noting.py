from __future__ import annotations

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from companion.db import migrations
from companion.db.engine import open_engines

NORMAL, FULL = 1, 2


async def level(engine: AsyncEngine) -> int:
    """Return what a commit of that engine waits for."""
    async with engine.begin() as connection:
        return int((await connection.execute(text("PRAGMA synchronous"))).scalar_one())


async def test_only_notes_do_not_wait_for_the_disk(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'companion.db'}"
    await migrations.upgrade(url)
    async with open_engines(url) as engines:
        levels = [
            await level(each)
            for each in (engines.writer, engines.noter, engines.writer, engines.noter)
        ]
    assert levels == [FULL, NORMAL, FULL, NORMAL]
