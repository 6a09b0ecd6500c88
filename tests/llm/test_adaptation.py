"""What is refused is left out, remembered, and told when the person would miss it."""

from __future__ import annotations

import pytest

from companion.domain.chat import Adaptation
from companion.domain.errors import RequestRejected
from companion.domain.models import Credential, ModelId
from companion.llm.adaptation import Adaptations, Quirk, Quirks, chat_fields
from companion.llm.client import Provider
from companion.ports.llm import ChatCall, ChatMessage, ImagePart
from tests.llm.asking import MESSAGES, MODEL, ask, credential_for
from tests.support.provider_script import Answer, Status, unsupported
from tests.support.scripted_provider import ScriptedProvider

OPENAI = "https://api.openai.com/v1"
ELSEWHERE = "https://models.example/v1"


@pytest.mark.parametrize(
    ("refused", "told"),
    [
        ("stream", (Adaptation.STREAMING,)),
        ("temperature", (Adaptation.TEMPERATURE,)),
        ("max_tokens", ()),
        ("system", ()),
        ("stream_options", ()),
        ("store", ()),
    ],
)
async def test_a_refused_field_is_left_out_and_stays_out(
    upstream: ScriptedProvider,
    provider: Provider,
    credential: Credential,
    refused: str,
    told: tuple[Adaptation, ...],
) -> None:
    upstream.refuse(refused)
    for calls in (2, 3):
        outcome = await ask(provider, credential, temperature=0.5, max_tokens=9)
        assert outcome.text == "Hello from the scripted provider."
        assert outcome.ended.adaptations == told
        assert len(upstream.chats) == calls


async def test_everything_refused_at_once_still_gets_an_answer(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    upstream.refuse(
        "stream", "temperature", "max_tokens", "max_completion_tokens", "system", "store"
    )
    outcome = await ask(provider, credential, temperature=0.5, max_tokens=9)
    assert outcome.ended.adaptations == (
        Adaptation.STREAMING,
        Adaptation.TEMPERATURE,
        Adaptation.MAX_TOKENS,
    )
    assert outcome.ended.usage is not None
    assert upstream.chats[-1].body == {
        "model": MODEL,
        "messages": [{"role": "user", "content": "Be brief.\n\nSay something."}],
    }


async def test_what_was_not_asked_for_is_not_told(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    upstream.refuse("temperature")
    await ask(provider, credential, temperature=0.5)
    assert (await ask(provider, credential)).ended.adaptations == ()


async def test_what_one_key_or_model_refuses_is_not_assumed_of_another(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    upstream.refuse("temperature")
    await ask(provider, credential, temperature=0.5)
    await ask(provider, credential, model=ModelId("gpt-6-sol"), temperature=0.5)
    await ask(provider, credential_for(upstream.base_url, name="b"), temperature=0.5)
    assert len(upstream.chats) == 6


@pytest.mark.parametrize(
    "refusal",
    [
        Status(status=400, message="Unrecognized request argument supplied: temperature"),
        Status(status=400, message="This model does not support temperature."),
        Status(status=422, message="temperature: Extra inputs are not permitted"),
        unsupported("temperature", "unsupported_parameter"),
    ],
)
async def test_other_ways_to_say_it_are_understood(
    upstream: ScriptedProvider, provider: Provider, credential: Credential, refusal: Status
) -> None:
    upstream.script(refusal)
    outcome = await ask(provider, credential, temperature=0.5)
    assert outcome.ended.adaptations == (Adaptation.TEMPERATURE,)


@pytest.mark.parametrize(
    "refusal",
    [
        Status(status=400, code="decimal_above_max_value", param="temperature"),
        Status(status=400, code="unsupported_value", param="messages[1].content[0]"),
        unsupported("store"),
    ],
)
async def test_a_refusal_that_leaving_out_does_not_help_is_final(
    upstream: ScriptedProvider, provider: Provider, credential: Credential, refusal: Status
) -> None:
    upstream.default = refusal
    outcome = await ask(provider, credential, temperature=0.5)
    assert type(outcome.error) is RequestRejected
    assert len(upstream.chats) <= 2


async def test_a_server_that_ignores_streaming_is_understood(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    whole = b'{"choices": [{"message": {"content": "all of it"}, "finish_reason": "stop"}]}'
    upstream.script(Status(status=200, body=whole))
    outcome = await ask(provider, credential)
    assert outcome.text == "all of it"
    assert outcome.ended.adaptations == ()


async def test_a_refusal_of_the_model_itself_is_shown_as_its_text(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    said = b'{"choices": [{"message": {"refusal": "I would rather not."}}]}'
    upstream.script(Status(status=200, body=said), Answer())
    assert (await ask(provider, credential)).text == "I would rather not."


def test_only_openai_is_told_whom_a_request_is_for() -> None:
    call = ChatCall(model=MODEL, messages=MESSAGES, max_tokens=5, safety_id="f" * 32)
    sent = chat_fields(call, Quirks(), OPENAI)
    assert sent["safety_identifier"] == "f" * 32
    assert sent["max_completion_tokens"] == 5
    for other in (ELSEWHERE, "http://api.openai.com/v1", "https://api.openai.com.example/v1"):
        sent = chat_fields(call, Quirks(), other)
        assert "safety_identifier" not in sent
        assert sent["max_tokens"] == 5
        assert sent["store"] is False


def test_images_go_with_the_text() -> None:
    message = ChatMessage(role="user", text="What?", images=(ImagePart(data_url="data:x"),))
    sent = chat_fields(ChatCall(model=MODEL, messages=(message,)), Quirks(), OPENAI)
    assert sent["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What?"},
                {"type": "image_url", "image_url": {"url": "data:x"}},
            ],
        }
    ]


def test_the_oldest_lesson_is_forgotten_first() -> None:
    known = Adaptations(remembered=2)
    keys = [credential_for(OPENAI, name=name) for name in "abc"]
    for key in keys:
        known.learn(key, MODEL, "temperature", Quirks())
    assert [known.of(key, MODEL) for key in keys] == [
        Quirks(),
        Quirks({Quirk.NO_TEMPERATURE}),
        Quirks({Quirk.NO_TEMPERATURE}),
    ]
