"""How replies end, and what is kept of them."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import pytest

from companion.domain.chat import Finished, Retrying, Started
from companion.domain.conversation import Finish
from companion.domain.errors import (
    ContextTooLong,
    Draining,
    ProviderError,
    ProviderOverloaded,
    ProviderTimedOut,
    StorageUnavailable,
    StreamCut,
)
from companion.domain.models import ModelId
from companion.ports.llm import ChatEnded, WaitingToRetry
from companion.ports.store import CallStatus
from tests.fakes.provider import MODEL, ended, usage
from tests.services.house import House, failed, finished, request, text, until


@pytest.fixture
async def forgetful() -> AsyncIterator[House]:
    """A house that keeps no contents in its log."""
    built = House(retention_days=0)
    yield built
    await built.services.close()


async def test_a_cut_answer_keeps_its_text(house: House) -> None:
    house.provider.script("The first half", StreamCut(reason="idle"))
    events = await house.ask()
    last = finished(events)
    assert text(events) == "The first half"
    assert last.finish is Finish.INTERRUPTED
    assert isinstance(last.cause, StreamCut)
    assert last.usage.estimated
    (turn,) = house.turns
    assert (turn.answer, turn.finish) == ("The first half", Finish.INTERRUPTED)
    (call,) = house.log
    assert call.end is not None
    assert (call.end.status, call.end.error_code) == (CallStatus.CUT, "stream_cut_idle")


async def test_an_answer_without_an_end_is_a_cut_answer(house: House) -> None:
    house.provider.script("Some text")
    last = await house.answer()
    assert last.finish is Finish.INTERRUPTED
    assert isinstance(last.cause, StreamCut)
    assert last.cause.reason == "eof"


@pytest.mark.parametrize(
    "error",
    [ContextTooLong(status=400, request_id="req-9"), ProviderTimedOut(), StreamCut(reason="eof")],
    ids=lambda error: error.code,
)
async def test_a_failure_before_the_first_word_can_be_retried(
    house: House, error: ProviderError
) -> None:
    house.provider.script(error)
    failure = failed(await house.ask("Why?"))
    (turn,) = house.turns
    assert (failure.error, failure.turn_id) == (error, turn.id)
    assert (turn.prompt, turn.answer, turn.finish) == ("Why?", "", Finish.FAILED)
    (call,) = house.log
    assert call.end is not None
    assert (call.end.status, call.end.usage) == (CallStatus.FAILED, None)
    assert (call.end.http_status, call.end.request_id) == (error.status, error.request_id)


async def test_a_failed_turn_is_no_part_of_the_history(house: House) -> None:
    house.provider.script(ProviderTimedOut())
    await house.ask("Lost")
    await house.ask("Found")
    assert [text for role, text in house.texts_sent if role == "user"] == ["Found"]


@pytest.mark.parametrize("finish", [Finish.LENGTH, Finish.FILTERED])
async def test_the_models_own_reason_is_passed_on(house: House, finish: Finish) -> None:
    house.provider.script("Text", ended(finish))
    last = await house.answer()
    assert (last.finish, last.cause) == (finish, None)
    assert house.turns[0].finish is finish


async def test_an_empty_answer_is_an_answer(house: House) -> None:
    house.provider.script(ended())
    assert (await house.answer()).finish is Finish.COMPLETE
    assert house.turns[0].answer == ""


async def test_usage_that_was_not_reported_is_estimated_and_marked(house: House) -> None:
    end = ChatEnded(finish=Finish.COMPLETE, usage=None, request_id=None)
    house.provider.script("Four words of text", end)
    last = await house.answer()
    assert last.usage.estimated
    assert last.usage.prompt_tokens > 0
    assert last.usage.completion_tokens > 0
    assert last.cost_micros == last.usage.total_tokens
    assert house.turns[0].usage == last.usage


async def test_an_unknown_price_is_no_price(house: House) -> None:
    last = await house.answer(model="someones-own-model")
    assert last.model == "someones-own-model"
    assert last.cost_micros is None


async def test_seconds_are_counted_from_the_question_to_the_end(house: House) -> None:
    go_on = asyncio.Event()
    house.provider.script("a", go_on, "b", ended())
    events = house.services.chat.ask(request("Why?"))
    await anext(events)
    await anext(events)
    house.clock.advance(2.5)
    go_on.set()
    last = finished([event async for event in events])
    assert last.seconds == 2.5
    (call,) = house.log
    assert call.end is not None
    assert (call.end.first_token_ms, call.end.latency_ms) == (0, 2500)


async def test_each_try_has_its_own_row(house: House) -> None:
    busy = ProviderOverloaded(status=503, request_id="req-0")
    house.provider.script(
        WaitingToRetry(wait_s=1.0),
        WaitingToRetry(wait_s=2.0, failed=busy),
        "Here",
        ended(used=usage(10, 1)),
    )
    events = await house.ask()
    assert [e.wait_s for e in events if isinstance(e, Retrying)] == [1.0, 2.0]
    first, second = house.log
    assert first.end and second.end
    assert (first.end.status, first.end.error_code) == (CallStatus.FAILED, "provider_overloaded")
    assert (first.end.http_status, first.end.usage) == (503, None)
    assert (second.end.status, second.end.usage) == (CallStatus.OK, usage(10, 1))
    assert first.start.turn_id == second.start.turn_id


async def test_a_try_that_cannot_be_logged_does_not_end_the_answer(house: House) -> None:
    go_on = asyncio.Event()
    retry = WaitingToRetry(wait_s=1.0, failed=ProviderOverloaded())
    house.provider.script(go_on, retry, "Here", ended())
    events = house.services.chat.ask(request("Why?"))
    await anext(events)
    house.store.failing_commits = 1
    go_on.set()
    assert finished([event async for event in events]).finish is Finish.COMPLETE
    (call,) = house.log
    assert call.end is not None


# The log's contents


async def test_the_log_keeps_what_was_sent_and_answered(house: House) -> None:
    await house.ask("Why?")
    (call,) = house.log
    assert call.request is not None
    assert json.loads(call.request) == [
        {"role": "system", "text": "Be brief."},
        {"role": "user", "text": "Why?"},
    ]
    assert call.response == "You said: Why?"


async def test_with_no_retention_no_contents_are_written(forgetful: House) -> None:
    await forgetful.ask("Why?")
    (call,) = forgetful.log
    assert (call.start.request_text, call.request, call.response) == (None, None, None)
    assert call.end is not None
    assert call.end.usage is not None


async def test_refused_requests_are_not_provider_requests(house: House) -> None:
    await house.ask("")
    assert house.log == []


# The database


async def test_without_a_database_nothing_is_sent(house: House) -> None:
    house.store.down = True
    assert isinstance(await house.refusal(), StorageUnavailable)
    assert not house.provider.calls
    assert house.services.chat.running == 0


async def test_a_turn_that_cannot_be_stored_is_not_begun(house: House) -> None:
    house.store.failing_commits = 1
    assert isinstance(await house.refusal(), StorageUnavailable)
    assert not house.provider.calls
    assert not house.turns


async def test_an_answer_outlives_a_database_that_fails_at_its_end(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    events = house.services.chat.ask(request("Why?"))
    assert isinstance(await anext(events), Started)
    house.store.failing_commits = 2
    with caplog.at_level(logging.WARNING):
        assert finished([event async for event in events]).finish is Finish.COMPLETE
    assert "turn_not_stored" in caplog.messages
    assert house.turns[0].finish is None
    await until(lambda: house.clock.sleeping)
    house.clock.advance(1.0)
    await until(lambda: house.clock.sleeping)
    house.clock.advance(5.0)
    await until(lambda: house.turns[0].finish)
    assert house.turns[0].answer == "You said: Why?"
    (call,) = house.log
    assert call.end is not None


async def test_a_turn_that_can_never_be_stored_is_reported_without_its_text(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    events = house.services.chat.ask(request("My deepest secret"))
    await anext(events)
    house.store.failing_commits = 99
    with caplog.at_level(logging.WARNING):
        last = finished([event async for event in events])
        for _ in range(4):
            await until(lambda: house.clock.sleeping)
            house.clock.advance(hours=1)
        await until(lambda: "turn_lost" in caplog.messages)
    assert isinstance(last, Finished)
    assert "deepest" not in caplog.text


async def test_a_cleared_turn_is_not_resurrected_by_its_end(house: House) -> None:
    go_on = asyncio.Event()
    house.provider.script("Text", go_on, ended())
    events = house.services.chat.ask(request("Why?"))
    await anext(events)
    person = house.store.person("discord:1")
    async with house.store.write() as unit:
        (conversation,) = await unit.conversations.of_person(person)
        await unit.conversations.clear(conversation)
    go_on.set()
    assert finished([event async for event in events]).finish is Finish.COMPLETE
    assert house.turns == []
    assert house.log[0].response is None


# What nobody foresaw


async def test_a_bug_reaches_the_door_and_leaves_nothing_running(house: House) -> None:
    house.provider.script("Half", RuntimeError("a bug"))
    with pytest.raises(RuntimeError, match="a bug"):
        await house.ask()
    (turn,) = house.turns
    assert (turn.answer, turn.finish) == ("Half", Finish.INTERRUPTED)
    assert house.services.chat.running == 0
    await house.answer("Again")


async def test_closing_the_house_ends_what_still_runs(house: House) -> None:
    house.provider.script("Half", asyncio.Event())
    events = house.services.chat.ask(request("Why?"))
    await anext(events)
    await anext(events)
    await house.services.close()
    assert isinstance(finished([event async for event in events]).cause, Draining)
    assert (house.turns[0].answer, house.turns[0].finish) == ("Half", Finish.INTERRUPTED)
    assert house.provider.open == 0


async def test_the_default_model_answers_when_none_is_named(house: House) -> None:
    assert (await house.answer(model="  ")).model == MODEL
    assert (await house.answer(model="gpt-6-sol")).model == ModelId("gpt-6-sol")
