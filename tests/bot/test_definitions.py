from __future__ import annotations

import ast
import inspect
import json
import textwrap
from typing import Any, cast

import pytest

from companion.bot.answer import Answer, Menu, MenuChoice
from companion.bot.buttons import Action, Button
from companion.bot.command_shapes import read_shape
from companion.bot.help_text import MORE
from companion.bot.registering import Command, payload_of
from companion.bot.views import components_of, view_of
from tests.bot.commands import COMMANDS, shape

EVERY = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
PLACES = {0, 1, 2}


@EVERY
def test_texts_keep_discords_limits(command: Command) -> None:
    payload = payload_of(command)
    described = read_shape(payload)
    assert (1 <= len(described.description) <= 100) is not described.in_menu
    assert 1 <= len(described.name) <= 32
    for option in described.options:
        assert 1 <= len(option.description) <= 100
        assert option.description != "No description provided"
    assert len(json.dumps(payload)) <= 8000
    for option in cast("list[dict[str, Any]]", payload.get("options", [])):
        assert all(len(choice["name"]) <= 100 for choice in option["choices"])


@EVERY
def test_command_works_everywhere_for_both_installs(command: Command) -> None:
    payload = cast("dict[str, list[int]]", payload_of(command))
    assert set(payload["contexts"]) == ({0} if command.name == "settings" else PLACES)
    assert set(payload["integration_types"]) == {0, 1}


@EVERY
def test_command_has_a_help_text(command: Command) -> None:
    assert MORE[command.name]


@EVERY
def test_required_options_come_first(command: Command) -> None:
    needs = [option.required for option in read_shape(payload_of(command)).options]
    assert needs == sorted(needs, reverse=True)


@EVERY
def test_callback_is_short_and_leaves_errors_alone(command: Command) -> None:
    tree = ast.parse(textwrap.dedent(inspect.getsource(cast("Any", command).callback)))
    function = tree.body[0]
    assert isinstance(function, ast.AsyncFunctionDef)
    body = function.body[1:]
    end = body[-1].end_lineno
    assert end is not None
    assert end - body[0].lineno < 15
    assert not any(isinstance(node, ast.Try) for node in ast.walk(function))


def test_ask_has_the_published_options() -> None:
    published = shape("ask")
    assert [option.name for option in published.options] == [
        "prompt",
        "model",
        "temperature",
        "max_tokens",
        "attachment",
        "private",
    ]
    prompt, model = published.options[0], published.options[1]
    assert (prompt.minimum, prompt.maximum, prompt.required) == (1, 6000, True)
    assert model.autocomplete


async def test_buttons_and_menus_become_components() -> None:
    menu = Menu(custom_id="m", placeholder="Pick", choices=(MenuChoice(label="a", value="b"),))
    rows = components_of(
        Answer(text="x", buttons=(Button(action=Action.STOP, label="Stop"),), menu=menu)
    )
    kinds = [component["type"] for row in rows for component in cast("Any", row["components"])]
    assert kinds == [3, 2]


def test_nothing_to_click_is_no_view() -> None:
    assert view_of(()) is None
    assert components_of(Answer(text="x")) == []
