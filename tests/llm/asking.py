"""Asking the adapter, and keeping all that came of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from companion.domain.errors import ProviderError
from companion.domain.models import Credential, KeyFingerprint, ModelId, Payer
from companion.domain.secrets import Secret
from companion.llm.client import Provider
from companion.ports.llm import (
    ChatCall,
    ChatEnded,
    ChatMessage,
    ProviderEvent,
    TextDelta,
    WaitingToRetry,
)

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
MODEL = ModelId("gpt-6-luna")
MESSAGES = (
    ChatMessage(role="system", text="Be brief."),
    ChatMessage(role="user", text="Say something."),
)


class SkippingClock:
    """Sleeping takes no time, but the clock says it did."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._passed = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return 1_000.0 + self._passed

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.skip(seconds)
        await asyncio.sleep(0)

    def skip(self, seconds: float) -> None:
        self._passed += seconds


@dataclass(slots=True)
class Outcome:
    """All events of one call, and the error that ended it, if one did."""

    events: list[ProviderEvent] = field(default_factory=list[ProviderEvent])
    error: ProviderError | None = None

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    @property
    def ended(self) -> ChatEnded:
        last = self.events[-1]
        assert isinstance(last, ChatEnded)
        return last

    @property
    def waits(self) -> list[float]:
        return [event.wait_s for event in self.events if isinstance(event, WaitingToRetry)]

    @property
    def failures(self) -> list[type[ProviderError] | None]:
        """What each wait came after: a failed try, or nothing but a pause of the key."""
        waits = [event for event in self.events if isinstance(event, WaitingToRetry)]
        return [type(wait.failed) if wait.failed else None for wait in waits]


def credential_for(base_url: str, key: str = "sk-test-key", name: str = "a") -> Credential:
    return Credential(
        key=Secret(key),
        base_url=base_url,
        fingerprint=KeyFingerprint(f"fingerprint-{name}"),
        payer=Payer.PERSON,
    )


async def ask(
    provider: Provider,
    credential: Credential,
    *,
    model: ModelId = MODEL,
    messages: tuple[ChatMessage, ...] = MESSAGES,
    temperature: float | None = None,
    max_tokens: int | None = None,
    safety_id: str | None = None,
) -> Outcome:
    call = ChatCall(
        model=model,
        messages=messages,
        temperature=temperature,
        max_tokens=max_tokens,
        safety_id=safety_id,
    )
    outcome = Outcome()
    try:
        async with provider.chat.stream_chat(credential, call) as events:
            async for event in events:
                outcome.events.append(event)
    except ProviderError as error:
        outcome.error = error
    return outcome
