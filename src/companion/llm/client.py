"""Opens the model provider: one connection pool, one chat adapter, one catalogue."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from companion.llm.breaker import Breakers
from companion.llm.catalogue import CachedCatalogue
from companion.llm.chat import OpenAIChat
from companion.llm.connection import Connection
from companion.llm.relay import OpenAIRelay
from companion.llm.retrying import Retries
from companion.llm.speech import OpenAISpeech
from companion.llm.timings import ProviderTimings
from companion.ports.clock import Clock
from companion.ports.llm import ChatProvider, ModelCatalogue
from companion.ports.relay import RelayProvider
from companion.ports.speech import SpeechProvider

__all__ = ["Provider", "ProviderTimings", "open_provider"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """The adapters behind the ports of the model provider."""

    chat: ChatProvider
    catalogue: ModelCatalogue
    speech: SpeechProvider
    relay: RelayProvider


@asynccontextmanager
async def open_provider(
    *, clock: Clock, timings: ProviderTimings | None = None
) -> AsyncGenerator[Provider]:
    """Open the provider; its connections are closed when the block ends."""
    timings = timings or ProviderTimings()
    async with aclosing(Connection(clock, timings)) as connection:
        # one budget, one memory of keys that must wait, one of what is down: for all doors
        retries, breakers = Retries(clock, timings), Breakers(clock)
        yield Provider(
            chat=OpenAIChat(connection, clock, timings, retries=retries, breakers=breakers),
            catalogue=CachedCatalogue(connection, clock, timings),
            speech=OpenAISpeech(connection, timings, retries=retries, breakers=breakers),
            relay=OpenAIRelay(connection, clock, timings, retries=retries, breakers=breakers),
        )
