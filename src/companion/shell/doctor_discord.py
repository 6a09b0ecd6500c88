"""The doctor's look at Discord: token, intents, registered commands."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, cast

import aiohttp
import discord

from companion.bot import cogs
from companion.bot.app import DISCORDS_OWN
from companion.bot.registering import differs, payload_of
from companion.settings import Settings
from companion.shell.checkup import (
    COMMANDS,
    DISCORD,
    INTENTS,
    Finding,
    failed,
    fine,
    skipped,
)

ANSWER_S: Final = 10.0
MESSAGE_CONTENT_FLAGS: Final = 1 << 18 | 1 << 19
"""GATEWAY_MESSAGE_CONTENT, and its form for apps in few servers."""

PORTAL: Final = "the Discord Developer Portal (Bot page)"
Json = Mapping[str, Any]


class _Refused(Exception):
    """Discord answered with this status instead of what was asked for."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


async def examine(settings: Settings) -> list[Finding]:
    """Return the rows of token, intents and commands."""
    if settings.discord_token is None:
        missing = failed(
            DISCORD,
            "DISCORD_TOKEN is not set",
            f"copy the bot's token from {PORTAL}; `companion playground` needs none",
        )
        return [missing, *_unseen("needs a token")]
    headers = {"Authorization": f"Bot {settings.discord_token.get_secret_value()}"}
    timeout = aiohttp.ClientTimeout(total=ANSWER_S)
    base = f"{settings.discord_api_url or DISCORDS_OWN}/v10"
    try:
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
            return await _ask(session, base, settings)
    except _Refused as error:
        return [_refused(error.status), *_unseen("needs a token that works")]
    except (aiohttp.ClientError, TimeoutError, ValueError):
        unreachable = failed(
            DISCORD, f"{base} does not answer", "check the network and DISCORD_API_URL"
        )
        return [unreachable, *_unseen("Discord does not answer")]


def expected_commands() -> list[dict[str, object]]:
    """Return what this version registers: the commands of every cog there is."""
    for module in pkgutil.iter_modules(cogs.__path__, f"{cogs.__name__}."):
        importlib.import_module(module.name)
    classes = discord.Cog.__subclasses__()
    ours = [found for found in classes if found.__module__.startswith(cogs.__name__)]
    return [
        payload_of(command)
        for found in ours
        for command in cast("list[object]", found.__cog_commands__)
        if isinstance(command, (discord.SlashCommand, discord.MessageCommand))
    ]


async def _ask(session: aiohttp.ClientSession, base: str, settings: Settings) -> list[Finding]:
    me = cast("Json", await _get(session, f"{base}/users/@me"))
    app = cast("Json", await _get(session, f"{base}/applications/@me"))
    registered = cast(
        "list[Json]", await _get(session, f"{base}/applications/{app['id']}/commands")
    )
    return [
        fine(DISCORD, f"logged in as {me['username']}"),
        _intents(int(app.get("flags") or 0), settings),
        _commands(registered),
    ]


async def _get(session: aiohttp.ClientSession, url: str) -> object:
    async with session.get(url, allow_redirects=False) as response:
        if response.status != HTTPStatus.OK:
            raise _Refused(response.status)
        return await response.json()


def _refused(status: int) -> Finding:
    if status == HTTPStatus.UNAUTHORIZED:
        fix = f"copy the token again from {PORTAL}, or reset it there"
        return failed(DISCORD, "Discord refuses this token", fix)
    return failed(DISCORD, f"Discord answers with status {status}", "try again in some minutes")


def _intents(flags: int, settings: Settings) -> Finding:
    if not settings.message_content:
        return fine(INTENTS, "no privileged intent is asked for")
    if flags & MESSAGE_CONTENT_FLAGS:
        return fine(INTENTS, "Message Content is granted")
    return failed(
        INTENTS,
        "COMPANION_MESSAGE_CONTENT asks for an intent that the bot does not have",
        f"turn on Message Content in {PORTAL}, or set the variable to false",
    )


def _commands(registered: list[Json]) -> Finding:
    expected = expected_commands()
    if not differs(expected, registered):
        return fine(COMMANDS, f"{len(expected)} registered")
    detail = "differ from this version's" if registered else "none are registered"
    return failed(COMMANDS, detail, "start `companion run`: it registers them")


def _unseen(reason: str) -> list[Finding]:
    return [skipped(INTENTS, reason), skipped(COMMANDS, reason)]
