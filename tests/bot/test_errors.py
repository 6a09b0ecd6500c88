from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
import types
import typing
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from companion import domain
from companion.bot.answer import MAX_TEXT
from companion.bot.buttons import Action
from companion.bot.error_table import ROWS
from companion.bot.errors import describe, internal
from companion.domain import errors
from companion.domain.conversation import TurnId
from companion.domain.errors import CompanionError
from companion.domain.money import BudgetScope
from companion.domain.usage import Micros

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
NASTY = "@everyone <@&1> `x` \u202e\nhttps://evil.example " + "y" * 3000
SAMPLES: dict[object, object] = {
    str: NASTY,
    int: 7000,
    float: 61.5,
    bool: True,
    datetime: NOW,
    Micros: Micros(61_500),
    BudgetScope: BudgetScope.SERVER,
    tuple[str, ...]: (NASTY, "b") * 20,
    types.NoneType: None,
}


def _tree(kind: type[CompanionError]) -> Iterator[type[CompanionError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


for _module in pkgutil.iter_modules(domain.__path__, f"{domain.__name__}."):
    importlib.import_module(_module.name)
CLASSES = [kind for kind in _tree(CompanionError) if kind.__module__.startswith(domain.__name__)]


def sample(kind: type[CompanionError]) -> CompanionError:
    hints = typing.get_type_hints(kind)
    return kind(**{field.name: _value(hints[field.name]) for field in dataclasses.fields(kind)})


def _value(hint: object) -> object:
    # the first member of a union is the interesting one
    members = (hint, *typing.get_args(hint))
    return next(SAMPLES[member] for member in members if member in SAMPLES)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_has_words_of_its_own(kind: type[CompanionError]) -> None:
    assert kind in ROWS


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_words_are_short_clear_and_safe(kind: type[CompanionError]) -> None:
    answer = describe(sample(kind), NOW, TurnId(uuid4()))
    assert 10 < len(answer.text) < MAX_TEXT
    assert "@" not in answer.text
    assert "<@" not in answer.text
    assert "\u202e" not in answer.text
    assert kind.__name__ not in answer.text
    assert not re.search(r"\b(None|nan|inf)\b", answer.text)
    assert answer.text[0].isupper() or answer.text[0] == "`"
    assert len(answer.buttons) <= 5


def test_subclass_without_a_row_takes_its_parents() -> None:
    class Odd(errors.ProviderUnreachable):
        pass

    assert describe(Odd(), NOW) == describe(errors.ProviderUnreachable(), NOW)


def test_retry_is_offered_only_where_there_is_a_turn() -> None:
    def offered(turn: TurnId | None) -> list[Action]:
        return [b.action for b in describe(errors.ProviderBroken(), NOW, turn).buttons]

    turn = TurnId(uuid4())
    assert offered(None) == []
    assert offered(turn) == [Action.REGENERATE]


@pytest.mark.parametrize(
    "kind",
    [
        errors.KeyMissing,
        errors.KeyUnreadable,
        errors.CreditExhausted,
        errors.CredentialRejected,
        errors.CredentialRestricted,
    ],
)
def test_key_trouble_offers_set_key(kind: type[CompanionError]) -> None:
    assert Action.SET_KEY in [button.action for button in describe(kind(), NOW).buttons]


@pytest.mark.parametrize(
    ("minimum", "maximum", "said"),
    [(0, 2, "between 0 and 2"), (1, None, "1 or more"), (None, 9, "9 or less")],
)
def test_range_is_told(minimum: float | None, maximum: float | None, said: str) -> None:
    error = errors.OptionOutOfRange(option="temperature", minimum=minimum, maximum=maximum)
    assert said in describe(error, NOW).text


def test_wait_is_a_moment_not_a_number_of_seconds() -> None:
    text = describe(errors.RateLimited(scope="user", retry_after_s=61.5), NOW).text
    assert f"<t:{int(NOW.timestamp()) + 62}:R>" in text


@pytest.mark.parametrize("scope", ["user", "guild", "key"])
def test_rate_limit_names_whose_it_is(scope: str) -> None:
    texts = {
        describe(errors.RateLimited(scope=other), NOW).text for other in ("user", "guild", "key")
    }
    assert len(texts) == 3
    assert describe(errors.RateLimited(scope=scope), NOW).text in texts


def test_unforeseen_error_shows_only_its_reference() -> None:
    assert "ab12cd34" in internal("ab12cd34").text
