from __future__ import annotations

import os
from pathlib import Path

import pytest

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
