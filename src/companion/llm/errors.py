"""From whatever the SDK, its transport or the provider raises to our own errors.

    nobody reached, or the connection broke     → ProviderUnreachable
    reached, but silent; our own time-outs      → ProviderTimedOut
    an error answer                             → by its status and code: see `refusals`
    an answer that is not the protocol          → ProviderBroken

The provider's text is looked at, and goes no further: it may quote the key or the
prompt. For the same reason nothing is chained: the SDK's exceptions hold the request.
"""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from typing import Final, TypeVar

import httpx2
import msgspec

from companion.domain.errors import (
    ProviderBroken,
    ProviderError,
    ProviderTimedOut,
    ProviderUnreachable,
)
from companion.llm.chunks import read_error
from companion.llm.refusals import Refusal
from companion.llm.retry_after import retry_after_s
from companion.llm.sdk import openai
from companion.llm.sse import LineTooLong

T = TypeVar("T")

UPSTREAM_ERRORS: Final = (
    openai.OpenAIError,
    httpx2.HTTPError,
    httpx2.StreamError,
    httpx2.InvalidURL,
    msgspec.DecodeError,
    LineTooLong,
    TimeoutError,
)
"""Everything that a call to a provider may raise. `TimeoutError`: our own watchdogs."""

_BY_CLASS: Final[tuple[tuple[type[BaseException], type[ProviderError]], ...]] = (
    (httpx2.ConnectTimeout, ProviderUnreachable),
    (httpx2.NetworkError, ProviderUnreachable),
    (httpx2.ProxyError, ProviderUnreachable),
    (httpx2.UnsupportedProtocol, ProviderUnreachable),
    (httpx2.InvalidURL, ProviderUnreachable),
    (httpx2.TimeoutException, ProviderTimedOut),
    (openai.APITimeoutError, ProviderTimedOut),
    (TimeoutError, ProviderTimedOut),
    (openai.APIConnectionError, ProviderUnreachable),
)
"""Looked up in this order; whatever is not here is a `ProviderBroken`."""


async def translated(call: Awaitable[T], *, model: str = "", now: datetime) -> T:
    """Await a call to the provider; what it raises comes out as an unchained `ProviderError`."""
    try:
        return await call
    except UPSTREAM_ERRORS as error:
        failure = translate(error, model=model, now=now)
    # raised outside the handler, so that Python does not chain the SDK's exception to it
    raise failure


def translate(error: BaseException, *, model: str = "", now: datetime) -> ProviderError:
    """Return what an exception means to us. Total: the unforeseen is a `ProviderBroken`."""
    if isinstance(error, openai.APIConnectionError) and error.__cause__ is not None:
        return translate(error.__cause__, model=model, now=now)
    if isinstance(error, openai.APIStatusError):
        return _of_answer(error, model, now)
    found = next((ours for theirs, ours in _BY_CLASS if isinstance(error, theirs)), ProviderBroken)
    return found()


def _of_answer(error: openai.APIStatusError, model: str, now: datetime) -> ProviderError:
    refusal = Refusal(
        body=read_error(error.body),
        model=model,
        status=error.status_code,
        request_id=error.request_id,
        wait_s=retry_after_s(error.response.headers, now),
    )
    return refusal.as_error()
