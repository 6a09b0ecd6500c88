from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.domain.errors import KeyEmpty, KeyMalformed
from companion.services.key_intake import LONGEST, SHORTEST, clean

KEY = "sk-proj-Ab1_-Cd2"
PRINTABLE = st.characters(min_codepoint=33, max_codepoint=126)


@pytest.mark.parametrize(
    "typed",
    [
        KEY,
        f"  {KEY}\r\n",
        f"\ufeff{KEY}",
        f"\u200b{KEY[:5]}\u200d{KEY[5:]}\u2060",
        f"\u00a0{KEY}\u202f",
        f"\u202a{KEY}\u202c",
        f'"{KEY}"',
        f"'{KEY}'",
        f"`{KEY}`",
        f"“{KEY}”",
        f"Bearer {KEY}",
        f"bearer  {KEY}",
        f"Authorization: Bearer {KEY}",
        f"OPENAI_API_KEY={KEY}",
        f"export OPENAI_API_KEY='{KEY}'",
        f'OPENAI_API_KEY = "{KEY}";',
        f'"api_key": "{KEY}",',
    ],
)
def test_what_pasting_adds_is_taken_off(typed: str) -> None:
    assert clean(typed).reveal() == KEY


@pytest.mark.parametrize(
    "key", ["dGhlIGtleQ==", "AbCd==efgh==", "not-of-openai-0123", "gsk_0123456789", "k" * LONGEST]
)
def test_no_vendors_pattern_is_asked_for(key: str) -> None:
    assert clean(key).reveal() == key


@pytest.mark.parametrize("typed", ["", "   ", "\u200b\ufeff", '""', "\n\t"])
def test_nothing_typed_is_said_to_be_nothing(typed: str) -> None:
    with pytest.raises(KeyEmpty):
        clean(typed)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("sk-abc def-0123456789", "blank"),
        ("sk-abc\ndef-0123456789", "blank"),
        (f"{KEY} {KEY}", "blank"),
        ("k" * (SHORTEST - 1), "too_short"),
        ("k" * (LONGEST + 1), "too_long"),
        ("sk-ключ-0123456789", "characters"),
        ("sk-0123456789…", "characters"),
    ],
)
def test_what_no_key_can_be_is_refused_by_reason(typed: str, reason: str) -> None:
    with pytest.raises(KeyMalformed) as refused:
        clean(typed)
    assert refused.value.reason == reason
    assert typed not in repr(refused.value)


@given(st.text(PRINTABLE, min_size=SHORTEST, max_size=64))
def test_cleaning_what_is_clean_changes_nothing(typed: str) -> None:
    try:
        key = clean(typed).reveal()
    except (KeyEmpty, KeyMalformed):
        return
    assert clean(f" {key}\n").reveal() == key
    assert key in typed
