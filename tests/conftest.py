from __future__ import annotations

import gc
import os
import shutil
import sys
from pathlib import Path

import pytest

from companion.db import migrations
from companion.db.keyring import KeyRing
from tests.support.own_loop import in_own_loop

# whoever forbids compiled files has no fewer of them to make: each of the many processes that
# the tests start would compile our modules anew
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

gc.disable()  # while tests are loaded, which leaves no rubbish


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays until the end: all tests and all libraries."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an SQLite file with all tables, to be copied."""
    path = tmp_path_factory.mktemp("template") / "migrated.db"
    in_own_loop(migrations.upgrade(f"sqlite:///{path}"))
    return path


@pytest.fixture
def database(migrated: Path, tmp_path: Path) -> Path:
    """Return an SQLite file of one's own."""
    return Path(shutil.copy(migrated, tmp_path / "companion.db"))


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing.parse(KeyRing.new_entry("k1"))
