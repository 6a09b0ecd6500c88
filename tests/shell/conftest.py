from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
import structlog

from companion import logs
from companion.storage import PRIVATE_FOLDER

OURS = ("COMPANION_", "DISCORD_", "OPENAI_", "DATABASE_URL", "REDIS_URL")


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the developer's machine reaches a test."""
    for name in list(os.environ):
        if name.startswith(OURS):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setenv("COMPANION_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def migrated_data(migrated: Path, tmp_path: Path) -> None:
    """Begin with tables, as every start but the first does: making them takes a second."""
    folder = tmp_path / "data"
    folder.mkdir(mode=PRIVATE_FOLDER)
    shutil.copy(migrated, folder / "companion.db")


@pytest.fixture(autouse=True)
def own_logs() -> Generator[None]:
    """Whatever a test does to the logs of the process is undone."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    loggers = (logs.OURS, *logs.CLAMPED, *logs.TALKATIVE)
    levels = {name: logging.getLogger(name).level for name in loggers}
    configuration = structlog.get_config()
    yield
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.configure(**configuration)
