from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager

from companion.domain.conversation import Finish
from companion.domain.errors import ProviderError
from companion.domain.models import Catalogue, Credential, KeyFingerprint, Model, ModelId
from companion.domain.usage import Micros, Usage
from companion.ports.llm import (
    ChatCall,
    ChatEnded,
    ChatProvider,
    ModelCatalogue,
    PriceList,
    ProviderEvent,
    TextDelta,
)

Step = str | ProviderEvent | BaseException | asyncio.Event
"""One thing a scripted answer does: say a text, an event, raise, or wait until it may go on."""

MODEL = ModelId("gpt-6-luna")
OTHER_MODEL = ModelId("gpt-6-sol")


def usage(prompt: int = 11, completion: int = 7) -> Usage:
    return Usage(prompt_tokens=prompt, completion_tokens=completion)


def ended(finish: Finish = Finish.COMPLETE, used: Usage | None = None) -> ChatEnded:
    assert finish in {Finish.COMPLETE, Finish.LENGTH, Finish.FILTERED}
    return ChatEnded(
        finish=finish,  # type: ignore[arg-type]  # one of the three, as asserted
        usage=used or usage(),
        request_id="req-1",
    )


class FakeProvider(ChatProvider):
    """Plays scripts, one per request; without one it repeats what was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[Credential, ChatCall]] = []
        self.checked: list[Credential] = []
        self.open = 0
        """How many requests are open upstream."""
        self.key_error: ProviderError | None = None
        self.scripts: deque[list[Step]] = deque()

    def script(self, *steps: Step) -> None:
        """Say what the next request that has no script yet does; a missing end is a cut."""
        self.scripts.append(list(steps))

    @asynccontextmanager
    async def stream_chat(
        self, credential: Credential, call: ChatCall
    ) -> AsyncGenerator[AsyncIterator[ProviderEvent]]:
        self.calls.append((credential, call))
        steps: Iterable[Step] = (f"You said: {call.messages[-1].text}", ended())
        if self.scripts:
            steps = self.scripts.popleft()
        self.open += 1
        try:
            await asyncio.sleep(0)
            yield _play(steps)
        finally:
            self.open -= 1

    async def check_key(self, credential: Credential) -> None:
        await asyncio.sleep(0)
        self.checked.append(credential)
        if self.key_error is not None:
            raise self.key_error


async def _play(steps: Iterable[Step]) -> AsyncGenerator[ProviderEvent]:
    for step in steps:
        await asyncio.sleep(0)
        if isinstance(step, BaseException):
            raise step
        if isinstance(step, asyncio.Event):
            await step.wait()
        else:
            yield TextDelta(text=step) if isinstance(step, str) else step


class FakeCatalogue(ModelCatalogue):
    """Knows two models at first; a key's list is cached once it was asked for."""

    def __init__(self) -> None:
        self.built_in = Catalogue(models=(Model(id=MODEL), Model(id=OTHER_MODEL)), complete=False)
        self.of_key: dict[str, Catalogue] = {}
        """What the provider would list, by the key itself."""
        self.asked: list[KeyFingerprint] = []
        self._cached: dict[KeyFingerprint, Catalogue] = {}

    async def models(self, credential: Credential) -> Catalogue:
        await asyncio.sleep(0)
        self.asked.append(credential.fingerprint)
        listed = self.of_key.get(credential.key.reveal())
        if listed is None:
            return self.built_in
        return self._cached.setdefault(credential.fingerprint, listed)

    def cached(self, credential: Credential | None) -> Catalogue:
        if credential is None:
            return self.built_in
        return self._cached.get(credential.fingerprint, self.built_in)

    def forget(self, credential: Credential) -> None:
        self._cached.pop(credential.fingerprint, None)


class FakePrices(PriceList):
    """A micro-dollar a token for known models."""

    def __init__(self) -> None:
        self.known = {MODEL, OTHER_MODEL}
        self.windows: dict[ModelId, int] = {}

    async def prepare(self) -> None: ...

    def cost(self, model: ModelId, usage: Usage, base_url: str) -> Micros | None:
        return Micros(usage.total_tokens) if model in self.known else None

    def context_tokens(self, model: ModelId) -> int | None:
        return self.windows.get(model)
