"""Transcriptions of any OpenAI-compatible provider, behind `SpeechProvider`.

One try: an upload is megabytes, and whoever sent it is asked anyway.
"""

from __future__ import annotations

from companion.domain.errors import ProviderError
from companion.domain.models import Credential
from companion.domain.usage import Usage
from companion.llm.breaker import Breakers
from companion.llm.chunks import SpeechUsage
from companion.llm.connection import Connection
from companion.llm.retrying import Retries
from companion.llm.timings import ProviderTimings
from companion.ports.speech import SpeechCall, Transcript


class OpenAISpeech:
    """The `SpeechProvider`; one for the process."""

    def __init__(
        self,
        connection: Connection,
        timings: ProviderTimings,
        *,
        retries: Retries,
        breakers: Breakers,
    ) -> None:
        self._connection = connection
        self._timings = timings
        self._retries = retries
        self._breakers = breakers

    async def transcribe(self, credential: Credential, call: SpeechCall) -> Transcript:
        """Send the recording once and return its text: see `SpeechProvider`."""
        self._retries.check(credential.fingerprint)
        self._retries.count()
        try:
            with self._breakers.watch(credential.base_url, call.model):
                heard = await self._connection.transcribe(
                    credential,
                    model=call.model,
                    file=(call.filename, call.data, call.media_type),
                    within_s=self._timings.transcribe_s,
                )
        except ProviderError as error:
            self._retries.heed(credential.fingerprint, error)
            raise
        return Transcript(text=heard.text, usage=_usage(heard.usage), request_id=heard.request_id)


def _usage(used: SpeechUsage | None) -> Usage | None:
    if used is None or used.input_tokens is None:
        return None
    counts = (used.input_tokens, used.output_tokens or 0)
    if min(counts) < 0:
        return None
    return Usage(prompt_tokens=counts[0], completion_tokens=counts[1])
