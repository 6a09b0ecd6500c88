"""Application commands: checking, keeping, finding them.

"Application Commands" in Discord's documents.
"""

from __future__ import annotations

import re

from companion.playground.api_errors import ApiError, FormErrors, Problem
from companion.playground.choices import check_choice_list
from companion.playground.component_fields import Path, check_text, number
from companion.playground.events import Bus, EventKind, WorldEvent
from companion.playground.snowflakes import Snowflakes
from companion.playground.vocabulary import CommandKind, ContextKind, OptionKind, Permission
from companion.playground.wire import JsonObject, as_int, as_list, as_object, objects

_NAME = re.compile(r"[-_'\w]{1,32}")
_OPTIONS = 25
_MAX_SIZE = 8000
_PER_KIND = {CommandKind.CHAT_INPUT: 100, CommandKind.USER: 15, CommandKind.MESSAGE: 15}
_CREATES_A_DAY = 200
_NESTING = {OptionKind.SUBCOMMAND, OptionKind.SUBCOMMAND_GROUP}


class CommandRegistry:
    """The commands of the app: global ones (`None`) and those of single servers."""

    def __init__(self, ids: Snowflakes, app_id: int, bus: Bus) -> None:
        self._ids = ids
        self._app_id = app_id
        self._bus = bus
        self._stored: dict[int | None, dict[int, JsonObject]] = {}
        self.creates = 0

    def all(self, guild_id: int | None = None) -> list[JsonObject]:
        """Return the commands of one scope."""
        return list(self._stored.get(guild_id, {}).values())

    def visible_in(self, guild_id: int | None) -> list[JsonObject]:
        """Return what can be used in a server or (for `None`) outside of all."""
        own = self.all(guild_id) if guild_id is not None else []
        return [*own, *self.all()]

    def named(self, name: str, guild_id: int | None) -> JsonObject | None:
        """Return a command by name; a server's own one comes first."""
        return next((c for c in self.visible_in(guild_id) if c["name"] == name), None)

    def get(self, guild_id: int | None, command_id: int) -> JsonObject:
        """Return a command. Raises `ApiError` (10063)."""
        command = self._stored.get(guild_id, {}).get(command_id)
        if command is None:
            raise ApiError(Problem.UNKNOWN_COMMAND)
        return command

    def create(self, guild_id: int | None, body: JsonObject) -> tuple[JsonObject, bool]:
        """Store a command, over one of the same name and kind; say whether it is new."""
        errors = FormErrors()
        check_command(body, (), errors)
        errors.raise_if_any()
        old = self._same(guild_id, body)
        stored = self._store(guild_id, body, old)
        self._check_amounts(guild_id)
        self._announce()
        return stored, old is None

    def edit(self, guild_id: int | None, command_id: int, body: JsonObject) -> JsonObject:
        """Change a command."""
        old = self.get(guild_id, command_id)
        merged = {**old, **body}
        errors = FormErrors()
        check_command(merged, (), errors)
        errors.raise_if_any()
        stored = self._store(guild_id, merged, old)
        self._announce()
        return stored

    def delete(self, guild_id: int | None, command_id: int) -> None:
        """Remove a command."""
        self.get(guild_id, command_id)
        del self._stored[guild_id][command_id]
        self._announce()

    def replace(self, guild_id: int | None, bodies: list[JsonObject]) -> list[JsonObject]:
        """Replace all commands of a scope."""
        errors = FormErrors()
        seen: set[tuple[object, object]] = set()
        for index, body in enumerate(bodies):
            check_command(body, (index,), errors)
            key = (body.get("name"), body.get("type", 1))
            if key in seen:
                message = "Application command names must be unique"
                errors.add((index,), "APPLICATION_COMMANDS_DUPLICATE_NAME", message)
            seen.add(key)
        errors.raise_if_any()
        olds = [self._same(guild_id, body) for body in bodies]
        self._stored[guild_id] = {}
        pairs = zip(bodies, olds, strict=True)
        stored = [self._store(guild_id, body, old) for body, old in pairs]
        self._check_amounts(guild_id)
        self._announce()
        return stored

    def _same(self, guild_id: int | None, body: JsonObject) -> JsonObject | None:
        key = (body.get("name"), body.get("type", 1))
        commands = self._stored.get(guild_id, {}).values()
        return next((c for c in commands if (c["name"], c["type"]) == key), None)

    def _store(self, guild_id: int | None, body: JsonObject, old: JsonObject | None) -> JsonObject:
        if old is None:
            self._count_create()
        command_id = self._ids.next() if old is None else int(old["id"])
        stored: JsonObject = {
            **_defaults(),
            **body,
            "id": str(command_id),
            "application_id": str(self._app_id),
            "version": str(self._ids.next()),
        }
        if guild_id is not None:
            stored["guild_id"] = str(guild_id)
        self._stored.setdefault(guild_id, {})[command_id] = stored
        return stored

    def _count_create(self) -> None:
        if self.creates >= _CREATES_A_DAY:
            raise ApiError(Problem.TOO_MANY_COMMAND_CREATES)
        self.creates += 1

    def _check_amounts(self, guild_id: int | None) -> None:
        for kind, most in _PER_KIND.items():
            if sum(1 for c in self.all(guild_id) if c["type"] == kind) > most:
                errors = FormErrors()
                errors.too_long((), most)
                errors.raise_if_any()

    def _announce(self) -> None:
        self._bus.announce(WorldEvent(kind=EventKind.COMMANDS))


def _defaults() -> JsonObject:
    return {
        "type": 1,
        "name_localizations": None,
        "description": "",
        "description_localizations": None,
        "default_member_permissions": None,
        "dm_permission": True,
        "contexts": None,
        "integration_types": [0],
        "nsfw": False,
    }


def check_command(body: JsonObject, path: Path, errors: FormErrors) -> None:
    """Note what is wrong with a command."""
    kind = body.get("type", 1)
    if kind not in CommandKind.__members__.values():
        errors.choices((*path, "type"), "(1, 2, 3)")
        return
    if kind == CommandKind.CHAT_INPUT:
        _check_names(body, path, errors)
        _check_options(objects(body.get("options")), (*path, "options"), errors)
    else:
        check_text(body, "name", path, errors, low=1, high=32, required=True)
        if body.get("description"):
            message = "Context menu commands cannot have description"
            code = "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_NOT_ALLOWED"
            errors.add((*path, "description"), code, message)
    if _size(body) > _MAX_SIZE:
        message = f"Command exceeds maximum size ({_MAX_SIZE})"
        errors.add(path, "APPLICATION_COMMAND_TOO_LARGE", message)


def _check_names(holder: JsonObject, path: Path, errors: FormErrors) -> None:
    names = {("name",): holder.get("name")}
    names |= {
        ("name_localizations", locale): name
        for locale, name in (as_object(holder.get("name_localizations")) or {}).items()
    }
    for place, name in names.items():
        if name is None:
            errors.required((*path, *place))
        elif not isinstance(name, str) or not _NAME.fullmatch(name) or name != name.lower():
            code = "APPLICATION_COMMAND_INVALID_NAME"
            errors.add((*path, *place), code, "Command name is invalid")
    check_text(holder, "description", path, errors, low=1, high=100, required=True)
    localised = as_object(holder.get("description_localizations")) or {}
    for locale in localised:
        place = (*path, "description_localizations")
        check_text(localised, locale, place, errors, low=1, high=100)


def _check_options(options: list[JsonObject], path: Path, errors: FormErrors) -> None:
    if len(options) > _OPTIONS:
        errors.too_long(path, _OPTIONS)
    seen: set[object] = set()
    optional_seen = False
    for index, option in enumerate(options):
        place = (*path, index)
        _check_option(option, place, errors)
        if option.get("name") in seen:
            code = "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS"
            errors.add((*place, "name"), code, "Option name already exists")
        seen.add(option.get("name"))
        if option.get("required") and optional_seen:
            code = "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"
            message = "Required options must be placed before non-required options"
            errors.add(place, code, message)
        optional_seen = optional_seen or not option.get("required")


def _check_option(option: JsonObject, path: Path, errors: FormErrors) -> None:
    value = number(option.get("type"))
    if value is None or value not in OptionKind.__members__.values():
        errors.choices((*path, "type"), "(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)")
        return
    kind = OptionKind(value)
    _check_names(option, path, errors)
    if kind in _NESTING:
        _check_options(objects(option.get("options")), (*path, "options"), errors)
    choices = as_list(option.get("choices"))
    if choices:
        check_choice_list(choices, kind, (*path, "choices"), errors)
        if option.get("autocomplete"):
            code = "APPLICATION_COMMAND_AUTOCOMPLETE_NOT_ALLOWED_WITH_CHOICES"
            errors.add(path, code, "Options with choices cannot have autocomplete")
    _check_bounds(option, kind, path, errors)


def _check_bounds(option: JsonObject, kind: OptionKind, path: Path, errors: FormErrors) -> None:
    for name, low in (("min_length", 0), ("max_length", 1)):
        bound = number(option.get(name))
        if bound is not None and not low <= bound <= 6000:  # noqa: PLR2004
            message = f"int value should be between {low} and 6000."
            errors.add((*path, name), "NUMBER_TYPE_RANGE", message)
    if option.get("autocomplete") and kind not in {
        OptionKind.STRING,
        OptionKind.INTEGER,
        OptionKind.NUMBER,
    }:
        code = "APPLICATION_COMMAND_AUTOCOMPLETE_INVALID_TYPE"
        errors.add(path, code, "This option type cannot have autocomplete")


def _size(body: JsonObject) -> int:
    own = _longest(body, "name") + _longest(body, "description")
    own += sum(
        _longest(choice, "name") + len(str(choice.get("value", "")))
        for choice in objects(body.get("choices"))
    )
    return own + sum(map(_size, objects(body.get("options"))))


def _longest(holder: JsonObject, name: str) -> int:
    localised = as_object(holder.get(f"{name}_localizations")) or {}
    return max(len(str(text or "")) for text in (holder.get(name), *localised.values()))


def is_offered(
    command: JsonObject, context: ContextKind, granted: Permission, install: str
) -> bool:
    """Say whether Discord shows a command there to somebody with these permissions.

    Only a default: server administrators may have decided otherwise.
    """
    types = as_list(command.get("integration_types")) or [0]
    if context is not ContextKind.BOT_DM and ("guild", "user").index(install) not in types:
        return False
    contexts = as_list(command.get("contexts"))
    if contexts is not None and int(context) not in contexts:
        return False
    if contexts is None and context is not ContextKind.GUILD and not command["dm_permission"]:
        return False
    needed = as_int(command.get("default_member_permissions"))
    if needed is None or context is not ContextKind.GUILD:
        return True
    return Permission.ADMINISTRATOR in granted or (needed > 0 and not needed & ~granted)
