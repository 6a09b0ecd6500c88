from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from companion.bot import key_words
from companion.bot.answer import MAX_TEXT
from companion.bot.buttons import Action, Tone
from companion.bot.command_shapes import read_shape
from companion.bot.help_text import MENU, READING, besides_commands, details, overview
from companion.bot.registering import payload_of
from companion.domain.accounts import KeepFor, KeyId, KeyOwner, KeyScope, KeyState, StoredKey
from companion.domain.actor import ChannelId, GuildId, PersonId, Place, PlaceKind
from companion.domain.errors import CommandUnknown
from companion.domain.models import KeyFingerprint
from tests.bot.commands import COMMANDS

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SHAPES = [read_shape(payload_of(command)) for command in COMMANDS]
KEY = StoredKey(
    id=KeyId(uuid4()),
    owner=KeyOwner(person_id=PersonId(uuid4())),
    base_url="https://api.openai.com/v1",
    hint="…abcd",
    fingerprint=KeyFingerprint("f"),
    state=KeyState.GOOD,
    keep_for=KeepFor.UNTIL_REMOVED,
    saved_at=NOW,
    expires_at=None,
    no_credit_until=None,
    version=1,
)
CHANNEL = Place(kind=PlaceKind.CHANNEL, channel_id=ChannelId(1), guild_id=GuildId(2))
NO_KEY: dict[KeyScope, StoredKey | None] = {KeyScope.ME: None}


def test_overview_names_every_command() -> None:
    answer = overview(SHAPES, NO_KEY, besides=READING)
    for shape in SHAPES:
        assert f"`{shape.title}` – {MENU.get(shape.name, shape.description)}" in answer.text
    assert len(answer.text) <= MAX_TEXT


def test_overview_says_why_plain_messages_are_not_seen() -> None:
    assert "don't see ordinary messages" in besides_commands(CHANNEL, reads_messages=False)
    assert besides_commands(CHANNEL, reads_messages=True) == READING
    assert READING in overview(SHAPES, NO_KEY, besides=READING).text


@pytest.mark.parametrize(
    ("place", "hears"),
    [
        (replace(CHANNEL, user_install_only=True), False),
        (Place(kind=PlaceKind.GROUP_DM, channel_id=ChannelId(1), user_install_only=True), False),
        (Place(kind=PlaceKind.DM, channel_id=ChannelId(1), user_install_only=True), True),
        (CHANNEL, True),
    ],
)
def test_overview_offers_no_messages_where_the_app_is_no_member(place: Place, hears: bool) -> None:
    said = besides_commands(place, reads_messages=True)
    assert ("mention me" in said) == hears


def test_overview_offers_what_makes_sense_for_the_key() -> None:
    without = overview(SHAPES, NO_KEY, besides=READING)
    with_key = overview(SHAPES, {KeyScope.ME: KEY}, besides=READING)
    assert [b.action for b in without.buttons] == [Action.SET_KEY]
    assert [b.action for b in with_key.buttons] == [Action.SET_KEY, Action.REMOVE_KEY]
    assert "`…abcd`" in with_key.text


@pytest.mark.parametrize(
    ("is_provided_for", "said", "tone"),
    [(True, "You need none here", Tone.PLAIN), (False, "before your first question", Tone.PRIMARY)],
)
def test_overview_says_whether_a_key_is_needed(
    is_provided_for: bool, said: str, tone: Tone
) -> None:
    answer = overview(SHAPES, NO_KEY, besides=READING, is_provided_for=is_provided_for)
    assert said in answer.text
    assert answer.buttons[0].tone is tone
    with_key = overview(
        SHAPES, {KeyScope.ME: KEY}, besides=READING, is_provided_for=is_provided_for
    )
    assert said not in with_key.text


def test_manager_sees_and_may_remove_the_servers_key_too() -> None:
    keys = {KeyScope.ME: None, KeyScope.SERVER: KEY}
    answer = overview(SHAPES, keys, besides=READING)
    assert "Your key: none yet." in answer.text
    assert "This server's key: `…abcd`" in answer.text
    assert [b.label for b in answer.buttons] == ["Set key", "Remove server key"]


def test_overview_does_without_the_keys() -> None:
    answer = overview(SHAPES, None, besides=READING)
    assert "can't look it up" in answer.text
    assert "`/ask`" in answer.text


@pytest.mark.parametrize("typed", ["ask", "/ask", " ASK "])
def test_details_list_the_options(typed: str) -> None:
    text = details(SHAPES, typed).text
    for option in ("prompt", "model", "temperature", "max_tokens", "attachment", "private"):
        assert f"- `{option}` (" in text
    assert "number from 0 to 2, optional" in text
    assert len(text) <= MAX_TEXT


def test_unknown_command_is_refused_with_what_there_is() -> None:
    with pytest.raises(CommandUnknown) as caught:
        details(SHAPES, "imagine")
    assert "/ask" in caught.value.offered


@pytest.mark.parametrize("state", list(KeyState))
@pytest.mark.parametrize("scope", list(KeyScope))
def test_saved_key_is_described_by_its_last_four(state: KeyState, scope: KeyScope) -> None:
    answer = key_words.saved(replace(KEY, state=state), scope)
    assert "`…abcd`" in answer.text
    assert "until you remove it" in answer.text
    (button,) = answer.buttons
    assert (button.action, button.argument) == (Action.REMOVE_KEY, scope)


def test_how_long_is_said() -> None:
    session = replace(KEY, keep_for=KeepFor.SESSION)
    dated = replace(KEY, keep_for=KeepFor.DAY, expires_at=NOW)
    whose = "Your key: `…abcd`. "
    until = f"I delete it <t:{int(NOW.timestamp())}:R>."
    in_memory = "I keep it in memory only, until I restart."
    assert key_words.status(KEY, KeyScope.ME) == f"{whose}I keep it until you remove it."
    assert key_words.status(session, KeyScope.ME) == whose + in_memory
    assert key_words.status(dated, KeyScope.ME) == whose + until


def test_empty_and_rejected_keys_say_what_is_still_there() -> None:
    assert "none" in key_words.empty(None, KeyScope.ME).text
    assert "`…abcd`" in key_words.empty(KEY, KeyScope.ME).text
    assert "`…abcd`" in key_words.rejected(KEY, KeyScope.ME).text
