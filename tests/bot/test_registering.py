from __future__ import annotations

import copy
from typing import Any

import pytest

from companion.bot.registering import differs, payload_of
from tests.bot.commands import command


def ours() -> list[dict[str, Any]]:
    return [payload_of(command("ask")), payload_of(command("setkey"))]


def as_discord_returns_them() -> list[dict[str, Any]]:
    """Add what Discord adds, drop what it drops, and shuffle what has no order."""
    theirs = copy.deepcopy(ours())
    for number, stored in enumerate(theirs):
        stored.update(id=str(number), application_id="500", version="7", type=1)
        stored.update(default_member_permissions=None, name_localizations=None)
        stored["contexts"].reverse()
        for option in stored["options"]:
            for name in ("required", "autocomplete", "choices"):
                if not option[name]:
                    del option[name]
            for name in ("min_value", "max_value"):
                if name in option:
                    option[name] = float(option[name])
    return theirs[::-1]


def test_what_discord_returns_is_the_same() -> None:
    assert not differs(ours(), as_discord_returns_them())


def change(path: str, value: object) -> Any:
    def apply(command: dict[str, Any]) -> None:
        if path in command:
            command[path] = value
        else:
            option = next(option for option in command["options"] if path in option)
            option[path] = value

    return apply


def drop_an_option(command: dict[str, Any]) -> None:
    command["options"].pop()


def reorder_options(command: dict[str, Any]) -> None:
    command["options"].reverse()


@pytest.mark.parametrize(
    "edit",
    [
        change("description", "another"),
        change("max_length", 5999),
        change("max_value", 1),
        change("min_value", 2),
        change("required", None),
        change("autocomplete", None),
        change("contexts", [0]),
        change("integration_types", [0]),
        drop_an_option,
        reorder_options,
    ],
)
def test_every_difference_is_seen(edit: Any) -> None:
    theirs = as_discord_returns_them()
    edit(next(command for command in theirs if command["name"] == "ask"))
    assert differs(ours(), theirs)


def test_missing_and_extra_commands_are_seen() -> None:
    theirs = as_discord_returns_them()
    assert differs(ours(), theirs[:1])
    assert differs(ours()[:1], theirs)


def test_choices_are_compared() -> None:
    theirs = as_discord_returns_them()
    setkey = next(command for command in theirs if command["name"] == "setkey")
    setkey["options"][0]["choices"].pop()
    assert differs(ours(), theirs)
