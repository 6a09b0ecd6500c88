"""The commands about database and keys, without a process of their own."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from companion.domain.errors import ConfigurationError, WrongKeyRing
from companion.settings import load
from companion.shell import database, keys
from companion.shell.sentences import Exit
from companion.storage import opened_store


async def opened() -> None:
    async with opened_store(load()) as store:
        await store.ping()


def test_database_is_migrated_up_and_down(tmp_path: Path) -> None:
    assert database.check()[1] is Exit.FAILED
    assert database.current() == "none"
    database.upgrade("head")
    assert database.check()[1] is Exit.OK
    with closing(sqlite3.connect(tmp_path / "data" / "companion.db")) as file:
        tables = {name for (name,) in file.execute("SELECT name FROM sqlite_master")}
    assert {"turns", "provider_keys"} <= tables
    assert "empty" in database.downgrade("base")
    assert database.current() == "none"


def test_unknown_revision_is_told() -> None:
    with pytest.raises(ConfigurationError):
        database.upgrade("9999")


def test_first_start_makes_database_and_keys_for_the_owner_only(tmp_path: Path) -> None:
    asyncio.run(opened())
    data = tmp_path / "data"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (data, *data.iterdir())}
    assert modes == {"data": 0o700, "companion.db": 0o600, "keyring": 0o600}


def test_new_key_is_numbered_after_the_ring_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    first = keys.new()
    assert first.startswith("k1:")
    monkeypatch.setenv("COMPANION_KEYRING", first)
    assert keys.new().startswith("k2:")


def test_new_key_leaves_no_file(tmp_path: Path) -> None:
    keys.new()
    assert not (tmp_path / "data").exists()


def test_rotation_moves_everything_under_the_first_key(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = keys.new(), keys.new().replace("k1:", "k2:")
    monkeypatch.setenv("COMPANION_KEYRING", first)
    asyncio.run(opened())
    monkeypatch.setenv("COMPANION_KEYRING", f"{second},{first}")
    rows = [line.split() for line in keys.usage().splitlines()]
    assert [(row[0], row[1], row[3]) for row in rows] == [
        ("k2", "0", "encrypts"),
        ("k1", "1", "decrypts"),
    ]
    assert keys.rotate_all()[1] is Exit.OK
    monkeypatch.setenv("COMPANION_KEYRING", second)
    asyncio.run(opened())


def test_missing_key_is_listed_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = keys.new(), keys.new().replace("k1:", "k2:")
    monkeypatch.setenv("COMPANION_KEYRING", first)
    asyncio.run(opened())
    monkeypatch.setenv("COMPANION_KEYRING", second)
    assert "MISSING" in keys.usage().splitlines()[-1]
    with pytest.raises(WrongKeyRing):
        keys.rotate_all()


def test_lost_ring_is_told_and_not_replaced(tmp_path: Path) -> None:
    asyncio.run(opened())
    ring = tmp_path / "data" / "keyring"
    saved = ring.rename(tmp_path / "saved")
    with pytest.raises(ConfigurationError) as caught:
        asyncio.run(opened())
    assert caught.value.variable == "COMPANION_KEYRING"
    assert str(ring) in caught.value.problem
    assert not ring.exists()
    saved.rename(ring)
    asyncio.run(opened())


def test_wrong_ring_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(opened())
    monkeypatch.setenv("COMPANION_KEYRING", keys.new())
    with pytest.raises(WrongKeyRing):
        asyncio.run(opened())


def test_postgresql_needs_a_ring_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://companion@127.0.0.1:1/companion")
    with pytest.raises(ConfigurationError) as caught:
        asyncio.run(opened())
    assert caught.value.variable == "COMPANION_KEYRING"


def test_data_folder_that_cannot_be_made_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("COMPANION_DATA_DIR", str(tmp_path / "file" / "data"))
    with pytest.raises(ConfigurationError) as caught:
        asyncio.run(opened())
    assert caught.value.variable == "COMPANION_DATA_DIR"
