"""Providers that are measured: how their requests end, and how long they take."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace

from companion.api.metrics import Metrics
from companion.domain.errors import ProviderError
from companion.domain.models import Credential
from companion.llm.client import Provider
from companion.ports.llm import ChatCall, ChatProvider, ProviderEvent
from companion.ports.relay import (
    Endpoint,
    OnRetry,
    RelayAnswer,
    RelayCall,
    RelayEnding,
    RelayPiece,
    RelayProvider,
    RelayStream,
)


def metered(provider: Provider, metrics: Metrics) -> Provider:
    """Return that provider, its requests for answers counted."""
    return replace(
        provider,
        chat=MeteredProvider(provider.chat, metrics),
        relay=MeteredRelay(provider.relay, metrics),
    )


@dataclass(slots=True)
class _Outcome:
    """How a request ended: `cancelled` unless something else is known."""

    code: str = "cancelled"


class MeteredProvider(ChatProvider):
    """Passes everything on, and counts."""

    def __init__(self, provider: ChatProvider, metrics: Metrics) -> None:
        self._provider = provider
        self._metrics = metrics

    @asynccontextmanager
    async def stream_chat(
        self, credential: Credential, call: ChatCall
    ) -> AsyncGenerator[AsyncIterator[ProviderEvent]]:
        """Run a chat completion; leaving the context cancels it upstream."""
        with _measured(self._metrics, Endpoint.CHAT) as outcome:
            async with self._provider.stream_chat(credential, call) as events:
                yield events
            outcome.code = "ok"

    async def check_key(self, credential: Credential) -> None:
        """Ask the provider whether it accepts this key."""
        await self._provider.check_key(credential)


class MeteredRelay(RelayProvider):
    """Passes everything on, and counts."""

    def __init__(self, provider: RelayProvider, metrics: Metrics) -> None:
        self._provider = provider
        self._metrics = metrics

    @asynccontextmanager
    async def open(
        self, credential: Credential, call: RelayCall, on_retry: OnRetry
    ) -> AsyncGenerator[RelayAnswer]:
        """Send a request; leaving the context hangs up."""
        with _measured(self._metrics, call.endpoint) as outcome:
            async with self._provider.open(credential, call, on_retry) as answer:
                if isinstance(answer, RelayStream):
                    yield replace(answer, parts=_watched(answer.parts, outcome))
                else:
                    outcome.code = "ok"  # it is here; who asked may have gone
                    yield answer


@contextmanager
def _measured(metrics: Metrics, endpoint: Endpoint) -> Generator[_Outcome]:
    outcome, began = _Outcome(), time.perf_counter()
    try:
        yield outcome
    except ProviderError as error:
        outcome.code = error.code
        raise
    finally:
        metrics.provider_call(endpoint.value, outcome.code, time.perf_counter() - began)


async def _watched(
    parts: AsyncIterator[RelayPiece | RelayEnding], outcome: _Outcome
) -> AsyncGenerator[RelayPiece | RelayEnding]:
    try:
        async for part in parts:
            if isinstance(part, RelayEnding):
                outcome.code = "ok"
            yield part
    except ProviderError as error:
        outcome.code = error.code
        raise
