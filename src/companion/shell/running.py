"""`companion run`: the Discord app and the HTTP API in one process."""

from __future__ import annotations

import gc
import time

from companion.domain.errors import ConfigurationError
from companion.settings import Settings
from companion.shell.starting import loaded_settings
from companion.shell.stopping import run_until_stopped


def run(*, discord: bool, http: bool, local_model: bool) -> None:
    """Run until a signal comes. Raises what `companion.shell.sentences` explains."""
    began = time.monotonic()
    if not discord and not http:
        raise ConfigurationError(
            variable="--no-discord --no-http",
            problem="leave nothing to run",
            fix="give at most one of them",
        )
    settings = loaded_settings()
    if discord:
        settings.require_discord_token()
    if http and settings.http_is_open:
        _refuse_strangers(settings)

    # the whole app takes a second to load: what is wrong before that is said at once, and
    # nothing loaded is rubbish: looking for some meanwhile would take a quarter of a second more
    gc.disable()
    from companion.shell.serving import Serving  # noqa: PLC0415

    run_until_stopped(
        Serving(settings, discord=discord, http=http, local_model=local_model, began=began).work
    )


def _refuse_strangers(settings: Settings) -> None:
    """Refuse an open HTTP API where there cannot be a token yet; `http_door` looks closer."""
    from companion.storage import database_file  # noqa: PLC0415

    file = database_file(settings)
    if file is not None and not file.exists():
        raise settings.open_to_strangers()
