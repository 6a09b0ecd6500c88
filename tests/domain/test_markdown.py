from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.domain.markdown import clean_label


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("  two\nlines\tand \u00a0blanks ", "two lines and blanks"),
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("a\u200bd\u2060m\ufeffin", "admin"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\u2066Mod\u2069", "Mod"),
        ("\u3164\u2800\u115f", ""),
        ("👩‍👩‍👧 family", "👩‍👩‍👧 family"),
        ("\u200dx\u200d", "x"),
        ("e\u0301", "\u00e9"),
        ("z" + "\u0336" * 40, "z" + "\u0336" * 3),
    ],
)
def test_label_shows_only_what_can_be_seen(typed: str, shown: str) -> None:
    assert clean_label(typed) == shown


@given(st.text(), st.integers(2, 90))
def test_label_is_one_short_line_without_hidden_characters(typed: str, limit: int) -> None:
    label = clean_label(typed, limit)
    assert len(label) <= limit
    assert len(label.splitlines()) <= 1
    hidden = {"Cc", "Cs", "Co", "Cn"}
    assert not any(unicodedata.category(char) in hidden for char in label)


def test_long_label_ends_with_an_ellipsis_at_a_whole_character() -> None:
    assert clean_label("👍🏽" * 10, 4) == "👍🏽…"


def test_cleaning_a_clean_label_changes_nothing() -> None:
    assert clean_label(clean_label("Grace\u200b  Hopper")) == "Grace Hopper"
