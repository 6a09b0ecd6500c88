"""A provider's routes as they are: what a client sent goes on, what comes back goes back.

Payer, endpoint and headers are ours; of a request only the body is the client's.
Errors are `ProviderError` subclasses. Retries before the first byte, the bound on
every wait and the rule that only a terminal event ends a stream are the adapter's duty.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

from companion.domain.conversation import Finish
from companion.domain.errors import ProviderError
from companion.domain.models import Credential, ModelId
from companion.domain.usage import Usage


class Endpoint(StrEnum):
    """A route of the provider; its value is its name in the log."""

    MODELS = "models"
    CHAT = "chat.completions"
    COMPLETIONS = "completions"
    IMAGES = "images.generations"
    IMAGE_EDITS = "images.edits"
    TRANSCRIPTIONS = "audio.transcriptions"
    TRANSLATIONS = "audio.translations"

    @property
    def path(self) -> str:
        """Return its path under the base URL."""
        return "/" + self.value.replace(".", "/")


class Upload(Protocol):
    """A file that lies on disk or in memory, to be read in pieces, from its start each time."""

    @property
    def name(self) -> str:
        """The field's name."""
        ...

    @property
    def filename(self) -> str:
        """The file's name."""
        ...

    @property
    def content_type(self) -> str:
        """Its declared type."""
        ...

    @property
    def size(self) -> int:
        """Its bytes."""
        ...

    def pieces(self) -> AsyncIterator[bytes]:
        """Read it from its start."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A multipart body: fields in order (a name may come twice), then files."""

    fields: tuple[tuple[str, str], ...] = field(repr=False)
    files: tuple[Upload, ...] = field(repr=False)


Fields = Mapping[str, bytes]
"""A JSON object whose values stay the bytes they were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayCall:
    """One request. `ours` are fields we add, left out where a key or model refuses them.

    `safety_id` is a keyed hash of the person; the adapter knows who may be told it.
    """

    endpoint: Endpoint
    model: ModelId
    body: Fields | Form | None = field(repr=False)
    ours: Fields = field(default_factory=dict[str, bytes], repr=False)
    streams: bool = False
    safety_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayHead:
    """What may be told of the answer's head: headers that name no account and no server."""

    content_type: str
    headers: tuple[tuple[str, str], ...]
    request_id: str | None


Ended = Literal[Finish.COMPLETE, Finish.LENGTH, Finish.FILTERED]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayEnding:
    """How an answer ended. `usage` is `None` when the provider did not report it."""

    finish: Ended
    usage: Usage | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayBody:
    """A whole answer. `text` is what the model said in it, empty for pictures."""

    head: RelayHead
    data: bytes = field(repr=False)
    text: str = field(repr=False)
    ending: RelayEnding


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayPiece:
    """Events that came together, as the JSON they carry, and the text in them."""

    events: tuple[bytes, ...] = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayStream:
    """A streamed answer: pieces, then one `RelayEnding`; raises `StreamCut` instead of it.

    The first piece has come already. An event that only reports usage, which the client did
    not ask for, is not among them.
    """

    head: RelayHead
    parts: AsyncIterator[RelayPiece | RelayEnding] = field(repr=False)


RelayAnswer = RelayBody | RelayStream
OnRetry = Callable[[ProviderError], Awaitable[None]]
"""Told how a try ended, when another one is about to go out."""


class RelayProvider(Protocol):
    """Sends requests on."""

    def open(
        self, credential: Credential, call: RelayCall, on_retry: OnRetry
    ) -> AbstractAsyncContextManager[RelayAnswer]:
        """Send a request; leaving the context hangs up. Raises a `ProviderError` on entering."""
        ...
