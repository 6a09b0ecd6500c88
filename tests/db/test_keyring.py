"""Sealing and opening: every change, move and other purpose is refused."""

from __future__ import annotations

import os
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.db.keyring import KeyRing
from companion.db.sealed import Binding, Purpose, Sealed
from companion.domain.errors import ConfigurationError, Tampered, UnknownKeyId

RING = KeyRing.parse(KeyRing.new_entry("k1"))
PLACE = Binding(table="turns", row_id="7", column="prompt", owner="ada", base_url="https://a/v1")
SECRET = "sk-proj-canary-0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def seal(text: str = SECRET) -> Sealed:
    return RING.seal(Purpose.CONTENT, text, PLACE)


@given(st.text(alphabet=st.characters(codec=None)))
def test_what_is_sealed_opens_as_it_was(text: str) -> None:
    assert RING.open(Purpose.CONTENT, seal(text), PLACE) == text


def test_sealing_twice_gives_two_different_values() -> None:
    assert seal().text != seal().text


def test_the_stored_form_names_its_version_and_key_and_shows_nothing_else() -> None:
    version, key_id, payload = seal().text.split(".")
    assert (version, key_id) == ("c1", "k1")
    assert set(payload) <= set(LETTERS)
    assert SECRET not in payload


def test_no_repr_shows_anything() -> None:
    sealed = seal()
    assert sealed.text not in f"{sealed} {sealed!r} {sealed:}"
    assert repr(RING) == "KeyRing(k1)"


@pytest.mark.parametrize("field", ["table", "row_id", "column", "owner", "base_url"])
def test_a_value_opens_in_its_own_place_only(field: str) -> None:
    elsewhere = replace(PLACE, **{field: "other"})
    with pytest.raises(Tampered):
        RING.open(Purpose.CONTENT, seal(), elsewhere)


def test_parts_of_a_place_do_not_run_into_each_other() -> None:
    sealed = RING.seal(Purpose.CONTENT, SECRET, replace(PLACE, table="a", row_id="bc"))
    with pytest.raises(Tampered):
        RING.open(Purpose.CONTENT, sealed, replace(PLACE, table="ab", row_id="c"))


@pytest.mark.parametrize("other", [purpose for purpose in Purpose if purpose != Purpose.CONTENT])
def test_a_value_of_one_purpose_does_not_open_for_another(other: Purpose) -> None:
    with pytest.raises(Tampered):
        RING.open(other, seal(), PLACE)


def test_no_single_changed_character_goes_unnoticed() -> None:
    version, key_id, payload = seal("short").text.split(".")
    for index, letter in enumerate(payload):
        other = LETTERS[(LETTERS.index(letter) + 1) % len(LETTERS)]
        changed = f"{version}.{key_id}.{payload[:index]}{other}{payload[index + 1 :]}"
        with pytest.raises(Tampered):
            RING.open(Purpose.CONTENT, Sealed(changed), PLACE)


def test_no_truncation_goes_unnoticed() -> None:
    text = seal("short").text
    for length in range(len(text)):
        with pytest.raises(Tampered):
            RING.open(Purpose.CONTENT, Sealed(text[:length]), PLACE)


OTHER_SPELLINGS: list[Callable[[str], str]] = [
    lambda text: text.replace("c1.", "c0.", 1),
    lambda text: text.replace("c1.", "", 1),
    lambda text: text + "=",
    lambda text: text + "A",
    lambda text: text + ".",
    lambda text: " " + text,
    lambda text: text + "\n",
    lambda text: text[:-1] + "é",
    lambda text: text[:-1] + "+",
    lambda text: "",
    lambda text: SECRET,
]


@pytest.mark.parametrize("spelling", OTHER_SPELLINGS)
def test_other_spellings_are_refused_and_never_returned(spelling: Callable[[str], str]) -> None:
    with pytest.raises(Tampered):
        RING.open(Purpose.CONTENT, Sealed(spelling(seal().text)), PLACE)


def test_a_key_that_the_ring_does_not_hold_is_named() -> None:
    foreign = Sealed(seal().text.replace("c1.k1.", "c1.k9.", 1))
    with pytest.raises(UnknownKeyId) as refused:
        RING.open(Purpose.CONTENT, foreign, PLACE)
    assert refused.value.key_id == "k9"


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    old, new = KeyRing.new_entry("k1"), KeyRing.new_entry("k2")
    sealed = KeyRing.parse(old).seal(Purpose.CONTENT, SECRET, PLACE)
    both = KeyRing.parse(f"{new},{old}")
    assert both.ids == ("k2", "k1")
    assert both.open(Purpose.CONTENT, sealed, PLACE) == SECRET
    assert both.seal(Purpose.CONTENT, SECRET, PLACE).key_id == "k2"
    assert not both.is_current(sealed)


def test_the_same_id_with_another_key_opens_nothing() -> None:
    other = KeyRing.parse(KeyRing.new_entry("k1"))
    with pytest.raises(Tampered):
        other.open(Purpose.CONTENT, seal(), PLACE)


# Rings as people write them


def test_a_ring_is_read_with_either_alphabet_and_without_padding() -> None:
    key = b"\xfb\xff" + os.urandom(30)
    written = (b64encode(key).decode(), urlsafe_b64encode(key).decode().rstrip("="))
    first, second = (KeyRing.parse(f" k1:{text}\n") for text in written)
    sealed = first.seal(Purpose.CONTENT, SECRET, PLACE)
    assert second.open(Purpose.CONTENT, sealed, PLACE) == SECRET


GOOD = KeyRing.new_entry("k1")
BAD_RINGS = {
    "empty": "",
    "blank": " , ",
    "a placeholder": "changeme",
    "no id": GOOD.removeprefix("k1:"),
    "an empty id": ":" + GOOD.removeprefix("k1:"),
    "an upper-case id": GOOD.replace("k1", "K1"),
    "an id with a dot": GOOD.replace("k1", "k.1"),
    "an endless id": "k" * 17 + GOOD.removeprefix("k1"),
    "no key": "k1:",
    "not base64": "k1:" + "!" * 44,
    "too short": "k1:" + b64encode(os.urandom(16)).decode(),
    "too long": "k1:" + b64encode(os.urandom(33)).decode(),
    "zeros": "k1:" + b64encode(bytes(32)).decode(),
    "counted": "k1:" + b64encode(bytes(range(32))).decode(),
    "repeated": "k1:" + b64encode(os.urandom(4) * 8).decode(),
    "typed": "k1:" + b64encode(b"correct horse battery staple 123").decode(),
    "one id twice": f"{GOOD},{KeyRing.new_entry('k1')}",
    "one key twice": f"{GOOD},{GOOD.replace('k1', 'k2')}",
}


@pytest.mark.parametrize("text", BAD_RINGS.values(), ids=BAD_RINGS)
def test_a_misformed_or_guessable_ring_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        KeyRing.parse(text)
    assert refused.value.variable == "COMPANION_KEYRING"
    said = f"{refused.value!r} {refused.value.problem} {refused.value.fix}"
    for part in (part for part in text.replace(",", ":").split(":") if len(part) > 10):
        assert part not in said


def test_generated_keys_are_never_taken_for_guessable_ones() -> None:
    for _ in range(500):
        assert KeyRing.parse(KeyRing.new_entry("new1")).primary == "new1"
