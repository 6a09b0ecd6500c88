from __future__ import annotations

import asyncio

import pytest

from companion.domain.errors import (
    CredentialRejected,
    CreditExhausted,
    ModelUnavailable,
    ProviderBroken,
    ProviderError,
    ProviderOverloaded,
    ProviderTimedOut,
    ProviderUnreachable,
)
from companion.domain.models import Credential, ModelId
from companion.llm.client import Provider, ProviderTimings, open_provider
from companion.ports.speech import SpeechCall
from tests.llm.asking import SkippingClock
from tests.support.provider_script import (
    HTML_PAGE,
    NO_CREDIT,
    OVERLOADED,
    WRONG_KEY,
    Behaviour,
    Reset,
    Silence,
    Status,
)
from tests.support.scripted_provider import ScriptedProvider

CALL = SpeechCall(
    model=ModelId("gpt-transcribe"),
    filename="speech.ogg",
    media_type="audio/ogg",
    data=b"OggS\x00\xff" * 100,
)


async def test_a_recording_goes_up_whole_and_comes_back_as_text(
    provider: Provider, upstream: ScriptedProvider, credential: Credential
) -> None:
    upstream.heard = "Good morning."
    heard = await provider.speech.transcribe(credential, CALL)
    assert heard.text == "Good morning."
    assert heard.usage is not None
    assert (heard.usage.prompt_tokens, heard.usage.completion_tokens) == (14, 5)
    assert heard.request_id == "req_speech"
    (sent,) = upstream.transcriptions
    assert sent.key == credential.key.reveal()
    assert sent.body == {
        "file": CALL.data,
        "filename": "speech.ogg",
        "model": "gpt-transcribe",
        "response_format": "json",
    }


async def test_a_large_recording_does_not_hold_up_the_event_loop(
    provider: Provider, upstream: ScriptedProvider, credential: Credential
) -> None:
    call = SpeechCall(
        model=CALL.model, filename="a.wav", media_type="audio/wav", data=bytes(10 * 2**20)
    )
    await provider.speech.transcribe(credential, call)
    assert len(upstream.transcriptions[0].body["file"]) == len(call.data)


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (WRONG_KEY, CredentialRejected),
        (NO_CREDIT, CreditExhausted),
        (OVERLOADED, ProviderOverloaded),
        (Status(status=404, code="model_not_found"), ModelUnavailable),
        (Status(status=500), ProviderBroken),
        (HTML_PAGE, ProviderBroken),
        (Status(status=200, body=b'{"words": "?"}'), ProviderBroken),
        (Reset(), ProviderUnreachable),
    ],
)
async def test_failures_are_told_apart_and_not_tried_again(
    provider: Provider,
    upstream: ScriptedProvider,
    credential: Credential,
    behaviour: Behaviour,
    error: type[ProviderError],
) -> None:
    upstream.heard = behaviour
    with pytest.raises(error) as failed:
        await provider.speech.transcribe(credential, CALL)
    assert type(failed.value) is error
    assert failed.value.__cause__ is None
    assert len(upstream.transcriptions) == 1


async def test_a_silent_provider_is_given_up(
    upstream: ScriptedProvider, credential: Credential
) -> None:
    upstream.heard = Silence()
    timings = ProviderTimings(transcribe_s=0.3)
    async with asyncio.timeout(5), open_provider(clock=SkippingClock(), timings=timings) as hasty:
        with pytest.raises(ProviderTimedOut):
            await hasty.speech.transcribe(credential, CALL)
