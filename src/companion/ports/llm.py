"""The model provider, as the services see it.

Errors are `ProviderError` subclasses (see `companion.domain.errors`); no SDK
exception crosses this border. Retries, adaptation to what a key or model refuses,
and the rule that only a terminal event ends an answer are the adapter's duty.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from companion.domain.chat import Adaptation
from companion.domain.conversation import Finish
from companion.domain.errors import ProviderError
from companion.domain.models import Catalogue, Credential, ModelId
from companion.domain.usage import Micros, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePart:
    """An image for a model that sees: a `data:` URL."""

    data_url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One message of the prompt sent to the model."""

    role: Literal["system", "user", "assistant"]
    text: str = field(repr=False)
    images: tuple[ImagePart, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCall:
    """One chat completion to run. `safety_id` is a keyed hash of the person, never an id."""

    model: ModelId
    messages: tuple[ChatMessage, ...]
    temperature: float | None = None
    max_tokens: int | None = None
    safety_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta:
    """More text of the answer; never empty."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingToRetry:
    """The next try starts in `wait_s` seconds.

    `failed` is how the last one ended, before its first token; `None` when nothing
    was sent yet, because the key has to hold still.
    """

    wait_s: float
    failed: ProviderError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatEnded:
    """The terminal event. `usage` is `None` when the provider did not report it."""

    finish: Literal[Finish.COMPLETE, Finish.LENGTH, Finish.FILTERED]
    usage: Usage | None
    request_id: str | None
    adaptations: tuple[Adaptation, ...] = ()


ProviderEvent = TextDelta | WaitingToRetry | ChatEnded


class ChatProvider(Protocol):
    """Chat completions and the list of models of one key."""

    def stream_chat(
        self, credential: Credential, call: ChatCall
    ) -> AbstractAsyncContextManager[AsyncIterator[ProviderEvent]]:
        """Run a chat completion; leaving the context cancels it upstream.

        The iterator ends right after a `ChatEnded`. It raises a `ProviderError`
        before the first `TextDelta`, and `StreamCut` (cause in `__cause__`) after it.
        """
        ...

    async def check_key(self, credential: Credential) -> None:
        """Ask the provider whether it accepts this key, at no cost to the owner.

        Raises `CredentialRejected`, `CredentialRestricted`, `CreditExhausted`,
        `ProviderUnreachable`, `ProviderTimedOut` or another `ProviderError`.
        """
        ...


class ModelCatalogue(Protocol):
    """The models of a key, cached; listing is paid for by nobody."""

    async def models(self, credential: Credential) -> Catalogue:
        """Return the key's chat models, from cache when fresh; a built-in list when unlistable."""
        ...

    def cached(self, credential: Credential | None) -> Catalogue:
        """Return what is known right now, without any I/O; the built-in list at worst."""
        ...

    def forget(self, credential: Credential) -> None:
        """Drop what is cached for that key."""
        ...


class PriceList(Protocol):
    """Prices and context windows known offline."""

    async def prepare(self) -> None:
        """Load what the answers need, without holding up the event loop; at once when loaded."""
        ...

    def cost(self, model: ModelId, usage: Usage, base_url: str) -> Micros | None:
        """Return what `usage` costs, or `None` when the model's price there is unknown."""
        ...

    def context_tokens(self, model: ModelId) -> int | None:
        """Return the model's context window in tokens, or `None` when unknown."""
        ...
