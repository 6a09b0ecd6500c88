"""What a provider can do wrong, once each, over a real socket."""

from __future__ import annotations

import asyncio
import tracemalloc

import pytest

from companion.domain.conversation import Finish
from companion.domain.errors import (
    ContentRefused,
    ContextTooLong,
    CredentialRejected,
    CredentialRestricted,
    CreditExhausted,
    ModelUnavailable,
    ProviderBroken,
    ProviderError,
    ProviderTimedOut,
    ProviderUnreachable,
    RedirectRefused,
    RequestRejected,
    StreamCut,
)
from companion.domain.models import Credential
from companion.llm.client import Provider, ProviderTimings, open_provider
from companion.llm.refusals import BILLING
from companion.ports.llm import ChatCall, TextDelta
from tests.llm.asking import MESSAGES, MODEL, SkippingClock, ask, credential_for
from tests.support.provider_script import (
    HTML_PAGE,
    MISSING_SCOPES,
    WRONG_KEY,
    Answer,
    Behaviour,
    Fault,
    Silence,
    Status,
)
from tests.support.scripted_provider import ScriptedProvider
from tests.support.waiting import until

REFUSED = [
    *((Status(status=429, code=code), CreditExhausted) for code in sorted(BILLING)),
    (Status(status=429, code=None, type="insufficient_quota"), CreditExhausted),
    (Status(status=402), CreditExhausted),
    (WRONG_KEY, CredentialRejected),
    (MISSING_SCOPES, CredentialRestricted),
    (Status(status=403, code="unsupported_country_region_territory"), CredentialRestricted),
    (Status(status=403, code="model_not_found"), ModelUnavailable),
    (Status(status=404, code="model_not_found"), ModelUnavailable),
    (Status(status=400, code="context_length_exceeded"), ContextTooLong),
    (Status(status=400, message="this model's maximum context length is 9"), ContextTooLong),
    (Status(status=400, code="content_policy_violation"), ContentRefused),
    (Status(status=400, code="invalid_value", param="temperature"), RequestRejected),
    (Status(status=413), RequestRejected),
    (Status(status=422), RequestRejected),
    (Status(status=418, body=b"UPSTREAM TEXT", content_type="text/plain"), RequestRejected),
    (HTML_PAGE, ProviderBroken),
    (Status(status=200, body=b"{", content_type="application/json"), ProviderBroken),
    (Status(status=200, body=b"[]", content_type="application/json"), ProviderBroken),
    (Status(status=302, headers={"Location": "http://127.0.0.1:9/v1"}), RedirectRefused),
    (Status(status=307), RedirectRefused),
]


@pytest.mark.parametrize(("refusal", "expected"), REFUSED)
async def test_a_lasting_refusal_is_asked_for_once(
    upstream: ScriptedProvider,
    provider: Provider,
    credential: Credential,
    refusal: Status,
    expected: type[ProviderError],
) -> None:
    upstream.default = refusal
    outcome = await ask(provider, credential)
    assert type(outcome.error) is expected
    assert outcome.events == []
    assert len(upstream.requests) == 1
    assert "UPSTREAM" not in repr(outcome.error)


async def test_a_redirect_is_not_followed_with_the_key(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    async with ScriptedProvider.start() as elsewhere:
        upstream.default = upstream.models_status = Status(
            status=307, headers={"Location": f"{elsewhere.base_url}/chat/completions"}
        )
        assert isinstance((await ask(provider, credential)).error, RedirectRefused)
        with pytest.raises(RedirectRefused):
            await provider.chat.check_key(credential)
        assert elsewhere.requests == []


CUT = [
    (Fault.EOF, "eof"),
    (Fault.ERROR_EVENT, "error"),
    (Fault.RESET, "error"),
    (Fault.BAD_JSON, "garbage"),
    (Fault.WRONG_TYPES, "garbage"),
    (Fault.HUGE_LINE, "garbage"),
]


@pytest.mark.parametrize(("fault", "reason"), CUT)
async def test_a_broken_answer_keeps_its_text_and_is_never_asked_for_again(
    upstream: ScriptedProvider,
    provider: Provider,
    credential: Credential,
    fault: Fault,
    reason: str,
) -> None:
    upstream.script(Answer(text="Half of it", fault=fault, fault_after=2))
    outcome = await ask(provider, credential)
    assert outcome.text == "Half of "
    assert isinstance(outcome.error, StreamCut)
    assert outcome.error.reason == reason
    assert outcome.error.request_id == "req_scripted"
    assert len(upstream.chats) == 1


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault.EOF, (ProviderUnreachable, 3)),
        (Fault.RESET, (ProviderUnreachable, 3)),
        (Fault.BAD_JSON, (ProviderBroken, 1)),
        (Fault.WRONG_TYPES, (ProviderBroken, 1)),
        (Fault.HUGE_LINE, (ProviderBroken, 1)),
    ],
)
async def test_a_break_before_the_first_token_is_an_ordinary_failure(
    upstream: ScriptedProvider,
    provider: Provider,
    credential: Credential,
    fault: Fault,
    expected: tuple[type[ProviderError], int],
) -> None:
    upstream.default = Answer(fault=fault)
    outcome = await ask(provider, credential)
    assert (type(outcome.error), len(upstream.chats)) == expected


@pytest.mark.parametrize("fault", [Fault.STALL, Fault.PINGS])
async def test_silence_in_the_middle_is_a_cut_even_when_the_connection_is_kept_alive(
    upstream: ScriptedProvider, hasty: Provider, credential: Credential, fault: Fault
) -> None:
    upstream.script(Answer(text="Half of it", fault=fault, fault_after=2))
    outcome = await ask(hasty, credential)
    assert outcome.text == "Half of "
    assert isinstance(outcome.error, StreamCut)
    assert outcome.error.reason == "idle"
    assert isinstance(outcome.error.__cause__, ProviderTimedOut)
    assert len(upstream.chats) == 1
    await until(lambda: upstream.chats[0].hung_up_at, within_s=1.0)


@pytest.mark.parametrize(
    "silent", [Answer(fault=Fault.STALL), Answer(fault=Fault.PINGS), Silence()]
)
async def test_silence_before_the_first_token_is_tried_once_more(
    upstream: ScriptedProvider, hasty: Provider, credential: Credential, silent: Behaviour
) -> None:
    upstream.default = silent
    outcome = await ask(hasty, credential)
    assert type(outcome.error) is ProviderTimedOut
    assert len(upstream.chats) == 2


@pytest.mark.parametrize(
    ("answer", "finish"),
    [
        (Answer(text="whole"), Finish.COMPLETE),
        (Answer(text="whole", done=False), Finish.COMPLETE),
        (Answer(text="whole", finish=None), Finish.COMPLETE),
        (Answer(text="whole", finish="length"), Finish.LENGTH),
        (Answer(text="whole", finish="content_filter"), Finish.FILTERED),
        (Answer(text="whole", finish="something_new"), Finish.COMPLETE),
        (Answer(text="whole", pings=3), Finish.COMPLETE),
    ],
)
async def test_either_terminal_mark_ends_an_answer(
    upstream: ScriptedProvider,
    provider: Provider,
    credential: Credential,
    answer: Answer,
    finish: Finish,
) -> None:
    upstream.script(answer)
    outcome = await ask(provider, credential)
    assert outcome.error is None
    assert outcome.text == "whole"
    assert outcome.ended.finish is finish
    assert outcome.ended.request_id == "req_scripted"


async def test_an_empty_answer_is_an_answer(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    upstream.script(Answer(text=""))
    outcome = await ask(provider, credential)
    assert outcome.events == [outcome.ended]


@pytest.mark.parametrize(
    "usage",
    [
        '{"prompt_tokens": NaN, "completion_tokens": 1}',
        '{"prompt_tokens": -1, "completion_tokens": 1}',
        '{"prompt_tokens": 1, "completion_tokens": 1e99}',
        '{"prompt_tokens": "many"}',
        '"none"',
        "null",
    ],
)
async def test_impossible_usage_is_no_usage_and_breaks_nothing(
    upstream: ScriptedProvider, provider: Provider, credential: Credential, usage: str
) -> None:
    upstream.script(Answer(text="whole", usage=usage))
    outcome = await ask(provider, credential)
    assert outcome.text == "whole"
    assert outcome.ended.usage is None


async def test_usage_is_reported_with_its_details(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    upstream.script(
        Answer(
            usage={
                "prompt_tokens": 12,
                "completion_tokens": 7,
                "prompt_tokens_details": {"cached_tokens": 4},
                "completion_tokens_details": {"reasoning_tokens": 3},
            }
        )
    )
    usage = (await ask(provider, credential)).ended.usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens) == (12, 7)
    assert (usage.cached_tokens, usage.reasoning_tokens) == (4, 3)


async def test_a_huge_line_costs_little_memory(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    upstream.script(Answer(), Answer(fault=Fault.HUGE_LINE))
    await ask(provider, credential)
    tracemalloc.start()
    outcome = await ask(provider, credential)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(outcome.error, ProviderBroken)
    assert peak < 40 * 2**20  # the scripted provider's own 10 MB line, twice, is in there


async def test_an_endless_answer_is_cut_by_the_total_limit(
    upstream: ScriptedProvider, clock: SkippingClock, credential: Credential
) -> None:
    upstream.script(Answer(text="x" * 4_000, tokens_per_s=50))
    async with open_provider(clock=clock, timings=ProviderTimings(total_s=0.6)) as provider:
        outcome = await ask(provider, credential)
    assert isinstance(outcome.error, StreamCut)
    assert outcome.error.reason == "too_long"
    assert outcome.text


async def test_nobody_listening_is_unreachable(
    provider: Provider, upstream: ScriptedProvider
) -> None:

    outcome = await ask(provider, credential_for("http://127.0.0.1:1/v1"))
    assert type(outcome.error) is ProviderUnreachable
    assert len(outcome.waits) == 2


@pytest.mark.parametrize("leave", ["exit", "cancel"])
async def test_leaving_early_hangs_up_at_once(
    upstream: ScriptedProvider, provider: Provider, credential: Credential, leave: str
) -> None:
    upstream.script(Answer(text="word " * 500, tokens_per_s=50))
    started = asyncio.Event()

    async def listen() -> None:
        call = ChatCall(model=MODEL, messages=MESSAGES)
        async with provider.chat.stream_chat(credential, call) as events:
            async for event in events:
                assert isinstance(event, TextDelta)
                started.set()
                if leave == "exit":
                    return

    task = asyncio.create_task(listen())
    await started.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await until(lambda: upstream.chats[0].hung_up_at, within_s=1.0)
    assert len(upstream.chats) == 1
