"""Registering commands, only when they differ from what Discord has.

Discord allows 200 creations a day and server, and has put apps that register at every
start on day-long cool-downs. The library's own comparison misses bounds and
`required`, so both sides are brought into one form here and compared as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

import discord
import structlog
from discord.http import HTTPClient

from companion.bot.command_shapes import mappings

log = structlog.get_logger()

CHAT_INPUT: Final = 1
Command = discord.SlashCommand | discord.MessageCommand
NAMES: Final = (
    "name_localizations",
    "description_localizations",
    "default_member_permissions",
)
BOUNDS: Final = ("min_value", "max_value", "min_length", "max_length")


async def register(http: HTTPClient, application_id: int, commands: Sequence[Command]) -> None:
    """Replace the registered commands by these, if they differ."""
    ours = [payload_of(command) for command in commands]
    try:
        theirs = cast("list[dict[str, object]]", await http.get_global_commands(application_id))
        if differs(ours, theirs):
            await http.bulk_upsert_global_commands(application_id, ours)  # pyright: ignore[reportUnknownMemberType]
            log.info("commands_registered", count=len(ours))
    except discord.HTTPException as error:
        # what Discord already has still works, because commands are found by name
        log.warning("commands_not_registered", status=error.status, discord_code=error.code)


def payload_of(command: Command) -> dict[str, object]:
    """Return what Discord gets to register a command."""
    return cast("dict[str, object]", command.to_dict())  # pyright: ignore[reportUnknownMemberType]


def differs(ours: Sequence[Mapping[str, object]], theirs: Sequence[Mapping[str, object]]) -> bool:
    """Whether the registered commands have to be replaced."""
    return _by_name(ours) != _by_name(theirs)


def _by_name(commands: Sequence[Mapping[str, object]]) -> dict[tuple[object, object], object]:
    return {
        (command.get("type") or CHAT_INPUT, command.get("name")): _normal(command)
        for command in commands
    }


def _normal(command: Mapping[str, object]) -> dict[str, object]:
    return {
        "description": command.get("description") or "",
        "options": [_normal_option(option) for option in mappings(command.get("options"))],
        "integration_types": _sorted(command.get("integration_types"), default=(0,)),
        "contexts": _sorted(command.get("contexts"), default=(0, 1, 2)),
        "nsfw": bool(command.get("nsfw")),
        **{name: _text_or_none(command.get(name)) for name in NAMES},
    }


def _normal_option(option: Mapping[str, object]) -> dict[str, object]:
    return {
        "type": option.get("type"),
        "name": option.get("name"),
        "description": option.get("description") or "",
        "required": bool(option.get("required")),
        "autocomplete": bool(option.get("autocomplete")),
        "choices": [
            (choice.get("name"), choice.get("value")) for choice in mappings(option.get("choices"))
        ],
        "options": [_normal_option(inner) for inner in mappings(option.get("options"))],
        # 0 and 0.0 are the same bound, `None` and a missing one too
        **{name: option.get(name) for name in BOUNDS},
        **{name: option.get(name) or None for name in NAMES[:2]},
    }


def _sorted(value: object, *, default: tuple[int, ...]) -> list[int]:
    numbers = cast("list[object]", value) if isinstance(value, list) else default
    return sorted(int(str(number)) for number in numbers)


def _text_or_none(value: object) -> object:
    # permissions are a number on our side and a string on Discord's
    return str(value) if isinstance(value, int) else value or None
