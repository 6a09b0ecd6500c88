"""A chat provider that is measured: how its requests end, and how long they take."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from companion.api.metrics import Metrics
from companion.domain.errors import ProviderError
from companion.domain.models import Credential
from companion.ports.llm import ChatCall, ChatProvider, ProviderEvent

CHAT: Final = "chat.completions"


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
        began, outcome = time.perf_counter(), "cancelled"
        try:
            async with self._provider.stream_chat(credential, call) as events:
                yield events
            outcome = "ok"
        except ProviderError as error:
            outcome = error.code
            raise
        finally:
            self._metrics.provider_call(CHAT, outcome, time.perf_counter() - began)

    async def check_key(self, credential: Credential) -> None:
        """Ask the provider whether it accepts this key."""
        await self._provider.check_key(credential)
