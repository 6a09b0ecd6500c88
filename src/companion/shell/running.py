"""`companion run`: the Discord app and the HTTP API in one process."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack

import structlog

from companion.bootstrap import open_app
from companion.domain.errors import ConfigurationError
from companion.llm.local_server import open_local_server
from companion.model_source import ModelSource, from_local, from_provider
from companion.settings import Settings
from companion.shell.fetching import local_model_file
from companion.shell.starting import loaded_settings
from companion.shell.stopping import Stopping, run_until_stopped
from companion.shell.versions import own_version

log = structlog.get_logger()


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

    async def work(stopping: Stopping) -> None:
        async with AsyncExitStack() as stack:
            source = await _source(settings, stack, local_model=local_model)
            app = await stack.enter_async_context(
                open_app(settings, source, discord=discord, http=http)
            )
            log.info("starting", version=own_version())
            stopping.from_now_on_politely()
            await app.run(stopping.requested, started_at=began)
        log.info("stopped")

    run_until_stopped(work)


async def _source(settings: Settings, stack: AsyncExitStack, *, local_model: bool) -> ModelSource:
    if not local_model:
        return from_provider(settings)
    file = await local_model_file(settings)
    return from_local(await stack.enter_async_context(open_local_server(file)), settings)
