from __future__ import annotations

import pytest

from companion.bot.answer import MAX_TEXT, Answer
from companion.bot.giving_back import SHORTEST, given_back, typed
from companion.domain.errors import SecretInPrompt

REFUSED = Answer(text="Not now.")
LONG = "word " * 40


def test_long_question_comes_back_whole() -> None:
    assert given_back(REFUSED, LONG).text.endswith(f"```\n{LONG.strip()}\n```")


@pytest.mark.parametrize("question", ["", "Hello?", "a" * (SHORTEST - 1)])
def test_short_question_is_not_repeated(question: str) -> None:
    assert given_back(REFUSED, question) is REFUSED


def test_what_does_not_fit_is_cut_and_marked() -> None:
    text = given_back(REFUSED, "x" * 6000).text
    assert len(text) == MAX_TEXT
    assert text.endswith("x…\n```")


def test_code_in_the_question_does_not_end_the_block() -> None:
    text = given_back(REFUSED, f"{LONG}\n```py\nprint()\n```\nwhy?").text
    assert text.count("```") == 2


def test_secret_is_not_repeated() -> None:
    assert given_back(REFUSED, LONG, SecretInPrompt(kind="an API key")) is REFUSED


def test_question_is_found_in_commands_and_forms() -> None:
    form = {"components": [{"component": {"custom_id": "question", "value": "Why?"}}]}
    assert typed({"options": [{"name": "model"}, {"name": "prompt", "value": "Why?"}]}) == "Why?"
    assert typed(form) == "Why?"
    assert typed({"custom_id": "x"}) == ""
