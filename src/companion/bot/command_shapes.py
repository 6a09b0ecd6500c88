"""What a registered command accepts, read from the payload that Discord gets.

One source for three readers: the check of what comes in, the comparison with what
Discord has, and `/help`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, cast

MESSAGE_COMMAND: Final = 3


class OptionKind(IntEnum):
    """Discord's option types that the app uses."""

    STRING = 3
    INTEGER = 4
    BOOLEAN = 5
    NUMBER = 10
    ATTACHMENT = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionShape:
    """One option. `minimum`/`maximum` bound a number, or the length of a text."""

    name: str
    description: str
    kind: OptionKind
    required: bool
    choices: tuple[str, ...]
    minimum: float | None
    maximum: float | None
    autocomplete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandShape:
    """One command: a slash command, or one in a message's menu (which has no description)."""

    name: str
    description: str
    options: tuple[OptionShape, ...]
    in_menu: bool = False

    @property
    def title(self) -> str:
        """What a person looks for to use it."""
        return self.name if self.in_menu else f"/{self.name}"

    def find(self, name: str) -> OptionShape | None:
        """Return the option of that name, or nothing."""
        return next((option for option in self.options if option.name == name), None)


def read_shape(payload: Mapping[str, object]) -> CommandShape:
    """Read one command's registration payload."""
    return CommandShape(
        name=str(payload["name"]),
        description=str(payload.get("description", "")),
        options=tuple(_option(option) for option in mappings(payload.get("options"))),
        in_menu=payload.get("type") == MESSAGE_COMMAND,
    )


def mappings(value: object) -> Sequence[Mapping[str, object]]:
    """Return the objects of a JSON array; nothing when it is none."""
    if not isinstance(value, list):
        return ()
    items = cast("list[object]", value)
    return [cast("Mapping[str, object]", item) for item in items if isinstance(item, dict)]


def mapping(value: object) -> Mapping[str, object]:
    """Return a JSON object; an empty one when it is none."""
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def _option(payload: Mapping[str, object]) -> OptionShape:
    return OptionShape(
        name=str(payload["name"]),
        description=str(payload.get("description", "")),
        kind=OptionKind(int(cast("int", payload["type"]))),
        required=bool(payload.get("required")),
        choices=tuple(str(choice["value"]) for choice in mappings(payload.get("choices"))),
        minimum=_bound(payload, "min_value", "min_length"),
        maximum=_bound(payload, "max_value", "max_length"),
        autocomplete=bool(payload.get("autocomplete")),
    )


def _bound(payload: Mapping[str, object], *names: str) -> float | None:
    found = (payload.get(name) for name in names)
    return next((float(value) for value in found if isinstance(value, int | float)), None)
