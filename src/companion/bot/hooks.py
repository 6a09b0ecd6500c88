"""The last resorts: whatever a handler raises is told to the person, and to the log.

One mapping for all of them: commands, clicks, forms, autocompletion.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeVar

import aiohttp
import discord
import structlog

from companion.bot.acknowledging import Unacknowledged, Why
from companion.bot.answer import Answer
from companion.bot.errors import describe, internal
from companion.bot.giving_back import given_back
from companion.bot.rest import ChannelLeft
from companion.bot.suggestions import Choices
from companion.domain.delivery import ReplyId
from companion.domain.errors import CompanionError, Refused
from companion.ports.clock import Clock

log = structlog.get_logger()

NOBODY_THERE: Final = {10008, 10015, 10062, 50027}
"""Discord: unknown message, unknown webhook, unknown interaction, invalid webhook token."""


class Told(Protocol):
    """Something a person did, and can be told about: an interaction or a message."""

    @property
    def reference(self) -> str:
        """Its name in the log."""
        ...

    @property
    def reply_id(self) -> ReplyId:
        """What the answer to it is kept under while it is under way."""
        ...

    @property
    def typed(self) -> str:
        """What was typed and is lost when it is refused; empty when nothing is."""
        ...

    async def reply(self, answer: Answer) -> None:
        """Say something to the person."""
        ...


T = TypeVar("T", bound=Told)


class Hooks:
    """Runs handlers so that no error of theirs stays unsaid; never raises one itself."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def run(self, told: T, handle: Callable[[T], Awaitable[None]]) -> None:
        """Handle an interaction or a message, and tell of what went wrong."""
        try:
            await handle(told)
        except Exception as error:  # noqa: BLE001  last resort: nobody may be left without an answer
            await self.tell(told, error)

    def listed(self, suggest: Callable[[], Choices]) -> Choices:
        """Return suggestions; none when they cannot be made."""
        try:
            return suggest()
        except Exception:  # last resort: it is logged, and the command works without suggestions
            log.exception("suggestions_failed")
            return ()

    async def tell(self, told: Told, error: BaseException) -> None:
        """Log the error and answer it, as far as Discord still listens."""
        if isinstance(error, Unacknowledged):
            level = log.info if error.why in {Why.DUPLICATE, Why.EXPIRED} else log.warning
            level("interaction_not_acknowledged", why=error.why, discord_code=error.code)
            return
        if isinstance(error, discord.HTTPException) and _is_nobody_there(error):
            log.info("interaction_gone", discord_code=error.code)
            return
        await self._answer(told, self._words(told, error))

    def _words(self, told: Told, error: BaseException) -> Answer:
        if isinstance(error, CompanionError):
            say = log.info if isinstance(error, Refused) else log.warning
            say("interaction_refused", error=error.code)
            return given_back(describe(error, self._clock.now()), told.typed, error)
        log.error("interaction_failed", exc_info=error, reference=told.reference)
        return given_back(internal(told.reference), told.typed)

    async def _answer(self, told: Told, answer: Answer) -> None:
        try:
            await told.reply(answer)
        except (Unacknowledged, discord.DiscordException, aiohttp.ClientError, OSError) as failure:
            # the cause is in the log already; this only says that the person did not hear of it
            log.warning("error_not_delivered", why=type(failure).__name__)


def _is_nobody_there(error: discord.HTTPException) -> bool:
    return isinstance(error, ChannelLeft) or error.code in NOBODY_THERE
