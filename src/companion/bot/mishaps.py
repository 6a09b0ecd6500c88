"""Whatever went wrong in a handler: told to the person, and to the log.

One mapping for all hooks (commands, clicks, forms, autocompletion, events).
"""

from __future__ import annotations

from typing import Final

import aiohttp
import discord
import structlog

from companion.bot.acknowledging import Unacknowledged, Why
from companion.bot.answer import Answer
from companion.bot.errors import describe, internal
from companion.bot.exchange import Exchange
from companion.domain.errors import CompanionError, Refused
from companion.ports.clock import Clock

log = structlog.get_logger()

NOBODY_THERE: Final = {10008, 10015, 10062, 50027}
"""Discord: unknown message, unknown webhook, unknown interaction, invalid webhook token."""


class Mishaps:
    """Tells a person what went wrong; never raises."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def tell(self, exchange: Exchange, error: BaseException) -> None:
        """Log the error and answer it, ephemerally, as far as Discord still listens."""
        if isinstance(error, Unacknowledged):
            level = log.info if error.why in {Why.DUPLICATE, Why.EXPIRED} else log.warning
            level("interaction_not_acknowledged", why=error.why, discord_code=error.code)
            return
        if isinstance(error, discord.HTTPException) and error.code in NOBODY_THERE:
            log.info("interaction_gone", discord_code=error.code)
            return
        await self._answer(exchange, self._words(exchange, error))

    def _words(self, exchange: Exchange, error: BaseException) -> Answer:
        if isinstance(error, CompanionError):
            say = log.info if isinstance(error, Refused) else log.warning
            say("interaction_refused", error=error.code)
            return describe(error, self._clock.now())
        log.error("interaction_failed", exc_info=error, reference=exchange.reference)
        return internal(exchange.reference)

    async def _answer(self, exchange: Exchange, answer: Answer) -> None:
        try:
            await exchange.reply(answer)
        except (Unacknowledged, discord.DiscordException, aiohttp.ClientError, OSError) as failure:
            # the cause is in the log already; this only says that the person did not hear of it
            log.warning("error_not_delivered", why=type(failure).__name__)
