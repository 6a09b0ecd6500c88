"""`companion run`: the Discord app and the HTTP API in one process."""

from __future__ import annotations

import time

from companion.domain.errors import ConfigurationError
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
    if http:
        settings.require_own_host()

    # the whole app takes a second to load: what is wrong before that is said at once
    from companion.shell.serving import Serving  # noqa: PLC0415

    run_until_stopped(
        Serving(settings, discord=discord, http=http, local_model=local_model, began=began).work
    )
