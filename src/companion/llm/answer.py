"""Reading one answer, streamed or whole.

Only a terminal mark ends an answer: a `finish_reason`, or `[DONE]`. After a
`finish_reason` the answer is whole, whatever happens while usage is still awaited;
before it, every way of stopping is a cut. Silence is counted in events, so that
keep-alive comments do not hide a stalled model.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import aiohttp

from companion.domain.conversation import Finish
from companion.domain.errors import ProviderBroken, ProviderError, ProviderTimedOut, StreamCut
from companion.domain.usage import Usage
from companion.llm.chunks import decode_chunk, read_error, read_usage
from companion.llm.connection import LARGEST_BODY
from companion.llm.errors import UPSTREAM_ERRORS, translate, translated
from companion.llm.reading_pace import ReadingPace
from companion.llm.refusals import Refusal
from companion.llm.sse import DONE, EventReader
from companion.llm.timings import ProviderTimings
from companion.llm.transport import next_piece, read_bounded

LONGEST_ANSWER: Final = 1_000_000
"""Characters. No model writes as much; a broken server might."""

_LAST_BYTES_S: Final = 0.1
Ended = Literal[Finish.COMPLETE, Finish.LENGTH, Finish.FILTERED]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The end of an answer."""

    finish: Ended
    usage: Usage | None


class Watchdog:
    """The moment (loop time) until which the next event must come."""

    def __init__(self, timings: ProviderTimings, *, streaming: bool) -> None:
        self._now = asyncio.get_running_loop().time
        self._end = self._now() + timings.total_s
        first = timings.first_event_s if streaming else timings.whole_answer_s
        self.deadline = min(self._now() + first, self._end)

    def allow(self, seconds: float) -> None:
        """Grant the next event that long from now, within the limit on the whole answer."""
        self.deadline = min(self._now() + seconds, self._end)

    @property
    def reason(self) -> str:
        """Why the deadline passed."""
        return "too_long" if self._now() >= self._end else "idle"


class StreamedAnswer:
    """An answer that comes in events."""

    def __init__(
        self,
        answer: aiohttp.ClientResponse,
        watchdog: Watchdog,
        timings: ProviderTimings,
        *,
        model: str,
        now: datetime,
    ) -> None:
        self._answer = answer
        self._request_id = answer.headers.get("x-request-id")
        self._watchdog = watchdog
        self._timings = timings
        self._model = model
        self._now = now
        self._events = EventReader()
        self._finish: Ended | None = None
        self._usage: Usage | None = None
        self._done = False
        self._length = 0

    async def parts(self, pace: ReadingPace) -> AsyncGenerator[str | Ending]:
        """Yield pieces of text, then one `Ending`; raises `StreamCut`, its reason as the cause."""
        with pace.stream() as pauses:
            while not self._done:
                texts: list[str] = []
                cut = await self._advance(texts)
                if text := "".join(texts):
                    yield text
                if cut is not None:
                    if self._finish is None:
                        raise cut
                    break
                if text and self._finish is None:
                    await pauses.rest(self._answer)
        yield Ending(finish=self._finish or Finish.COMPLETE, usage=self._usage)

    async def _advance(self, texts: list[str]) -> StreamCut | None:
        """Read one piece, adding its text to `texts`; return why reading cannot go on."""
        try:
            await self._read_piece(texts)
        except StreamCut as cut:
            return cut
        except ProviderError as error:
            return self._cut("error", error)
        except UPSTREAM_ERRORS as error:
            failure = translate(error, model=self._model, now=self._now)
            return self._cut(self._reason(failure), failure)
        return None

    async def _read_piece(self, texts: list[str]) -> None:
        async with asyncio.timeout_at(self._watchdog.deadline):
            piece = await next_piece(self._answer)
        events = self._events.feed(piece) if piece else self._events.end()
        for data in events:
            self._take(data, texts)
        if self._done:
            await self._read_last_bytes()
        elif not piece:
            raise StreamCut(reason="eof", request_id=self._request_id)
        elif events:
            ended = self._finish is not None
            wait_s = self._timings.after_finish_s if ended else self._timings.between_events_s
            self._watchdog.allow(wait_s)

    def _take(self, data: bytes, texts: list[str]) -> None:
        if data == DONE:
            self._done = True
            return
        chunk = decode_chunk(data)
        if chunk.failed:
            body = read_error(chunk.error)
            raise Refusal(body=body, model=self._model, request_id=self._request_id).as_error()
        self._usage = read_usage(chunk.usage) or self._usage
        for choice in chunk.choices:
            if choice.delta is not None:
                self._add(choice.delta.content or choice.delta.refusal, texts)
            if choice.finish_reason is not None:
                self._finish = finish_of(choice.finish_reason)

    def _add(self, text: str | None, texts: list[str]) -> None:
        if not text:
            return
        texts.append(text)
        self._length += len(text)
        if self._length > LONGEST_ANSWER:
            raise StreamCut(reason="too_long", request_id=self._request_id)

    async def _read_last_bytes(self) -> None:
        # the end of the body follows at once; read, it leaves the connection for the next request
        if self._answer.content.at_eof():
            return
        with suppress(*UPSTREAM_ERRORS):
            async with asyncio.timeout(_LAST_BYTES_S):
                await next_piece(self._answer)

    def _cut(self, reason: str, cause: ProviderError) -> StreamCut:
        cut = StreamCut(
            reason=reason,
            status=cause.status,
            upstream_code=cause.upstream_code,
            request_id=self._request_id,
        )
        cut.__cause__ = cause
        return cut

    def _reason(self, failure: ProviderError) -> str:
        if isinstance(failure, ProviderTimedOut):
            return self._watchdog.reason
        return "garbage" if isinstance(failure, ProviderBroken) else "error"


async def whole_parts(
    answer: aiohttp.ClientResponse, watchdog: Watchdog, *, model: str, now: datetime
) -> AsyncGenerator[str | Ending]:
    """Yield the text of an answer that comes in one JSON object, then its `Ending`."""

    async def read() -> bytes:
        async with asyncio.timeout_at(watchdog.deadline):
            return await read_bounded(answer, LARGEST_BODY)

    async def decode() -> tuple[str, Ending]:
        chunk = decode_chunk(await read())
        if chunk.failed:
            raise Refusal(body=read_error(chunk.error), model=model).as_error()
        choice = chunk.choices[0] if chunk.choices else None
        if choice is None or choice.message is None:
            raise ProviderBroken
        text = choice.message.content or choice.message.refusal or ""
        finish = finish_of(choice.finish_reason or "")
        return text, Ending(finish=finish, usage=read_usage(chunk.usage))

    text, ending = await translated(decode(), model=model, now=now)
    if text:
        yield text
    yield ending


def finish_of(reason: str) -> Ended:
    """Return what a `finish_reason` means; a reason we do not know still ends the answer."""
    if reason == "length":
        return Finish.LENGTH
    return Finish.FILTERED if reason == "content_filter" else Finish.COMPLETE
