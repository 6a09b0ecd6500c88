"""The sample model, asked by the SDK that everyone else would use."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from openai import (
    APIStatusError,
    AsyncOpenAI,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
)
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

from companion.playground.sample_answers import Message, answer
from companion.playground.sample_model import HEARD, MODELS, SampleModel
from companion.playground.sample_texts import LABEL


@pytest.fixture
async def client() -> AsyncGenerator[AsyncOpenAI]:
    async with (
        SampleModel.start(tokens_per_s=100_000) as model,
        AsyncOpenAI(api_key="sk-any", base_url=model.base_url, max_retries=0) as client,
    ):
        yield client


def said(*prompts: str) -> list[ChatCompletionMessageParam]:
    return [{"role": "user", "content": prompt} for prompt in prompts]


async def stream(
    client: AsyncOpenAI, prompt: str, limit: int | None = None
) -> list[ChatCompletionChunk]:
    chunks = await client.chat.completions.create(
        model="sample-small",
        messages=said(prompt),
        stream=True,
        stream_options={"include_usage": True},
        max_tokens=limit,
    )
    return [chunk async for chunk in chunks]


def text_of(chunks: list[ChatCompletionChunk]) -> str:
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


async def test_it_lists_its_models(client: AsyncOpenAI) -> None:
    assert tuple(model.id for model in (await client.models.list()).data) == MODELS


async def test_it_streams_the_same_text_that_it_answers_whole(client: AsyncOpenAI) -> None:
    chunks = await stream(client, "write code in Rust")
    whole = await client.chat.completions.create(
        model="sample-small", messages=said("write code in Rust")
    )
    assert text_of(chunks) == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason == "stop"


async def test_it_stops_at_the_limit(client: AsyncOpenAI) -> None:
    chunks = await stream(client, "a long answer", limit=10)
    assert chunks[-2].choices[0].finish_reason == "length"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 10


async def test_it_breaks_off_when_told_to(client: AsyncOpenAI) -> None:
    chunks = await stream(client, "hello, and cut off please")
    assert text_of(chunks)
    assert all(c.choices[0].finish_reason is None for c in chunks)


@pytest.mark.parametrize(
    ("key", "listing", "chatting"),
    [
        ("sk-wrong", AuthenticationError, AuthenticationError),
        ("sk-broke", None, RateLimitError),
        ("sk-restricted", PermissionDeniedError, None),
    ],
)
async def test_special_keys_meet_what_such_keys_meet(
    client: AsyncOpenAI,
    key: str,
    listing: type[APIStatusError] | None,
    chatting: type[APIStatusError] | None,
) -> None:
    keyed = client.with_options(api_key=key)
    if listing is not None:
        with pytest.raises(listing):
            await keyed.models.list()
    if chatting is not None:
        with pytest.raises(chatting):
            await stream(keyed, "hello")
    if listing is None:
        assert (await keyed.models.list()).data
    if chatting is None:
        assert await stream(keyed, "hello")


async def test_it_refuses_what_it_does_not_understand(client: AsyncOpenAI) -> None:
    with pytest.raises(NotFoundError):
        await client.chat.completions.create(model="gpt-6-luna", messages=said("hello"))
    with pytest.raises(BadRequestError):
        await client.chat.completions.create(model="sample-small", messages=[])


@pytest.mark.parametrize(
    ("prompt", "holds"),
    [
        ("Hello!", "Hello!"),
        ("write a function in Go", "```go"),
        ("some Python please", "```python"),
        ("compare two things", "|---|"),
        ("five ideas", "\n1. "),
        ("tell me of cats", "> tell me of cats"),
        ("what did I ask before?", "first"),
    ],
)
def test_the_prompt_chooses_the_answer_and_each_says_what_it_is(prompt: str, holds: str) -> None:
    text = answer([("user", prompt)], "sample-small")
    assert text.startswith(f"*{LABEL}*")
    assert holds in text


def test_it_remembers_what_it_was_given() -> None:
    messages: list[Message] = [
        ("system", "Be brief."),
        ("user", "My name is Ada"),
        ("assistant", "…"),
    ]
    assert "**Ada**" in answer([*messages, ("user", "What is my name?")], "sample-small")
    assert "“My name is Ada”" in answer([*messages, ("user", "What did I ask?\nbefore")], "m")


def test_it_tells_only_what_people_asked() -> None:
    told = answer(
        [
            ("user", "From: Ada\nTides?"),
            ("user", "From: Ada\nContinue your last answer exactly where it stopped."),
            ("user", "From: Grace\nWhat was asked before?"),
        ],
        "m",
    )
    assert "1. “Tides?”" in told
    assert "From:" not in told
    assert "Continue your last answer" not in told


def test_a_cut_answer_is_continued_where_it_stopped() -> None:
    asked: Message = ("user", "a long answer")
    whole = answer([asked], "sample-small")
    rest = answer([asked, ("assistant", whole[:500]), ("user", "Please continue.")], "sample-small")
    assert whole[:500] + rest == whole


def test_a_long_answer_needs_several_messages_and_a_block_longer_than_one() -> None:
    text = answer([("user", "hello")], "sample-long")
    assert len(text) > 6_000
    assert len(text.split("```")[1]) > 2_000


WHOLE = "Question:\n<@12345> How do tides work?\n\nAnswer:\nBy the moon."


def test_title_that_the_app_asks_for_is_short_and_plain() -> None:
    asked = [("system", "Give this conversation a short title."), ("user", WHOLE)]
    assert answer(asked, "sample-small") == "How do tides work"
    long = WHOLE.replace("tides work", "the tides of the North Sea work")
    told = answer([asked[0], ("user", long)], "sample-small")
    assert told == "How do the tides of the North…"


async def test_picture_is_noticed(client: AsyncOpenAI) -> None:
    seen: list[ChatCompletionMessageParam] = [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "what is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
            ],
        }
    ]
    reply = await client.chat.completions.create(model="sample-small", messages=seen)
    assert "a picture" in (reply.choices[0].message.content or "")


async def test_it_says_that_it_hears_nothing(client: AsyncOpenAI) -> None:
    heard = await client.audio.transcriptions.create(
        model="any", file=("a.ogg", b"OggS", "audio/ogg")
    )
    assert heard.text == HEARD
