from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

from companion.domain.conversation import Finish
from companion.domain.errors import ProviderError
from companion.domain.models import Credential
from companion.domain.usage import Usage
from companion.ports.relay import (
    OnRetry,
    RelayAnswer,
    RelayBody,
    RelayCall,
    RelayEnding,
    RelayHead,
    RelayPiece,
    RelayProvider,
    RelayStream,
)

HEAD = RelayHead(content_type="application/json", headers=(), request_id="req-1")
ENDING = RelayEnding(finish=Finish.COMPLETE, usage=Usage(prompt_tokens=11, completion_tokens=7))
Step = str | BaseException | asyncio.Event | RelayEnding
"""One thing a scripted stream does: say a text, raise, wait until it may go on, or end."""


class FakeRelay(RelayProvider):
    """Answers whole, or plays the script of a stream."""

    def __init__(self) -> None:
        self.calls: list[tuple[Credential, RelayCall]] = []
        self.open_now = 0
        """How many requests are open upstream."""
        self.retried: deque[ProviderError] = deque()
        """How the next tries fail before the one that answers."""
        self.error: ProviderError | None = None
        self.steps: list[Step] = ["Hello", ENDING]

    @asynccontextmanager
    async def open(
        self, credential: Credential, call: RelayCall, on_retry: OnRetry
    ) -> AsyncGenerator[RelayAnswer]:
        self.calls.append((credential, call))
        self.open_now += 1
        try:
            await asyncio.sleep(0)
            while self.retried:
                await on_retry(self.retried.popleft())
            if self.error is not None:
                raise self.error
            if call.streams:
                yield RelayStream(head=HEAD, parts=_played(self.steps))
            else:
                yield RelayBody(head=HEAD, data=b"{}", text="Hello", ending=ENDING)
        finally:
            self.open_now -= 1


async def _played(steps: Iterable[Step]) -> AsyncGenerator[RelayPiece | RelayEnding]:
    for step in steps:
        await asyncio.sleep(0)
        if isinstance(step, BaseException):
            raise step
        if isinstance(step, asyncio.Event):
            await step.wait()
        elif isinstance(step, str):
            yield RelayPiece(events=(b'"' + step.encode() + b'"',), text=step)
        else:
            yield step
