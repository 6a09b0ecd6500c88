"""Speech to text, as the services see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from companion.domain.models import Credential, ModelId
from companion.domain.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechCall:
    """One recording to write down. `filename` is ours: providers go by its ending."""

    model: ModelId
    filename: str
    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What was said. `usage` is `None` when the provider did not report it in tokens."""

    text: str = field(repr=False)
    usage: Usage | None = None
    request_id: str | None = None


class SpeechProvider(Protocol):
    """Transcribes recordings."""

    async def transcribe(self, credential: Credential, call: SpeechCall) -> Transcript:
        """Send the recording once and return its text; raises a `ProviderError`."""
        ...
