"""The composition root: builds everything from the settings, and takes it down in reverse."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import structlog

from companion.api.metrics import Metrics
from companion.bot.app import KEY_PAGE, DiscordConfig, DiscordDoor
from companion.clock import SystemClock
from companion.db.uow import SqlStore
from companion.domain.money import Caps
from companion.domain.secrets import Secret
from companion.domain.usage import Micros
from companion.http_door import opened_http
from companion.limiting import opened_limits
from companion.llm.client import open_provider
from companion.metering import metered
from companion.model_source import ModelSource
from companion.readiness import ProcessReadiness
from companion.services.container import Services
from companion.services.policy import ServicePolicy
from companion.settings import Settings
from companion.storage import opened_store
from companion.wiring import operator, wired

log = structlog.get_logger()

SESSIONS_FILE: Final = "sessions.json"
CLOSE_S: Final = 5.0
"""How long a connection has to end after it was closed."""


class App:
    """Everything that runs, and its end in the right order."""

    def __init__(
        self,
        *,
        services: Services,
        door: DiscordDoor | None,
        readiness: ProcessReadiness,
        drain_s: float,
    ) -> None:
        self.services = services
        self.door = door
        self.readiness = readiness
        self._drain_s = drain_s

    async def run(self, stop: asyncio.Event, *, started_at: float | None = None) -> None:
        """Answer until `stop` is set, then finish what runs.

        Raises `ConfigurationError` or `ConnectionError` when Discord turns us away.
        """
        began = time.monotonic() if started_at is None else started_at
        stopping = asyncio.create_task(stop.wait(), name="stopping")
        ready = asyncio.create_task(self._announce(began), name="announcing")
        connection = self.door and asyncio.create_task(self.door.run(), name="discord")
        tasks = {stopping, connection} if connection else {stopping}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set():
                await self.drain()
        finally:
            stopping.cancel()
            ready.cancel()
            if self.door is not None:
                await self.door.close()
            _, late = await asyncio.wait({*tasks, ready}, timeout=CLOSE_S)
            for task in late:
                task.cancel()
        if connection and not connection.cancelled():
            await connection

    async def drain(self) -> None:
        """Refuse new work, and let running replies finish for as long as the settings allow."""
        self.readiness.draining = True
        log.info("draining", running=self.services.chat.running, at_most_s=self._drain_s)
        chat = self.services.chat if self.door is None else self.door
        await asyncio.gather(chat.drain(self._drain_s), self.services.relay.drain(self._drain_s))

    async def _announce(self, began: float) -> None:
        if self.door is not None:
            await self.door.ready.wait()
        log.info("ready", seconds=round(time.monotonic() - began, 2))


@asynccontextmanager
async def open_app(
    settings: Settings, source: ModelSource, *, discord: bool = True, http: bool = True
) -> AsyncGenerator[App]:
    """Open all parts. Nothing is answered before `App.run`.

    Raises `ConfigurationError` on a setting that cannot work, `WrongKeyRing`, and
    `StorageUnavailable`.
    """
    config = _discord_config(settings, source) if discord else None
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened_store(settings))
        limits = await stack.enter_async_context(opened_limits(settings, clock))
        metrics = Metrics(
            running=lambda: services.chat.running,
            waiting=lambda: services.admission.waiting,
            limits_degraded=limits.degraded,
            refused=lambda: door.refused if door else 0,
        )
        provider = await stack.enter_async_context(open_provider(clock=clock))
        services = wired(
            store=store,
            provider=metered(provider, metrics),
            prices=source.prices,
            limiter=limits.limiter,
            at_once=settings.max_streams,
            at_once_for_one=settings.max_streams_per_user,
            clock=clock,
            policy=_policy(settings, source, store),
        )
        stack.push_async_callback(services.close)
        services.sweeper.start()
        services.models.start()
        door = DiscordDoor(services, config, clock) if config else None
        readiness = ProcessReadiness(store=store, gateway=door, limits=limits.part, clock=clock)
        if http:
            api = opened_http(settings, services, readiness, metrics)
            log.info("listening", url=await stack.enter_async_context(api))
        yield App(services=services, door=door, readiness=readiness, drain_s=settings.drain_seconds)


def _discord_config(settings: Settings, source: ModelSource) -> DiscordConfig:
    return DiscordConfig(
        token=Secret(settings.require_discord_token().get_secret_value()),
        api_url=settings.discord_api_url,
        message_content=settings.message_content,
        shard_count=settings.shard_count,
        shard_ids=settings.shard_ids,
        key_page=source.key_page or KEY_PAGE,
        sessions_file=settings.data_dir / SESSIONS_FILE,
    )


def _policy(settings: Settings, source: ModelSource, store: SqlStore) -> ServicePolicy:
    return ServicePolicy(
        base_url=source.base_url,
        default_model=source.default_model,
        system_prompt=source.system_prompt,
        operator=operator(store, source.operator_key, source.base_url),
        operator_key_for=settings.operator_key_for,
        caps=_caps(settings),
        retention_days=settings.retention_days,
    )


def _caps(settings: Settings) -> Caps:
    day, month = settings.budget_user_day, settings.budget_guild_month
    return Caps(
        person_day=None if day is None else Micros(day),
        server_month=None if month is None else Micros(month),
    )
