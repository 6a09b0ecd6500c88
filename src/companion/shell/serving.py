"""The work of `companion run`, once the settings are known to be complete."""

from __future__ import annotations

import gc
from contextlib import AsyncExitStack
from typing import Final

import structlog

from companion.bootstrap import open_app
from companion.llm.local_server import open_local_server
from companion.model_source import ModelSource, from_local, from_provider
from companion.settings import Settings
from companion.shell.fetching import local_model_file
from companion.shell.stopping import Stopping
from companion.shell.versions import own_version

log = structlog.get_logger()

NEW_OBJECTS: Final = 5_000
"""How many come to be before Python looks for circles among them."""


class Serving:
    """Opens the app and runs it until it is asked to stop."""

    def __init__(
        self, settings: Settings, *, discord: bool, http: bool, local_model: bool, began: float
    ) -> None:
        self._settings = settings
        self._discord = discord
        self._http = http
        self._local_model = local_model
        self._began = began

    async def work(self, stopping: Stopping) -> None:
        """Run. Raises what `companion.shell.sentences` explains."""
        async with AsyncExitStack() as stack:
            source = await self._source(stack)
            app = await stack.enter_async_context(
                open_app(self._settings, source, discord=self._discord, http=self._http)
            )
            log.info("starting", version=own_version())
            stopping.from_now_on_politely()
            _spare_what_stays()
            await app.run(stopping.requested, started_at=self._began)
        log.info("stopped")

    async def _source(self, stack: AsyncExitStack) -> ModelSource:
        if not self._local_model:
            return from_provider(self._settings)
        file = await local_model_file(self._settings)
        return from_local(await stack.enter_async_context(open_local_server(file)), self._settings)


def _spare_what_stays() -> None:
    """Keep the garbage collector from looking again and again at all that was loaded.

    Half a million objects of libraries stay as long as the process: each full look at them
    holds the event loop up for a tenth of a second.
    """
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(NEW_OBJECTS, 10, 10)
