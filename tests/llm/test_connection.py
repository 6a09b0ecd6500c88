"""What all requests of the process share, and what they must not."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from companion.domain.errors import (
    CredentialRejected,
    CredentialRestricted,
    CreditExhausted,
    ProviderBroken,
    ProviderError,
    ProviderTimedOut,
    ProviderUnreachable,
)
from companion.domain.models import Credential
from companion.llm.client import Provider, open_provider
from companion.ports.llm import ChatMessage, ImagePart
from tests.llm.asking import SkippingClock, ask, credential_for
from tests.support.provider_script import (
    MISSING_SCOPES,
    NO_CREDIT,
    WRONG_KEY,
    Answer,
    Behaviour,
    Silence,
    Status,
)
from tests.support.scripted_provider import ScriptedProvider


async def test_each_request_carries_its_own_key_and_no_other(
    upstream: ScriptedProvider, provider: Provider
) -> None:
    keys = [f"sk-{number}" for number in range(20)]
    credentials = [credential_for(upstream.base_url, key, name=key) for key in keys]
    await asyncio.gather(*(ask(provider, credential) for credential in credentials))
    assert sorted(chat.key for chat in upstream.chats) == sorted(keys)


async def test_each_key_goes_to_its_own_endpoint(
    upstream: ScriptedProvider, provider: Provider
) -> None:
    async with ScriptedProvider.start() as other:
        for place in (upstream, other, upstream):
            await ask(provider, credential_for(place.base_url, f"sk-for-{place.base_url}"))
        for place in (upstream, other):
            assert {chat.key for chat in place.chats} == {f"sk-for-{place.base_url}"}


async def test_cookies_of_one_key_do_not_travel_with_the_next(
    upstream: ScriptedProvider, provider: Provider
) -> None:
    by_name = upstream.base_url.replace("127.0.0.1", "localhost")
    upstream.script(Status(status=401, headers={"Set-Cookie": "session=of-a; Path=/"}))
    await ask(provider, credential_for(by_name, "sk-a", name="a"))
    await ask(provider, credential_for(by_name, "sk-b", name="b"))
    assert len(upstream.chats) == 2
    assert all("Cookie" not in chat.headers for chat in upstream.chats)


async def test_nothing_of_the_environment_is_sent(
    upstream: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "operators-own")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Team: operators-own")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://operators-own.example")
    async with open_provider(clock=SkippingClock()) as provider:
        await ask(provider, credential_for(upstream.base_url))
        await provider.catalogue.models(credential_for(upstream.base_url))
    assert len(upstream.requests) == 2
    for request in upstream.requests:
        assert "operators-own" not in str(dict(request.headers))


async def test_a_call_costs_no_new_tls_context(
    upstream: ScriptedProvider, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a TLS context was made for a call")

    monkeypatch.setattr(ssl, "create_default_context", refuse)
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", refuse)
    assert (await ask(provider, credential_for(upstream.base_url))).text


async def test_a_finished_answer_leaves_its_connection_for_the_next(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    for _ in range(3):
        await ask(provider, credential)
    upstream.refuse("stream")
    await ask(provider, credential)
    assert len({chat.peer for chat in upstream.chats}) == 1


async def test_a_compressed_answer_is_refused_unread(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    upstream.default = upstream.models_status = Status(
        status=200, headers={"Content-Encoding": "gzip"}, body=b"\x1f\x8b"
    )
    assert isinstance((await ask(provider, credential)).error, ProviderBroken)
    with pytest.raises(ProviderBroken):
        await provider.chat.check_key(credential)
    assert all(r.headers["Accept-Encoding"] == "identity" for r in upstream.requests)


@pytest.mark.parametrize("status", [200, 500])
async def test_a_huge_body_is_not_read_to_its_end(
    upstream: ScriptedProvider, provider: Provider, credential: Credential, status: int
) -> None:
    upstream.script(
        Status(status=status, body=b'{"x": "' + b"x" * 9 * 2**20, content_type="application/json")
    )
    outcome = await ask(provider, credential)
    assert outcome.error is None if status == 500 else isinstance(outcome.error, ProviderBroken)


async def test_a_good_key_is_checked_with_one_free_request(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    await provider.chat.check_key(credential)
    assert [(r.method, r.path) for r in upstream.requests] == [("GET", "/v1/models")]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (WRONG_KEY, CredentialRejected),
        (MISSING_SCOPES, CredentialRestricted),
        (Status(status=403), CredentialRestricted),
        (NO_CREDIT, CreditExhausted),
        (Status(status=200, body=b"{}"), ProviderBroken),
        (Status(status=500), ProviderBroken),
    ],
)
async def test_a_check_says_at_once_what_is_wrong(
    upstream: ScriptedProvider,
    provider: Provider,
    credential: Credential,
    answer: Behaviour,
    expected: type[ProviderError],
) -> None:
    upstream.models_status = answer
    with pytest.raises(expected):
        await provider.chat.check_key(credential)
    assert len(upstream.requests) == 1


async def test_a_check_does_not_wait_for_long(
    upstream: ScriptedProvider, hasty: Provider, credential: Credential
) -> None:
    upstream.models_status = Silence()
    with pytest.raises(ProviderTimedOut):
        await hasty.chat.check_key(credential)
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    "base_url",
    [
        "http://127.0.0.1:1/v1",
        "ftp://127.0.0.1/v1",
        "http://",
        "not an address",
        "http://[::1",
        "http://a..b/v1",
        "http://127.0.0.1:99999/v1",
        "http://xn--\u0080/v1",
    ],
)
async def test_an_endpoint_that_is_none_is_unreachable(provider: Provider, base_url: str) -> None:
    with pytest.raises(ProviderUnreachable):
        await provider.chat.check_key(credential_for(base_url))
    assert isinstance((await ask(provider, credential_for(base_url))).error, ProviderUnreachable)


async def test_the_answer_is_read_as_it_comes(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    upstream.script(Answer(text="one two three four five six seven", tokens_per_s=50))
    outcome = await ask(provider, credential)
    assert len(outcome.events) > 4


async def test_a_large_picture_arrives_whole(
    upstream: ScriptedProvider, provider: Provider, credential: Credential
) -> None:
    picture = ImagePart(data_url="data:image/png;base64," + "A" * 3 * 2**20)
    message = ChatMessage(role="user", text="What?", images=(picture,))
    assert (await ask(provider, credential, messages=(message,))).text
    sent = upstream.chats[0].body["messages"][0]["content"][1]
    assert sent["image_url"]["url"] == picture.data_url


async def test_a_server_without_tls_is_not_spoken_to_in_the_clear(
    upstream: ScriptedProvider, provider: Provider
) -> None:
    secure = upstream.base_url.replace("http://", "https://")
    assert isinstance((await ask(provider, credential_for(secure))).error, ProviderUnreachable)
    assert upstream.requests == []


async def test_a_proxy_of_the_environment_is_used(
    upstream: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", upstream.base_url.removesuffix("/v1"))
    async with open_provider(clock=SkippingClock()) as provider:
        assert (await ask(provider, credential_for("http://models.example/v1"))).text
    assert [chat.headers["Host"] for chat in upstream.chats] == ["models.example"]


async def test_a_model_on_this_machine_is_asked_past_any_proxy(
    upstream: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with open_provider(clock=SkippingClock()) as provider:
        assert (await ask(provider, credential_for(upstream.base_url))).text
