"""`companion model fetch`: the local model's file, with a progress bar."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Final

from companion.llm import local_model
from companion.settings import Settings
from companion.shell.progress import Progress
from companion.shell.starting import loaded_settings

MEGABYTE: Final = 1_000_000


async def local_model_file(settings: Settings) -> Path:
    """Return the file of the local model, fetching it at the first time.

    Raises `ConfigurationError` without the extra `local`, and `LocalModelUnavailable`.
    """
    local_model.require_installed()
    found = local_model.find(settings.local_model, settings.data_dir)
    return found or await fetch(settings.data_dir)


def fetch_now() -> str:
    """Fetch the file unless it is there; return what to print."""
    settings = loaded_settings(quiet=True)
    found = local_model.find(None, settings.data_dir)
    if found is not None:
        return f"{found} is there already."
    return f"{asyncio.run(fetch(settings.data_dir))} is ready."


async def fetch(data_dir: Path) -> Path:
    """Fetch the model and show how far it is, on standard error."""
    with Progress("Fetching the local model (once)", "MB", sys.stderr) as bar:
        return await local_model.fetch(
            data_dir, lambda done, total: bar.show(done / MEGABYTE, total / MEGABYTE)
        )
