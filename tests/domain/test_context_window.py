from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.domain.actor import PersonId
from companion.domain.context_window import TURN_TOKENS, estimate_tokens, fit
from companion.domain.conversation import ConversationId, Finish, Turn, TurnId
from companion.domain.models import ModelId

# The sentences and counts that OpenAI published with GPT-4o, and its cookbook's
PUBLISHED = {
    "English": (
        "Hello, my name is GPT-4o. I'm a new type of language model, it's nice to meet you!",
        24,
        27,
    ),
    "Spanish": (
        "Hola, me llamo GPT-4o. Soy un nuevo tipo de modelo de lenguaje, ¡es un placer conocerte!",
        26,
        29,
    ),
    "Russian": (
        "Привет, меня зовут GPT-4o. Я — новая языковая модель, приятно познакомиться!",
        39,
        57,
    ),
    "Korean": (
        "안녕하세요, 제 이름은 GPT-4o입니다. 저는 새로운 유형의 언어 모델입니다, "
        "만나서 반갑습니다!",
        27,
        45,
    ),
    "Chinese": ("你好，我的名字是GPT-4o。我是一种新型的语言模型，很高兴见到你!", 24, 34),
    "sum": ("2 + 2 = 4", 7, 7),
}


def turn(position: int, text: str = "word " * 10) -> Turn:
    return Turn(
        id=TurnId(UUID(int=position)),
        conversation_id=ConversationId(UUID(int=0)),
        position=position,
        author_id=PersonId(UUID(int=0)),
        speaker="Ada",
        prompt=text,
        answer=text,
        model=ModelId("m"),
        finish=Finish.COMPLETE,
        usage=None,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def cost(of: Turn) -> int:
    return TURN_TOKENS + estimate_tokens(of.prompt) + estimate_tokens(of.answer)


@pytest.mark.parametrize(("text", "newer", "older"), PUBLISHED.values(), ids=PUBLISHED)
def test_estimate_lies_around_the_published_counts(text: str, newer: int, older: int) -> None:
    assert newer * 0.95 <= estimate_tokens(text) <= older * 1.3


def test_estimate_is_not_low_for_code_and_emoji() -> None:
    code = "if (x[i] != null && y->z) { return a*b; }\n" * 10
    assert estimate_tokens(code) >= len(code) / 3.5
    assert estimate_tokens("👩‍👩‍👧‍👦🎉") >= 12


@given(st.text(), st.text())
def test_estimate_of_two_texts_is_about_the_sum(one: str, other: str) -> None:
    together = estimate_tokens(one + other)
    assert together <= estimate_tokens(one) + estimate_tokens(other) <= together + 2


@given(st.lists(st.text(max_size=60), max_size=12), st.integers(0, 400))
def test_what_fits_is_the_newest_whole_turns(texts: list[str], budget: int) -> None:
    oldest_first = [turn(number, text) for number, text in enumerate(texts, 1)]
    window = fit(list(reversed(oldest_first)), budget_tokens=budget)
    kept = len(window.turns)
    assert list(window.turns) == oldest_first[len(oldest_first) - kept :]
    assert sum(map(cost, window.turns)) <= budget
    assert window.dropped == len(oldest_first) - kept
    if window.dropped:
        assert sum(map(cost, oldest_first[-kept - 1 :])) > budget


def test_reading_stops_at_the_first_turn_that_does_not_fit() -> None:
    read: list[int] = []

    def endless() -> Iterator[Turn]:
        position = 1_000_000
        while True:
            read.append(position)
            yield turn(position)
            position -= 1

    window = fit(endless(), budget_tokens=5 * cost(turn(1)))
    assert len(window.turns) == 5
    assert window.dropped == 1
    assert len(read) == 6
