"""The official SDK, unmodified: it is only told another base URL and a token of ours."""

from __future__ import annotations

from pathlib import Path

import openai
import pytest
from openai.types.audio import Translation
from openai.types.chat import (
    ChatCompletionContentPartParam,
    ChatCompletionMessageParam,
    ChatCompletionToolParam,
)
from pydantic import BaseModel

from companion.db.keyring import KeyRing
from companion.domain.tokens import TokenScope
from companion.limits.memory import BucketSize
from tests.api.openai.site import Site, open_site
from tests.support.provider_script import (
    NO_CREDIT,
    RATE_LIMITED,
    WRONG_KEY,
    Answer,
    Fault,
    Status,
)
from tests.support.sample_files import picture
from tests.support.scripted_routes import UNKNOWN_PATH
from tests.support.wiring import MODEL, OPERATOR_KEY

ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Why?"}]
TOOL: ChatCompletionToolParam = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {}}},
}
VOICE = ("voice.mp3", b"ID3" + bytes(2_000_000), "audio/mpeg")


class Colour(BaseModel):
    name: str


async def translate(site: Site, model: str) -> Translation:
    translations = site.sdk().audio.translations
    # OpenAI ends it in 2027, which is why we have a second way
    with pytest.warns(DeprecationWarning):
        return await translations.create(  # pyright: ignore[reportDeprecated]
            model=model, file=VOICE
        )


async def test_models_are_listed_and_described(site: Site) -> None:
    site.provider.models = ["gpt-6-luna", "vendor/model-1.5:free"]
    client = site.sdk()
    assert [model.id async for model in client.models.list()] == site.provider.models
    found = await client.models.retrieve("vendor/model-1.5:free")
    assert found.id == "vendor/model-1.5:free"
    with pytest.raises(openai.NotFoundError) as raised:
        await client.models.retrieve("gpt-0")
    assert raised.value.code == "model_not_found"


async def test_chat_answers_whole(site: Site) -> None:
    answer = await site.sdk().chat.completions.create(model=MODEL, messages=ASK)
    assert answer.choices[0].message.content == "Hello from the scripted provider."
    assert answer.usage is not None
    assert answer.to_dict()["object"] == "chat.completion"
    (sent,) = site.provider.chats
    assert sent.key == OPERATOR_KEY
    assert sent.body["store"] is False


async def test_chat_streams_and_reports_usage_when_asked(site: Site) -> None:
    stream = await site.sdk().chat.completions.create(
        model=MODEL,
        messages=ASK,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == "Hello from the scripted provider."
    assert chunks[-1].usage is not None


async def test_usage_that_was_not_asked_for_is_not_shown(site: Site) -> None:
    stream = await site.sdk().chat.completions.create(model=MODEL, messages=ASK, stream=True)
    chunks = [chunk async for chunk in stream]
    assert all(chunk.choices for chunk in chunks)
    assert all(chunk.usage is None for chunk in chunks)
    (row,) = await site.rows()
    assert row["status"] == "ok"
    assert row["completion_tokens"] > 0
    assert not row["usage_estimated"]


async def test_tools_pictures_and_structure_go_through(site: Site) -> None:
    site.provider.default = Answer(text='{"name": "red"}')
    seen: list[ChatCompletionContentPartParam] = [
        {"type": "text", "text": "Which colour?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aVZC"}},
    ]
    answer = await site.sdk().chat.completions.parse(
        model=MODEL,
        messages=[{"role": "user", "content": seen}],
        response_format=Colour,
    )
    assert answer.choices[0].message.parsed == Colour(name="red")
    await site.sdk().chat.completions.create(
        model=MODEL,
        messages=ASK,
        tools=[TOOL],
        tool_choice="auto",
    )
    pictures, tools = site.provider.chats
    assert pictures.body["messages"][0]["content"] == seen
    assert pictures.body["response_format"]["json_schema"]["strict"] is True
    assert tools.body["tools"] == [TOOL]


async def test_text_completions_go_through(site: Site) -> None:
    answer = await site.sdk().completions.create(model="gpt-instruct", prompt="Say hello")
    assert (answer.object, answer.choices[0].text) == ("text_completion", "Hello.")


async def test_text_completions_of_chat_models_are_served_by_chat(site: Site) -> None:
    client = site.sdk()
    for _ in range(2):
        answer = await client.completions.create(model=MODEL, prompt="Say hello", max_tokens=9)
        assert answer.object == "text_completion"
        assert answer.choices[0].text == "Hello from the scripted provider."
        assert answer.usage is not None
    stream = await client.completions.create(model=MODEL, prompt=["Say hello"], stream=True)
    assert "".join([c.choices[0].text async for c in stream]) == "Hello from the scripted provider."
    # the detour by the other route is made once
    assert [request.path for request in site.provider.requests] == [
        "/v1/completions",
        *["/v1/chat/completions"] * 3,
    ]
    assert site.provider.chats[0].body["max_completion_tokens"] == 9


async def test_pictures_are_drawn_and_edited(site: Site) -> None:
    client = site.sdk()
    drawn = await client.images.generate(model="gpt-image-2.5", prompt="A cat")
    assert drawn.data is not None
    assert drawn.data[0].b64_json
    edited = await client.images.edit(
        model="gpt-image-2.5", image=[("a.png", picture()), ("b.png", picture())], prompt="Blue"
    )
    assert edited.data is not None
    assert site.provider.requests[-1].body["image[]"] == picture()
    assert site.provider.requests[-1].body["prompt"] == "Blue"
    drawing, editing = await site.rows()
    assert (drawing["endpoint"], editing["endpoint"]) == ("images.generations", "images.edits")
    assert drawing["completion_tokens"] == 1056


async def test_pictures_stream(site: Site) -> None:
    stream = await site.sdk().images.generate(model="gpt-image-2.5", prompt="A cat", stream=True)
    assert [event.type async for event in stream] == ["image_generation.completed"]


async def test_speech_is_written_down(site: Site) -> None:
    answer = await site.sdk().audio.transcriptions.create(
        model="gpt-transcribe", file=VOICE, language="de", timestamp_granularities=["word"]
    )
    assert answer.text == "Words of the recording."
    (sent,) = site.provider.transcriptions
    assert sent.body["file"] == VOICE[1]
    assert (sent.body["language"], sent.body["filename"]) == ("de", "voice.mp3")
    (row,) = await site.rows()
    assert (row["prompt_tokens"], row["completion_tokens"]) == (14, 5)


async def test_speech_is_translated_where_the_provider_can(site: Site) -> None:
    answer = await translate(site, "whisper-1")
    assert answer.text == "Words in English."


async def test_speech_is_translated_in_two_steps_elsewhere(site: Site) -> None:
    site.provider.instead["audio/translations"] = UNKNOWN_PATH
    site.provider.default = Answer(text="In English.")
    answer = await translate(site, "gpt-transcribe")
    assert answer.text == "In English."
    assert site.provider.chats[0].body["messages"][1]["content"] == "Words of the recording."
    assert site.provider.transcriptions[0].body["file"] == VOICE[1]
    assert [row["endpoint"] for row in await site.rows()] == [
        "audio.translations",
        "audio.transcriptions",
        "chat.completions",
    ]


async def test_a_wrong_token_is_an_authentication_error(site: Site) -> None:
    with pytest.raises(openai.AuthenticationError) as raised:
        await site.sdk("sk-no-token").chat.completions.create(model=MODEL, messages=ASK)
    assert raised.value.code == "invalid_api_key"
    assert site.provider.requests == []


async def test_a_token_without_the_scope_is_a_permission_error(site: Site) -> None:
    client = site.sdk(await site.new_token("pictures", TokenScope.IMAGES))
    with pytest.raises(openai.PermissionDeniedError):
        await client.chat.completions.create(model=MODEL, messages=ASK)


@pytest.mark.parametrize(
    ("upstream", "raised", "code"),
    [
        (WRONG_KEY, openai.PermissionDeniedError, "provider_key_rejected"),
        (Status(status=404, code="model_not_found"), openai.NotFoundError, "model_not_found"),
        (Status(status=400, code="invalid_value"), openai.BadRequestError, "invalid_value"),
        (Status(status=422, code="invalid_value"), openai.BadRequestError, "invalid_value"),
        (NO_CREDIT, openai.RateLimitError, "insufficient_quota"),
    ],
)
async def test_failures_of_the_provider_are_typed_and_in_our_words(
    site: Site, upstream: Status, raised: type[openai.APIStatusError], code: str
) -> None:
    site.provider.script(upstream)
    with pytest.raises(raised) as caught:
        await site.sdk().chat.completions.create(model=MODEL, messages=ASK)
    assert caught.value.code == code
    assert caught.value.request_id == "req_scripted"
    assert "UPSTREAM TEXT" not in str(caught.value)
    (row,) = await site.rows()
    assert (row["status"], row["http_status"]) == ("failed", upstream.status)


async def test_the_providers_fields_are_kept(site: Site) -> None:
    site.provider.script(
        Status(status=400, code="unsupported_value", param="reasoning_effort", type="odd_error")
    )
    with pytest.raises(openai.BadRequestError) as caught:
        await site.sdk().chat.completions.create(model=MODEL, messages=ASK)
    assert (caught.value.param, caught.value.type) == ("reasoning_effort", "odd_error")


async def test_the_providers_wait_is_told_at_once(site: Site) -> None:
    limited = Status(status=429, code=RATE_LIMITED.code, headers={"retry-after": "17"})
    site.provider.script(limited)
    with pytest.raises(openai.RateLimitError) as caught:
        await site.sdk().chat.completions.create(model=MODEL, messages=ASK)
    assert caught.value.response.headers["retry-after"] == "17"
    assert len(site.provider.chats) == 1


async def test_our_own_limit_is_a_rate_limit_error(database: Path, ring: KeyRing) -> None:
    one = BucketSize(capacity=1, period_s=60)
    async with open_site(database, ring, user_bucket=one) as site:
        client = site.sdk()
        await client.chat.completions.create(model=MODEL, messages=ASK)
        with pytest.raises(openai.RateLimitError) as caught:
            await client.chat.completions.create(model=MODEL, messages=ASK)
    assert int(caught.value.response.headers["retry-after"]) > 1


async def test_a_cut_stream_raises(site: Site) -> None:
    site.provider.script(Answer(fault=Fault.EOF, fault_after=2))
    stream = await site.sdk().chat.completions.create(model=MODEL, messages=ASK, stream=True)
    with pytest.raises(openai.APIError) as caught:
        [chunk async for chunk in stream]
    assert caught.value.code == "answer_cut"
