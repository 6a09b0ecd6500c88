"""A database that does not answer for a while: somebody else holds its write lock."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.app_process import AppProcess


@asynccontextmanager
async def stalled(app: AppProcess, seconds: float) -> AsyncGenerator[None]:
    """Hold SQLite's write lock from now on, for that many seconds (0: do nothing)."""
    if not seconds:
        yield
        return
    taken = asyncio.Event()
    path = next(Path(f.path) for f in app.watched.open_files() if f.path.endswith("companion.db"))
    holding = asyncio.create_task(_hold(path, seconds, taken))
    await taken.wait()
    yield
    await holding


async def _hold(path: Path, seconds: float, taken: asyncio.Event) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    taken.set()
    await asyncio.sleep(seconds)
    other.execute("ROLLBACK")
    other.close()
