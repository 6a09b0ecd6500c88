from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.bot.wording import SHOWN_LIMIT, count, in_, listed, money, quoted, size
from companion.domain.usage import Micros

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@given(st.text())
def test_quoted_text_is_one_line_of_code_and_pings_nobody(typed: str) -> None:
    shown = quoted(typed)
    assert shown[0] == shown[-1] == "`"
    assert not set("`@<>\n\r") & set(shown[1:-1])
    assert shown[1:-1].isprintable()
    assert 1 <= len(shown) - 2 <= SHOWN_LIMIT


@pytest.mark.parametrize(
    ("micros", "shown"),
    [
        (0, "$0"),
        (3, "<$0.0001"),
        (1200, "$0.0012"),
        (450_000, "$0.45"),
        (455_500, "$0.4555"),
        (1_234_567, "$1.23"),
    ],
)
def test_money_has_as_many_digits_as_it_needs(micros: int, shown: str) -> None:
    assert money(Micros(micros)) == shown


def test_wait_is_never_over_already() -> None:
    assert in_(0.0, NOW) == f"<t:{int(NOW.timestamp()) + 1}:R>"


def test_counts_sizes_and_lists() -> None:
    assert count(1, "turn") == "1 turn"
    assert count(1200, "turn") == "1,200 turns"
    assert size(12 * 1024 * 1024) == "12.0 MB"
    assert size(300) == "300 bytes"
    assert listed(("a", "b")) == "`a`, `b`"
    assert listed(("a", "b", "c"), limit=2) == "`a`, `b`, …"
