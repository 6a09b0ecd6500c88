"""What may be asked, and what is sent of it."""

from __future__ import annotations

import math

import pytest

from companion.domain.accounts import Preferences
from companion.domain.chat import InputFile
from companion.domain.context_window import estimate_tokens
from companion.domain.errors import (
    FileUnsupported,
    OptionOutOfRange,
    PromptEmpty,
    PromptTooLong,
    SecretInPrompt,
)
from companion.domain.file_errors import FilesTooLarge, TooManyFiles
from companion.domain.files import FileNote
from companion.domain.models import Catalogue, Model
from companion.services.history import MOST_TURNS
from tests.fakes.provider import MODEL
from tests.services.house import ADA, GUILD, OPERATOR_KEY, House, failed

SECRET = "sk-proj-" + "d" * 48
PNG = InputFile(name="cat.png", content_type=None, data=b"\x89PNG\r\n\x1a\n....")


def text_file(text: str, name: str = "notes.txt") -> InputFile:
    return InputFile(name=name, content_type="text/plain", data=text.encode())


def nothing_happened(house: House) -> bool:
    return not house.provider.calls and not house.turns and not house.limiter.taken


@pytest.mark.parametrize("prompt", ["", "   ", "\n", "\u200b\u200b", "\u00a0\ufeff"])
async def test_nothing_asked_is_refused(house: House, prompt: str) -> None:
    assert isinstance(await house.refusal(prompt), PromptEmpty)
    assert nothing_happened(house)


async def test_a_prompt_may_have_6000_characters(house: House) -> None:
    await house.answer("x" * 6000)
    error = await house.refusal("x" * 6001)
    assert isinstance(error, PromptTooLong)
    assert (error.length, error.limit) == (6001, 6000)


@pytest.mark.parametrize("temperature", [2.1, -0.1, math.nan, math.inf])
async def test_a_temperature_is_between_0_and_2(house: House, temperature: float) -> None:
    error = await house.refusal(temperature=temperature)
    assert isinstance(error, OptionOutOfRange)
    assert (error.option, error.minimum, error.maximum) == ("temperature", 0, 2)
    assert nothing_happened(house)


@pytest.mark.parametrize("max_tokens", [0, -5])
async def test_an_answer_has_a_token_at_least(house: House, max_tokens: int) -> None:
    error = await house.refusal(max_tokens=max_tokens)
    assert isinstance(error, OptionOutOfRange)
    assert (error.option, error.minimum, error.maximum) == ("max_tokens", 1, None)
    assert nothing_happened(house)


async def test_options_reach_the_model(house: House) -> None:
    await house.ask(temperature=0.0, max_tokens=5)
    assert (house.sent[-1].temperature, house.sent[-1].max_tokens) == (0.0, 5)


async def test_half_a_character_does_not_break_anything(house: House) -> None:
    await house.answer("half \ud83d")
    house.sent[-1].messages[-1].text.encode()


async def test_a_secret_is_sent_nowhere(house: House) -> None:
    assert isinstance(await house.refusal(f"Is {SECRET} valid?"), SecretInPrompt)
    assert isinstance(await house.refusal(files=(text_file(f"KEY={SECRET}"),)), SecretInPrompt)
    assert nothing_happened(house)


async def test_a_text_file_is_read_along_and_stays_in_the_conversation(house: House) -> None:
    await house.ask("Sum this up", files=(text_file("one two three"),))
    sent = house.texts_sent[-1][1]
    assert sent.startswith("Sum this up\n\n[file: notes.txt]")
    assert "one two three" in sent
    await house.ask("And again?")
    assert "one two three" in house.texts_sent[1][1]


async def test_a_long_file_is_cut_with_a_note(house: House) -> None:
    house.prices.windows[MODEL] = 8000
    await house.ask("Sum this up", files=(text_file("x" * 40_000),))
    assert "used 12,000 of 40,000 characters" in house.texts_sent[-1][1]


async def test_the_person_is_told_what_was_left_out_of_a_file(house: House) -> None:
    house.prices.windows[MODEL] = 8000
    answer = await house.answer("Sum this up", files=(text_file("x" * 40_000),))
    assert answer.notes == (FileNote(name="notes.txt", used=12_000, total=40_000),)


async def test_more_files_than_allowed_are_refused_unread(house: House) -> None:
    error = await house.refusal(files=(text_file("x"),) * 12)
    assert isinstance(error, TooManyFiles)
    assert house.files.read_names == []


async def test_files_too_large_together_are_refused_unread(house: House) -> None:
    error = await house.refusal(files=(text_file("x" * 9 * 2**20),) * 3)
    assert isinstance(error, FilesTooLarge)
    assert house.files.read_names == []


async def test_a_picture_is_sent_and_only_its_name_is_stored(house: House) -> None:
    await house.ask("What is this?", files=(PNG,))
    (image,) = house.sent[-1].messages[-1].images
    assert image.data_url.startswith("data:image/png;base64,")
    assert house.turns[0].prompt == "What is this?\n\n[image: cat.png]"
    assert "base64" not in str(house.log)


async def test_a_file_that_cannot_be_read_ends_the_request(house: House) -> None:
    house.files.error = FileUnsupported(name="a.xlsx", supported=("text",))
    assert await house.refusal(files=(text_file("cells", "a.xlsx"),)) is house.files.error
    assert nothing_happened(house)


async def test_a_persona_joins_the_operators_instructions(house: House) -> None:
    await house.ask()
    person = house.store.person("discord:1")
    house.store.tables.of_guild[GUILD] = Preferences(persona="Speak like a pirate.")
    await house.ask()
    system = house.texts_sent[0][1]
    assert system.startswith("Be brief.")
    assert "pirate" in system
    house.store.tables.of_person[person] = Preferences(persona="Rhyme.")
    await house.ask()
    assert "Rhyme." in house.texts_sent[0][1]
    assert "pirate" not in house.texts_sent[0][1]


async def test_the_provider_sees_a_person_only_as_a_hash(house: House) -> None:
    await house.ask()
    person = house.store.person("discord:1")
    assert house.sent[0].safety_id == house.store.fingerprints.safety_id(person)
    assert ADA.name not in str(house.sent)


async def test_old_turns_that_do_not_fit_are_dropped_and_counted(house: House) -> None:
    house.prices.windows[MODEL] = 400
    for number in range(6):
        await house.ask(f"Question {number}: " + "word " * 20)
    last = await house.answer("The last one")
    assert last.dropped_turns > 0
    prompts = [text for role, text in house.texts_sent if role == "user"]
    assert prompts[-2].startswith("Question 5")
    assert not any(text.startswith("Question 0") for text in prompts)


async def test_no_more_than_so_many_turns_are_sent_however_short(house: House) -> None:
    house.prices.windows[MODEL] = 100_000
    for number in range(MOST_TURNS + 5):
        await house.ask(f"Question {number}")
    last = await house.answer("The last one")
    assert last.dropped_turns == 5
    assert last.number == MOST_TURNS + 6
    assert [text for role, text in house.texts_sent if role == "user"] == [
        *(f"Question {number}" for number in range(5, MOST_TURNS + 5)),
        "The last one",
    ]


async def test_all_that_is_sent_fits_the_window(house: House) -> None:
    house.prices.windows[MODEL] = 800
    for number in range(45):
        await house.ask(f"Question {number}")
    assert (await house.answer("The last one")).dropped_turns > 0
    sent = [text for _, text in house.texts_sent]
    assert 2 * 15 < len(sent) < 2 * 35
    assert sum(map(estimate_tokens, sent)) < 800


async def test_the_servers_own_word_on_a_window_counts_first(house: House) -> None:
    house.prices.windows[MODEL] = 100_000
    small = Catalogue(models=(Model(id=MODEL, context_tokens=200),), complete=True)
    house.catalogue.of_key[OPERATOR_KEY] = small
    await house.ask("word " * 100)
    assert (await house.answer("Again")).dropped_turns == 1


async def test_the_same_interaction_is_answered_once(house: House) -> None:
    first = await house.ask(interaction_id=7)
    again = await house.ask(interaction_id=7)
    assert len(first) > 1
    assert failed(again).error.code == "already_answered"
    assert len(house.provider.calls) == len(house.turns) == len(house.log) == 1
