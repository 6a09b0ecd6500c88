from __future__ import annotations

from pathlib import Path

from sqlalchemy import select, text

from companion.db import migrations
from companion.db.engine import Engines, open_engines

NORMAL, FULL = 1, 2


async def level(engines: Engines, *, durable: bool) -> int:
    """Return what a commit of such a transaction waits for."""
    async with engines.writing(durable=durable) as run:
        ((found,),) = await run.rows(select(text("* FROM pragma_synchronous")))
        return int(found)


async def test_only_notes_do_not_wait_for_the_disk(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'companion.db'}"
    await migrations.upgrade(url)
    async with open_engines(url) as engines:
        levels = [await level(engines, durable=each) for each in (True, False, True, False)]
    assert levels == [FULL, NORMAL, FULL, NORMAL]
