"""The table of retries, with the number of requests that the provider saw."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from companion.domain.errors import (
    CreditExhausted,
    ProviderBroken,
    ProviderOverloaded,
    ProviderRateLimited,
)
from companion.domain.models import Credential, KeyFingerprint, ModelId
from companion.llm.client import Provider, ProviderTimings
from companion.llm.retrying import BUDGET_FLOOR, BUDGET_WINDOW_S, Retries
from tests.llm.asking import SkippingClock, ask, credential_for
from tests.support.provider_script import (
    NO_CREDIT,
    OVERLOADED,
    RATE_LIMITED,
    Answer,
    Behaviour,
    Fault,
    Reset,
    Silence,
    Status,
)
from tests.support.scripted_provider import ScriptedProvider
from tests.support.waiting import until


def limited(**headers: str) -> Status:
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    return Status(status=429, code="rate_limit_exceeded", headers=said)


PASSING = [
    RATE_LIMITED,
    Status(status=429, code="slow_down"),
    Status(status=429),
    OVERLOADED,
    Status(status=503),
    Status(status=529),
    Status(status=500),
    Status(status=502, body=b"<html>UPSTREAM TEXT</html>", content_type="text/html"),
    Status(status=504),
    Status(status=408),
    Status(status=409),
    Reset(),
]


@pytest.mark.parametrize("failure", PASSING)
async def test_a_passing_failure_is_tried_three_times_with_waits_in_between(
    upstream: ScriptedProvider,
    provider: Provider,
    credential: Credential,
    clock: SkippingClock,
    failure: Behaviour,
) -> None:
    upstream.default = failure
    outcome = await ask(provider, credential)
    assert outcome.error is not None
    assert len(upstream.chats) == 3
    assert outcome.waits == clock.slept
    assert len(outcome.events) == len(outcome.waits) == 2


@pytest.mark.parametrize("failure", PASSING)
async def test_the_answer_after_a_passing_failure_is_whole(
    upstream: ScriptedProvider, provider: Provider, credential: Credential, failure: Behaviour
) -> None:
    upstream.script(failure, failure, Answer(text="at last"))
    outcome = await ask(provider, credential)
    assert outcome.text == "at last"
    assert len(upstream.chats) == 3


async def test_each_failed_try_is_named(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    upstream.script(OVERLOADED, RATE_LIMITED, Answer(text="at last"))
    outcome = await ask(provider, credential)
    assert outcome.failures == [ProviderOverloaded, ProviderRateLimited]


@pytest.mark.parametrize(
    ("headers", "bounds"),
    [
        ({"retry_after": "5"}, (5.0, 5.5)),
        ({"retry_after_ms": "1500"}, (1.5, 1.75)),
        ({"retry_after": "Sat, 21 Nov 2026 12:00:09 GMT"}, (9.0, 9.9)),
        ({"retry_after": "-5"}, (0.0, 1.0)),
        ({"retry_after": "NaN"}, (0.0, 1.0)),
        ({}, (0.0, 1.0)),
    ],
)
async def test_the_wait_is_never_shorter_than_asked_and_little_longer(
    upstream: ScriptedProvider,
    provider: Provider,
    credential: Credential,
    headers: dict[str, str],
    bounds: tuple[float, float],
) -> None:
    upstream.script(limited(**headers))
    outcome = await ask(provider, credential)
    assert outcome.text
    assert bounds[0] <= outcome.waits[0] <= bounds[1]
    assert len(upstream.chats) == 2


async def test_a_long_wait_is_told_instead_of_waited(
    upstream: ScriptedProvider, provider: Provider, credential: Credential, clock: SkippingClock
) -> None:
    upstream.script(limited(retry_after="300"))
    outcome = await ask(provider, credential)
    assert isinstance(outcome.error, ProviderRateLimited)
    assert outcome.error.retry_after_s == 300.0
    assert clock.slept == []
    assert len(upstream.chats) == 1


async def test_waits_of_one_call_are_bounded_together(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    upstream.default = limited(retry_after="20")
    outcome = await ask(provider, credential)
    assert isinstance(outcome.error, ProviderRateLimited)
    assert len(upstream.chats) == 2


async def test_an_overloaded_provider_is_waited_for_as_it_says(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    upstream.default = Status(status=503, headers={"Retry-After": "7"})
    outcome = await ask(provider, credential)
    assert isinstance(outcome.error, ProviderOverloaded)
    assert all(wait >= 7 for wait in outcome.waits)


async def test_a_key_that_must_wait_holds_back_its_own_calls_and_no_others(
    upstream: ScriptedProvider, provider: Provider, credential: Credential, clock: SkippingClock
) -> None:
    upstream.script(limited(retry_after="300"))
    await ask(provider, credential)

    held = await ask(provider, credential)
    assert isinstance(held.error, ProviderRateLimited)
    assert held.error.retry_after_s == pytest.approx(300.0)
    assert len(upstream.chats) == 1

    other = await ask(provider, credential_for(upstream.base_url, name="b"))
    assert other.text
    assert other.waits == []

    clock.skip(290)
    waited = await ask(provider, credential)
    assert waited.text
    assert waited.failures == [None]
    assert 10.0 <= waited.waits[0] <= 11.0


async def test_an_exhausted_account_is_never_asked_twice_by_one_call(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    upstream.script(RATE_LIMITED, NO_CREDIT)
    outcome = await ask(provider, credential)
    assert isinstance(outcome.error, CreditExhausted)
    assert len(upstream.chats) == 2


async def test_an_error_event_before_the_first_token_follows_the_same_table(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    upstream.script(error_event("server_error"), error_event("rate_limit_exceeded"))
    assert (await ask(provider, credential)).text
    assert len(upstream.chats) == 3

    upstream.script(error_event("insufficient_quota"))
    assert isinstance((await ask(provider, credential)).error, CreditExhausted)
    assert len(upstream.chats) == 4


async def test_retries_are_a_tenth_of_the_calls_of_a_minute(
    upstream: ScriptedProvider, provider: Provider, credential: Credential, clock: SkippingClock
) -> None:
    upstream.default = Status(status=500)
    models = [ModelId(f"model-{number}") for number in range(20)]
    outcomes = [await ask(provider, credential, model=model) for model in models]
    assert all(type(outcome.error) is ProviderBroken for outcome in outcomes)
    assert len(upstream.chats) == 20 + BUDGET_FLOOR

    clock.skip(BUDGET_WINDOW_S)
    await ask(provider, credential)
    assert len(upstream.chats) == 20 + BUDGET_FLOOR + 3


def test_the_budget_of_retries_grows_with_the_calls(clock: SkippingClock) -> None:
    retries = Retries(clock, ProviderTimings())
    for number in range(300):
        retries.begin(KeyFingerprint(str(number)))
    assert sum(retries.spend() for _ in range(100)) == 30


async def test_cancelling_before_the_first_token_hangs_up_and_asks_no_more(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    upstream.default = Silence()
    task = asyncio.create_task(ask(provider, credential))
    await until(lambda: upstream.chats, within_s=1.0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: upstream.chats[0].hung_up_at, within_s=1.0)
    assert len(upstream.chats) == 1


def error_event(code: str) -> Answer:
    error: dict[str, Any] = {"message": "UPSTREAM TEXT", "type": code, "code": code}
    return Answer(fault=Fault.ERROR_EVENT, error=error)
