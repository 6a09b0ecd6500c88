"""One log row per request to the provider, whatever came of it (G03)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.e2e.world import World, body
from tests.support.provider_script import WRONG_KEY, Answer, Fault, Status

BUSY = Status(status=503, code="server_is_overloaded", headers={"retry-after-ms": "10"})


def logged(database: Path) -> list[tuple[str, str | None]]:
    with sqlite3.connect(database) as connection:
        rows = connection.execute(
            "SELECT status, error_code FROM provider_calls ORDER BY started_at, rowid"
        ).fetchall()
    connection.close()
    return rows


async def test_each_try_has_a_row_of_its_own(world: World, database: Path) -> None:
    world.provider.script(BUSY, BUSY, Answer(text="At last."))
    assert body(await world.ask("Hi.")) == "At last."
    assert len(world.provider.chats) == 3
    assert logged(database) == [
        ("failed", "provider_overloaded"),
        ("failed", "provider_overloaded"),
        ("ok", None),
    ]


async def test_cut_and_failed_requests_are_logged_as_such(world: World, database: Path) -> None:
    world.provider.script(Answer(text="Half of it", fault=Fault.EOF, fault_after=1), WRONG_KEY)
    await world.ask("One.")
    await world.ask("Two.")
    assert logged(database) == [("cut", "stream_cut_eof"), ("failed", "credential_rejected")]
