"""The commands as the client registers them, with nothing behind them."""

from __future__ import annotations

from typing import Any, cast

import discord

from companion.bot.cogs.asking import Asking
from companion.bot.cogs.clearing import Clearing
from companion.bot.cogs.helping import Helping
from companion.bot.cogs.keys import Keys
from companion.bot.cogs.quoting import Quoting
from companion.bot.cogs.settling import Settling
from companion.bot.cogs.tokens import Tokens
from companion.bot.command_shapes import CommandShape, read_shape
from companion.bot.registering import Command, payload_of

_NOTHING = cast("Any", None)
_COGS: list[discord.Cog] = [
    Asking(_NOTHING, _NOTHING, _NOTHING),
    Keys(_NOTHING),
    Clearing(_NOTHING),
    Quoting(_NOTHING, _NOTHING),
    Settling(_NOTHING),
    Tokens(_NOTHING),
    Helping(_NOTHING, list, reads_messages=False),
]


def _taken_in(cog: discord.Cog) -> list[Command]:
    """Do to its commands what adding a cog to a client does."""
    commands = cast("list[Command]", cog.get_commands())  # pyright: ignore[reportUnknownMemberType]
    for command in commands:
        command.cog = cog  # pyright: ignore[reportAttributeAccessIssue]  # annotated as None
    return commands


COMMANDS = [command for cog in _COGS for command in _taken_in(cog)]


def command(name: str) -> Command:
    """Return one command."""
    return next(command for command in COMMANDS if command.name == name)


def shape(name: str) -> CommandShape:
    """Return what one command accepts."""
    return read_shape(payload_of(command(name)))
