from __future__ import annotations

import pytest

from companion.bot.command_shapes import CommandShape
from companion.bot.option_checks import check_options
from companion.domain.errors import (
    CompanionError,
    OptionMissing,
    OptionOutOfRange,
    OptionUnknown,
    PromptEmpty,
    PromptTooLong,
)
from tests.bot.commands import shape

ASK: CommandShape = shape("ask")
CLEAR: CommandShape = shape("clear")


def check(command: CommandShape, **given: object) -> None:
    options = [{"name": name, "value": value} for name, value in given.items()]
    check_options(command, options, frozenset({"55"}))


def test_what_was_offered_passes() -> None:
    check(
        ASK,
        prompt="hi",
        model="gpt-6-luna",
        temperature=2,
        max_tokens=1,
        attachment="55",
        private=True,
    )
    check(ASK, prompt="x" * 6000, temperature=0.0)
    check(CLEAR, scope="everywhere")
    check(CLEAR)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({}, OptionMissing),
        ({"prompt": ""}, PromptEmpty),
        ({"prompt": "x" * 6001}, PromptTooLong),
        ({"prompt": 5}, OptionOutOfRange),
        ({"prompt": None}, OptionOutOfRange),
        ({"prompt": "hi", "temperature": 2.01}, OptionOutOfRange),
        ({"prompt": "hi", "temperature": -0.1}, OptionOutOfRange),
        ({"prompt": "hi", "temperature": float("nan")}, OptionOutOfRange),
        ({"prompt": "hi", "temperature": "1"}, OptionOutOfRange),
        ({"prompt": "hi", "temperature": True}, OptionOutOfRange),
        ({"prompt": "hi", "max_tokens": 0}, OptionOutOfRange),
        ({"prompt": "hi", "max_tokens": 1.5}, OptionOutOfRange),
        ({"prompt": "hi", "private": "yes"}, OptionOutOfRange),
        ({"prompt": "hi", "attachment": "56"}, OptionMissing),
        ({"prompt": "hi", "colour": "red"}, OptionUnknown),
        ({"prompt": "hi", "model": "m" * 101}, PromptTooLong),
    ],
)
def test_anything_else_is_refused(given: dict[str, object], error: type[CompanionError]) -> None:
    with pytest.raises(error):
        check(ASK, **given)


def test_choice_never_offered_is_named_with_what_there_is() -> None:
    with pytest.raises(OptionUnknown) as caught:
        check(CLEAR, scope="moon")
    assert caught.value.option == "scope:moon"
    assert caught.value.offered == ("here", "everywhere")


def test_bounds_are_told() -> None:
    with pytest.raises(OptionOutOfRange) as caught:
        check(ASK, prompt="hi", temperature=3)
    assert (caught.value.minimum, caught.value.maximum) == (0, 2)
