"""The thread of an SQLite connection, when the loop it works for is gone."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from companion.db.sqlite_driver import OneVisitConnection, connector

SLOW = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
SELECT max(i) FROM n
"""


async def leave_at_work(path: Path, opened: list[OneVisitConnection]) -> None:
    connection = await connector(str(path), 1.0)()
    assert isinstance(connection, OneVisitConnection)
    opened.append(connection)
    statement = asyncio.ensure_future(connection.cursor().execute(SLOW))
    await asyncio.sleep(0)
    connection.stop()  # pyright: ignore[reportUnknownMemberType]  # untyped
    statement.cancel()


async def open_together(path: Path) -> None:
    """Open a new file by several connections at once, each on its own thread."""
    connect = connector(str(path), 5.0, log_ahead=True)
    opened = await asyncio.gather(*(connect() for _ in range(4)), return_exceptions=True)
    for each in opened:
        assert not isinstance(each, BaseException), each
        await each.close()


async def test_a_new_file_may_be_opened_by_several_at_once(tmp_path: Path) -> None:
    """SQLite refuses all but one at once then, without waiting for the one."""
    for number in range(60):
        path = tmp_path / f"{number}.db"
        path.touch()
        await open_together(path)


def test_a_connection_left_at_work_ends_quietly_after_its_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "some.db").touch()
    failures: list[object] = []
    monkeypatch.setattr(threading, "excepthook", failures.append)
    opened: list[OneVisitConnection] = []
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, leave_at_work(tmp_path / "some.db", opened)).result()
    opened[0].worker.join(10)
    assert not opened[0].worker.is_alive()
    assert failures == []
