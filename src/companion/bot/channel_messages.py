"""A reply's messages as ordinary messages of the channel, sent with the bot's token."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import aiohttp
import discord

from companion.bot.buttons import Button
from companion.bot.responder import DeliveryDelayed, DeliveryError, DeliveryGone, TextFile
from companion.bot.views import view_of


class ChannelMessages:
    """Sends and edits in one channel. Every call raises `DeliveryError`."""

    def __init__(self, channel: discord.abc.Messageable, *, request_s: float = 30.0) -> None:
        self._channel = channel
        self._sent: list[discord.Message] = []
        self._request_s = request_s

    async def send(self, content: str, buttons: Sequence[Button], file: TextFile | None) -> int:
        """Send a message and return its number here, from 0."""
        with _translated():
            async with asyncio.timeout(self._request_s):
                message = await self._channel.send(content, **_options(buttons, file))
        self._sent.append(message)
        return len(self._sent) - 1

    async def edit(
        self, number: int, content: str, buttons: Sequence[Button], file: TextFile | None
    ) -> None:
        """Replace a message's text and buttons."""
        with _translated():
            async with asyncio.timeout(self._request_s):
                await self._sent[number].edit(content=content, **_options(buttons, file))


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except discord.HTTPException as error:
        raise _delivery_error(error) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise DeliveryDelayed from error


def _delivery_error(error: discord.HTTPException) -> DeliveryError:
    passing = (
        error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        or error.status == HTTPStatus.TOO_MANY_REQUESTS
    )
    return (DeliveryDelayed if passing else DeliveryGone)(status=error.status, code=error.code)


def _options(buttons: Sequence[Button], file: TextFile | None) -> dict[str, Any]:
    options: dict[str, Any] = {
        "view": view_of(buttons),
        "allowed_mentions": discord.AllowedMentions.none(),
        "suppress_embeds": True,
    }
    if file is not None:
        data = io.BytesIO(file.text.encode())
        options["file"] = discord.File(data, filename=file.name)
    return options
