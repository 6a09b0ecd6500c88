"""The translation of failures is total, and nothing of the SDK comes out of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import httpx2
import msgspec
import openai
import pytest

from companion.domain.errors import (
    ProviderBroken,
    ProviderError,
    ProviderTimedOut,
    ProviderUnreachable,
)
from companion.llm.chunks import ErrorBody
from companion.llm.errors import UPSTREAM_ERRORS, translate, translated
from companion.llm.refusals import Refusal
from tests.llm.asking import START

REQUEST = httpx2.Request("POST", "https://api.openai.com/v1/chat/completions")


def classes_of(module: object, root: type[BaseException]) -> list[type[BaseException]]:
    found = (member for _, member in inspect.getmembers(module, inspect.isclass))
    return [kind for kind in found if issubclass(kind, root)]


def bare(kind: type[BaseException]) -> BaseException:
    """Build an exception without its constructor: their signatures all differ."""
    error = kind.__new__(kind)
    if isinstance(error, openai.APIStatusError | openai.APIResponseValidationError):
        error.response = httpx2.Response(418, request=REQUEST)
        error.status_code, error.body = 418, None
    if isinstance(error, openai.APIStatusError):
        error.request_id = None
    return error


@pytest.mark.parametrize("kind", classes_of(openai, openai.OpenAIError))
def test_every_error_of_the_sdk_has_a_meaning(kind: type[BaseException]) -> None:
    assert isinstance(translate(bare(kind), now=START), ProviderError)
    assert issubclass(kind, UPSTREAM_ERRORS)


@pytest.mark.parametrize("kind", classes_of(httpx2, httpx2.HTTPError))
def test_every_error_of_the_transport_has_a_meaning(kind: type[BaseException]) -> None:
    assert isinstance(translate(bare(kind), now=START), ProviderError)
    assert issubclass(kind, UPSTREAM_ERRORS)


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (httpx2.ConnectError(""), ProviderUnreachable),
        (httpx2.ConnectTimeout(""), ProviderUnreachable),
        (httpx2.ReadError(""), ProviderUnreachable),
        (httpx2.ReadTimeout(""), ProviderTimedOut),
        (httpx2.RemoteProtocolError(""), ProviderBroken),
    ],
)
def test_a_connection_error_means_what_caused_it(
    cause: httpx2.TransportError, expected: type[ProviderError]
) -> None:
    error = openai.APIConnectionError(request=REQUEST)
    error.__cause__ = cause
    assert type(translate(error, now=START)) is expected


def test_every_status_has_a_meaning() -> None:
    for status in range(300, 600):
        error = Refusal(body=ErrorBody(), model="m", status=status).as_error()
        assert type(error) is not ProviderError
        assert error.status == status


@pytest.mark.parametrize("code", ["x" * 65, "please: call 555", "a\nb", 7])
def test_only_what_looks_like_a_code_is_kept_as_one(code: str | int) -> None:
    error = Refusal(body=ErrorBody(code=code), model="m", status=418).as_error()
    assert error.upstream_code is None


@pytest.mark.parametrize(
    "make",
    [
        TimeoutError,
        lambda: msgspec.ValidationError("UPSTREAM TEXT"),
        lambda: openai.APIConnectionError(request=REQUEST),
    ],
)
async def test_nothing_is_chained_to_our_error(make: Callable[[], BaseException]) -> None:
    async def fail() -> None:
        raise make()

    with pytest.raises(ProviderError) as caught:
        await translated(fail(), now=START)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


async def test_what_is_no_failure_of_the_provider_is_left_alone() -> None:
    async def fail() -> None:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        await translated(fail(), now=START)
