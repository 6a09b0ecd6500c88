"""The Discord door: builds the client around the services, runs it, and closes it in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
import discord
import structlog
from discord.http import Route

from companion.bot.acknowledging import Acknowledger
from companion.bot.client import CompanionBot
from companion.bot.closed_channels import ClosedChannels
from companion.bot.hooks import Hooks
from companion.bot.identify_record import IdentifyRecord
from companion.bot.output_pacing import OutputPacing, PacingRules
from companion.bot.recovering import Recovering
from companion.bot.rest import Rest
from companion.bot.standing import Standing
from companion.bot.wiring import Ground, furnish
from companion.domain.errors import ConfigurationError
from companion.domain.gateway_errors import ConnectionsUsedUp
from companion.domain.secrets import Secret
from companion.ports.clock import Clock
from companion.services.background import BackgroundTasks
from companion.services.container import Services

log = structlog.get_logger()

DISCORDS_OWN: Final = "https://discord.com/api"
LAST_WORDS_S: Final = 3.0
"""How long a cut reply has to put its last text out."""

BAD_TOKEN: Final = 4004
BAD_SHARDS: Final = {4010, 4011}
BAD_INTENTS: Final = {4013, 4014}

KEY_PAGE: Final = "Create one at <https://platform.openai.com/api-keys>."


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscordConfig:
    """How to reach Discord, and which part of it. `key_page` says where one gets an API key."""

    token: Secret
    api_url: str | None = None
    message_content: bool = False
    shard_count: int | None = None
    shard_ids: tuple[int, ...] | None = None
    key_page: str = KEY_PAGE
    sessions_file: Path | None = None
    """Where it is noted when sessions began, so that a crash loop is seen."""

    @property
    def share(self) -> float:
        """Return which part of the bot's shards this process runs."""
        if not (self.shard_ids and self.shard_count):
            return 1.0
        return len(self.shard_ids) / self.shard_count


class DiscordDoor:
    """Discord's way in. One a process: commands live on the library's cog classes."""

    def __init__(self, services: Services, config: DiscordConfig, clock: Clock) -> None:
        self._services = services
        self._config = config
        self._clock = clock
        self._bot: CompanionBot | None = None
        self._connection: asyncio.Task[None] | None = None
        self._tasks = BackgroundTasks()
        self._standing = Standing(clock)
        self._recovering: Recovering | None = None
        self.ready = asyncio.Event()

    @property
    def is_ready(self) -> bool:
        """Whether all shards are connected and Discord listens, right now."""
        bot = self._bot
        if bot is None or bot.is_closed() or not bot.is_ready() or self._standing.is_banned:
            return False
        return not any(shard.is_closed() for shard in bot.shards.values())

    @property
    def refused(self) -> int:
        """How many requests Discord refused in the last ten minutes."""
        return self._standing.invalid

    @property
    def busy(self) -> int:
        """How many interactions and other events are being handled right now."""
        return len(self._bot.handling) if self._bot is not None else 0

    async def run(self) -> None:
        """Log in, register the commands if they changed, and stay connected until closed.

        Raises `ConfigurationError` for what only a new setting can heal, and
        `ConnectionError` when Discord cannot be reached at the start.
        """
        _clamp_logging()
        Route.API_BASE_URL = f"{(self._config.api_url or DISCORDS_OWN).rstrip('/')}/v10"
        async with self._client() as bot:
            self._bot = bot
            self._connection = asyncio.create_task(self._connect(bot))
            try:
                await self._connection
            except asyncio.CancelledError:
                if not bot.is_closed():
                    raise  # this very task is being cancelled, not the connection by `close`
            finally:
                self.ready.clear()

    async def drain(self, timeout_s: float) -> None:
        """Refuse new questions, and let running replies finish for that long."""
        if self._recovering is not None:
            self._recovering.stop()
        cut = await self._services.chat.drain(timeout_s)
        if self._bot is not None and (pending := self._bot.handling):
            _, pending = await asyncio.wait(pending, timeout=LAST_WORDS_S)
            cut += len(pending)
        log.info("discord_drained", cut=cut)

    async def close(self) -> None:
        """End what still runs, then the gateway, then REST."""
        bot = self._bot
        if bot is None or bot.is_closed():
            return
        await _end(bot.handling)
        await self._tasks.close()
        await self._services.deliveries.release()
        await bot.gate.close()
        await bot.close()
        if self._connection is not None:
            self._connection.cancel()

    async def _connect(self, bot: CompanionBot) -> None:
        token = self._config.token.reveal()
        try:
            await bot.login(token)
            if self._recovering is not None:
                self._recovering.start()
            await self._stay(bot)
        except ConnectionsUsedUp:
            raise
        except discord.LoginFailure as error:
            raise _bad_token() from error
        except discord.PrivilegedIntentsRequired as error:
            raise _bad_intents() from error
        except discord.ConnectionClosed as error:
            raise _fatal(error) from error
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            raise ConnectionError("Discord cannot be reached") from error

    async def _stay(self, bot: CompanionBot) -> None:
        """Stay connected; raises `LoginFailure` when the token is no good any more."""
        connecting = asyncio.create_task(bot.connect())
        refused = asyncio.create_task(self._standing.token_refused.wait())
        try:
            await asyncio.wait({connecting, refused}, return_when=asyncio.FIRST_COMPLETED)
            if refused.done() and not bot.is_closed():
                raise discord.LoginFailure("Discord refuses this token")
            await connecting
        finally:
            refused.cancel()
            connecting.cancel()

    @asynccontextmanager
    async def _client(self) -> AsyncGenerator[CompanionBot]:
        # first responses have connections of their own: they never queue behind edits
        timeout = aiohttp.ClientTimeout(total=None, connect=5.0)
        watched = (self._standing.watch_first_responses,)
        async with aiohttp.ClientSession(timeout=timeout, middlewares=watched) as session:
            bot = self._build(session)
            try:
                yield bot
            finally:
                await self.close()

    def _build(self, session: aiohttp.ClientSession) -> CompanionBot:
        services, config, clock = self._services, self._config, self._clock
        pacing = OutputPacing(
            clock,
            PacingRules().for_share(config.share),
            is_restrained=lambda: self._standing.is_restrained,
        )
        closed = ClosedChannels(clock)
        bot = CompanionBot(
            message_content=config.message_content,
            shard_count=config.shard_count,
            shard_ids=config.shard_ids,
            acknowledger=Acknowledger(session),
            hooks=Hooks(clock),
            rest=Rest(pacing=pacing, standing=self._standing, closed=closed, clock=clock),
            deliveries=services.deliveries,
            record=IdentifyRecord(config.sessions_file, clock),
            clock=clock,
            up=self.ready,
        )
        ground = Ground(
            services=services,
            tasks=self._tasks,
            clock=clock,
            session=session,
            pacing=pacing,
            closed=closed,
            reads_messages=config.message_content,
            key_page=config.key_page,
            api_url=config.api_url,
        )
        self._recovering = furnish(bot, ground)
        return bot


async def _end(tasks: set[asyncio.Task[object]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=LAST_WORDS_S)


def _clamp_logging() -> None:
    """Keep the library above DEBUG, where it logs what people type into forms: their keys."""
    for name in ["discord", *logging.root.manager.loggerDict]:
        logger = logging.getLogger(name)
        # the parent gets a level of its own, so that lowering the root's changes nothing
        if name == "discord" or (name.startswith("discord.") and logger.level):
            logger.setLevel(max(logger.level, logging.INFO))
    # at each start it warns that voice will not work, which nobody asked for
    logging.getLogger("discord.utils").setLevel(logging.ERROR)


def _bad_token() -> ConfigurationError:
    return ConfigurationError(
        variable="DISCORD_TOKEN",
        problem="Discord refuses this token",
        fix="copy the bot's token again from the Discord developer portal, or reset it there",
    )


def _bad_intents() -> ConfigurationError:
    return ConfigurationError(
        variable="COMPANION_MESSAGE_CONTENT",
        problem="Discord refuses the Message Content intent",
        fix="turn it on for the bot in the Discord developer portal, or set the variable to false",
    )


def _fatal(closed: discord.ConnectionClosed) -> Exception:
    """Say what a close code means after which there is no use in connecting again."""
    if closed.code == BAD_TOKEN:
        return _bad_token()
    if closed.code in BAD_INTENTS:
        return _bad_intents()
    if closed.code in BAD_SHARDS:
        return ConfigurationError(
            variable="COMPANION_SHARD_COUNT",
            problem=f"Discord refuses this sharding (close code {closed.code})",
            fix="leave it and COMPANION_SHARD_IDS unset, or raise the count",
        )
    return ConnectionError(f"Discord closed the gateway with code {closed.code}")
