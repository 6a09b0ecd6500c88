"""Speech is written down first, by the same payer, as a request of its own."""

from __future__ import annotations

import asyncio

import pytest

from companion.domain.actor import MessageId
from companion.domain.chat import InputFile
from companion.domain.errors import (
    CredentialRejected,
    KeyMissing,
    ModelUnavailable,
    ProviderTimedOut,
    RateLimited,
    SecretInPrompt,
)
from companion.domain.file_errors import SpeechEmpty, SpeechUnavailable
from companion.domain.models import Credential
from companion.ports.limits import LimitScope
from companion.ports.speech import SpeechCall, Transcript
from companion.ports.store import CallStatus
from tests.services.house import ADA, HERE, House, collected, finished, request

WORDS = "Meet me at the old bridge."


def voice(words: str = WORDS, name: str = "voice-message.ogg") -> InputFile:
    return InputFile(name=name, content_type="audio/ogg", data=words.encode())


async def test_what_was_said_becomes_part_of_the_question(house: House) -> None:
    await house.ask("Where?", files=(voice(),))
    sent = house.texts_sent[-1][1]
    assert sent == f"Where?\n\n[speech: voice-message.ogg]\n```\n{WORDS}\n```"
    await house.ask("And when?")
    assert WORDS in house.texts_sent[1][1]


async def test_whoever_pays_for_the_answer_pays_for_listening(house: House) -> None:
    await house.save_key()
    await house.ask(files=(voice(),))
    ((credential, call),) = house.speech.calls
    assert credential == house.provider.calls[-1][0]
    assert (call.filename, call.media_type) == ("speech.ogg", "audio/ogg")


async def test_listening_has_a_row_of_its_own_in_the_log(house: House) -> None:
    await house.ask(files=(voice(),))
    speech, chat = house.log
    assert (speech.start.endpoint, chat.start.endpoint) == (
        "audio.transcriptions",
        "chat.completions",
    )
    assert speech.start.model == "gpt-transcribe"
    assert speech.start.turn_id is None
    assert speech.start.person_id == chat.start.person_id
    assert speech.end is not None
    assert speech.end.status is CallStatus.OK
    assert speech.end.request_id == "req-speech"
    assert (speech.request, speech.response) == ("[speech: voice-message.ogg]", WORDS)


async def test_contents_are_not_kept_where_nothing_is() -> None:
    house = House(retention_days=0)
    await house.ask(files=(voice(),))
    assert (house.log[0].request, house.log[0].response) == (None, None)


async def test_a_failed_transcription_is_told_and_logged(house: House) -> None:
    house.speech.error = ProviderTimedOut(request_id="req-9")
    assert await house.refusal(files=(voice(),)) is house.speech.error
    (row,) = house.log
    assert row.end is not None
    assert (row.end.status, row.end.error_code) == (CallStatus.FAILED, "provider_timed_out")
    assert house.provider.calls == []


async def test_a_provider_without_speech_is_told_as_such(house: House) -> None:
    house.speech.error = ModelUnavailable(model="gpt-transcribe", status=404)
    assert isinstance(await house.refusal(files=(voice(),)), SpeechUnavailable)
    (row,) = house.log
    assert row.end is not None
    assert (row.end.status, row.end.http_status) == (CallStatus.FAILED, 404)


async def test_a_key_that_is_refused_while_listening_is_set_aside(house: House) -> None:
    await house.save_key()
    house.speech.error = CredentialRejected(status=401)
    await house.refusal(files=(voice(),))
    assert (await house.refusal()).code == "key_rejected"


async def test_silence_is_told_instead_of_asked_about(house: House) -> None:
    assert isinstance(await house.refusal(files=(voice("  "),)), SpeechEmpty)
    assert house.provider.calls == []


async def test_a_spoken_secret_is_not_passed_on(house: House) -> None:
    error = await house.refusal(files=(voice("sk-proj-" + "d" * 48),))
    assert isinstance(error, SecretInPrompt)
    assert house.provider.calls == []


async def test_a_secret_in_another_file_is_found_before_anything_is_sent(house: House) -> None:
    notes = InputFile(name="a.txt", content_type=None, data=b"sk-proj-" + b"d" * 48)
    await house.refusal(files=(voice(), notes))
    assert house.speech.calls == []


async def test_nothing_is_heard_without_a_key() -> None:
    house = House(operator=None)
    assert isinstance(await house.refusal(files=(voice(),)), KeyMissing)
    assert house.speech.calls == house.log == []


async def test_listening_counts_as_a_request(house: House) -> None:
    await house.ask(files=(voice(),))
    assert [bucket.scope for bucket in house.limiter.taken].count(LimitScope.USER) == 2


async def test_whoever_asked_too_much_is_not_listened_to(house: House) -> None:
    house.limiter.empty[LimitScope.USER] = 5.0
    assert isinstance(await house.refusal(files=(voice(),)), RateLimited)
    assert house.speech.calls == []


async def test_a_question_taken_back_while_listening_ends_its_row(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening = asyncio.Event()

    async def endless(_credential: Credential, _call: SpeechCall) -> Transcript:
        listening.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(house.speech, "transcribe", endless)
    events = house.services.chat.ask(request("Why?", ADA, HERE, files=(voice(),)))
    asking = asyncio.create_task(collected(events))
    await asyncio.wait_for(listening.wait(), 5)
    await house.services.chat.drain(0)
    await asyncio.wait_for(asking, 5)
    (row,) = house.log
    assert row.end is not None
    assert row.end.status is CallStatus.STOPPED
    assert house.store.in_transaction == 0


async def test_an_edited_question_still_has_its_files(house: House) -> None:
    asked = request("Where?", files=(voice(),))
    await collected(house.services.chat.ask(asked))
    assert asked.interaction_id is not None
    revised = request("When?", files=(voice(),))
    events = house.services.chat.revise(revised, message_id=MessageId(asked.interaction_id))
    finished(await collected(events))
    assert house.texts_sent[-1][1].startswith("When?\n\n[speech: voice-message.ogg]")


async def test_an_answer_had_again_is_not_listened_to_twice(house: House) -> None:
    answer = await house.answer("Where?", files=(voice(),))
    await house.regenerate(answer.turn_id)
    assert WORDS in house.texts_sent[-1][1]
    assert len(house.speech.calls) == 1
