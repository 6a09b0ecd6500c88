"""Having a recording written down: a request to the provider like any other.

It is let in, paid for and logged on its own, before the question that it belongs to.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from companion.domain.errors import ModelUnavailable, ProviderError, StorageError
from companion.domain.file_errors import SpeechEmpty, SpeechUnavailable
from companion.domain.files import AudioFile, TextFile, TextSource
from companion.domain.models import ModelId
from companion.domain.money import ReservationId
from companion.ports.clock import Clock
from companion.ports.llm import PriceList
from companion.ports.speech import SpeechCall, SpeechProvider, Transcript
from companion.ports.store import CallEnd, CallId, CallStart, CallStatus, Store
from companion.services import secret_scan
from companion.services.admission import Admission
from companion.services.budgets import MOST_HEARD, Bill, Budgets
from companion.services.job import Job
from companion.services.payers import Payers, Paying

ENDPOINT = "audio.transcriptions"
SPEECH_MODEL: Final = ModelId("gpt-transcribe")

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Heard:
    """What came of a request, as far as it went."""

    asked: float
    transcript: Transcript | None = None
    error: ProviderError | None = None


class Listener:
    """Writes down what is said in recordings."""

    def __init__(
        self,
        *,
        store: Store,
        speech: SpeechProvider,
        admission: Admission,
        payers: Payers,
        prices: PriceList,
        clock: Clock,
        budgets: Budgets,
        keeps_contents: bool,
    ) -> None:
        self._store = store
        self._speech = speech
        self._admission = admission
        self._payers = payers
        self._prices = prices
        self._clock = clock
        self._budgets = budgets
        self._keeps_contents = keeps_contents

    async def listen(self, audio: AudioFile, job: Job, paying: Paying) -> TextFile:
        """Return a recording's words.

        Raises `SpeechEmpty`, `SpeechUnavailable`, `SecretInPrompt`, a `TryLater`, `BudgetRefused`,
        `ProviderError` or `StorageError`.
        """
        async with self._admission.admit(job.actor, job.place, paying.credential):
            try:
                transcript = await self._transcribed(audio, job, paying)
            except ModelUnavailable as error:
                # to choose another chat model, as is said otherwise, would not help
                raise SpeechUnavailable(name=audio.name) from error
        text = transcript.text.strip()
        if not text:
            raise SpeechEmpty(name=audio.name)
        secret_scan.check(text)
        return TextFile(name=audio.name, text=text, characters=len(text), source=TextSource.SPEECH)

    async def _transcribed(self, audio: AudioFile, job: Job, paying: Paying) -> Transcript:
        call = SpeechCall(
            model=SPEECH_MODEL,
            filename=f"speech.{audio.suffix}",
            media_type=audio.media_type,
            data=audio.data,
        )
        bill = self._budgets.bill(paying, job.place.guild_id, SPEECH_MODEL, MOST_HEARD)
        call_id = await self._begin(audio, job, paying, bill)
        heard = _Heard(asked=self._clock.monotonic())
        try:
            heard.transcript = await self._speech.transcribe(paying.credential, call)
        except ProviderError as error:
            heard.error = error
            raise
        finally:
            # a row that was begun gets its end, also when the question is taken back
            await asyncio.shield(self._end(call_id, paying, heard, bill))
        return heard.transcript

    async def _begin(self, audio: AudioFile, job: Job, paying: Paying, bill: Bill | None) -> CallId:
        credential = paying.credential
        call_id = CallId(uuid4())
        async with self._store.write() as unit:
            person = await unit.people.ensure(job.actor)
            await self._budgets.hold(unit, ReservationId(call_id), bill, person)
            await unit.provider_log.start(
                CallStart(
                    id=call_id,
                    turn_id=None,
                    conversation_id=None,
                    person_id=person,
                    guild_id=job.place.guild_id,
                    channel_id=job.place.channel_id,
                    door=job.door,
                    endpoint=ENDPOINT,
                    model=SPEECH_MODEL,
                    payer=credential.payer,
                    fingerprint=credential.fingerprint,
                    started_at=self._clock.now(),
                    request_text=f"[speech: {audio.name}]" if self._keeps_contents else None,
                )
            )
        return call_id

    async def _end(self, call_id: CallId, paying: Paying, heard: _Heard, bill: Bill | None) -> None:
        end = self._call_end(paying, heard)
        try:
            async with self._store.write() as unit:
                await self._budgets.settle(unit, ReservationId(call_id), bill, end.cost_micros)
                await unit.provider_log.end(call_id, end)
                if heard.transcript or heard.error:
                    await self._payers.learn(unit, paying, heard.error)
        except StorageError as lost:
            _log.warning("transcription_not_logged", extra={"reason": lost.code})

    def _call_end(self, paying: Paying, heard: _Heard) -> CallEnd:
        transcript, error = heard.transcript, heard.error
        source = transcript or error
        usage = transcript and transcript.usage
        base_url = paying.credential.base_url
        return CallEnd(
            status=_status(heard),
            ended_at=self._clock.now(),
            latency_ms=round((self._clock.monotonic() - heard.asked) * 1000),
            usage=usage,
            cost_micros=usage and self._prices.cost(SPEECH_MODEL, usage, base_url),
            error_code=error and error.code,
            http_status=error and error.status,
            request_id=source and source.request_id,
            response_text=transcript.text if transcript and self._keeps_contents else None,
        )


def _status(heard: _Heard) -> CallStatus:
    if heard.transcript is not None:
        return CallStatus.OK
    return CallStatus.FAILED if heard.error is not None else CallStatus.STOPPED
