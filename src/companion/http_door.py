"""Opens the HTTP door as the settings say, and keeps it shut to strangers."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version

from companion.api.app import ApiConfig, build_api
from companion.api.metrics import Metrics
from companion.api.server import serving
from companion.readiness import ProcessReadiness
from companion.services.container import Services
from companion.settings import Settings


@asynccontextmanager
async def opened_http(
    settings: Settings, services: Services, readiness: ProcessReadiness, metrics: Metrics
) -> AsyncGenerator[str]:
    """Serve until the block ends; yields the origin.

    Raises `ConfigurationError` when the address cannot be had, or when other machines
    could reach it and there is no token that would tell friend from foe.
    """
    if settings.http_is_open and not await services.tokens.any_usable():
        raise settings.open_to_strangers()
    config = ApiConfig(guarded=settings.http_is_open, version=version("companion"))
    app = build_api(readiness, services, metrics=metrics, config=config)
    services.tasks.start("event loop lag", metrics.watch_loop())
    async with serving(app, host=settings.http_host, port=settings.http_port) as origin:
        yield origin
