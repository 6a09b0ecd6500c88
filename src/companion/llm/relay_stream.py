"""Reading a stream that goes on to the client: events pass as they are, and are counted.

The same rules as in `answer`: only a terminal event ends a stream, silence is counted in
events, and after the end of the answer a missing rest does no harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from companion.domain.conversation import Finish
from companion.domain.errors import ProviderBroken, ProviderError, ProviderTimedOut, StreamCut
from companion.domain.usage import Usage
from companion.llm.answer import LONGEST_ANSWER, Ended, Watchdog, finish_of
from companion.llm.chat import before_first_token
from companion.llm.chunks import read_error
from companion.llm.errors import UPSTREAM_ERRORS
from companion.llm.refusals import Refusal
from companion.llm.relay_chunks import ENDS, Relayed, decode_relayed, usage_in
from companion.llm.sse import DONE, EventReader
from companion.llm.timings import ProviderTimings
from companion.llm.watched_body import WatchedBody
from companion.ports.relay import RelayEnding, RelayPiece

LONGEST_EVENT: Final = 8 * 2**20
"""Bytes; a picture comes in one event."""

_LAST_BYTES_S: Final = 0.1
Translate = Callable[[BaseException], ProviderError]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How to read one stream. `single`: one finish reason ends it."""

    model: str
    request_id: str | None
    single: bool
    drops_usage: bool
    translate: Translate


class RelayedEvents:
    """The pieces of one stream as they come, then one ending.

    Raises `StreamCut`, its reason as the cause. No generator, which each event would have
    to pass.
    """

    def __init__(
        self,
        body: WatchedBody,
        watchdog: Watchdog,
        timings: ProviderTimings,
        reading: Reading,
    ) -> None:
        self._body = body
        self._watchdog = watchdog
        self._timings = timings
        self._reading = reading
        self._events = EventReader(LONGEST_EVENT)
        self._first: RelayPiece | RelayEnding | None = None
        self._finish: Ended | None = None
        self._ended = False
        self._done = False
        self._cut_by: StreamCut | None = None
        self._told = False
        self._usage: Usage | None = None
        self._length = 0

    async def begin(self) -> None:
        """Read as far as the first part, which then comes first; raises a `ProviderError`."""
        try:
            self._first = await anext(self)
        except StreamCut as cut:
            failure = before_first_token(cut)
        else:
            return
        raise failure

    def __aiter__(self) -> AsyncIterator[RelayPiece | RelayEnding]:
        """Return itself: a stream is read once."""
        return self

    async def __anext__(self) -> RelayPiece | RelayEnding:
        """Return the next part."""
        if (first := self._first) is not None:
            self._first = None
            return first
        while not self._done and self._cut_by is None:
            events: list[bytes] = []
            texts: list[str] = []
            self._cut_by = await self._advance(events, texts)
            if events:
                return RelayPiece(events=tuple(events), text="".join(texts))
        if self._told:
            raise StopAsyncIteration
        self._told = True
        if self._cut_by is not None and not self._ended:
            raise self._cut_by
        return RelayEnding(finish=self._finish or Finish.COMPLETE, usage=self._usage)

    async def _advance(self, events: list[bytes], texts: list[str]) -> StreamCut | None:
        """Read one piece; return why reading cannot go on."""
        try:
            self._read(await self._body.next_piece(), events, texts)
            if self._done:
                await self._read_last_bytes()
        except StreamCut as cut:
            return cut
        except ProviderError as error:
            return self._cut("error", error)
        except (*UPSTREAM_ERRORS, RecursionError) as error:
            failure = self._reading.translate(error)
            return self._cut(self._reason(failure), failure)
        return None

    def _read(self, piece: bytes, events: list[bytes], texts: list[str]) -> None:
        came = self._events.feed(piece) if piece else self._events.end()
        for data in came:
            self._take(data, events, texts)
        if not piece and not self._done:
            raise StreamCut(reason="eof", request_id=self._reading.request_id)
        if came:
            over = self._ended and self._reading.single
            self._watchdog.allow(
                self._timings.after_finish_s if over else self._timings.between_events_s
            )

    def _take(self, data: bytes, events: list[bytes], texts: list[str]) -> None:
        if data == DONE:
            self._done = True
            return
        event = decode_relayed(data)
        if event.failed:
            refusal = Refusal(
                body=read_error(event.error),
                model=self._reading.model,
                request_id=self._reading.request_id,
            )
            raise refusal.as_error()
        self._note(event, texts)
        if not (self._reading.drops_usage and event.only_reports):
            events.append(data)

    def _note(self, event: Relayed, texts: list[str]) -> None:
        self._usage = usage_in(event.usage) or self._usage
        if said := event.said:
            texts.append(said)
            self._length += len(said)
            if self._length > LONGEST_ANSWER:
                raise StreamCut(reason="too_long", request_id=self._reading.request_id)
        for choice in event.choices:
            if choice.finish_reason is not None:
                self._finish = finish_of(choice.finish_reason)
                self._ended = self._ended or self._reading.single
        self._ended = self._ended or event.type in ENDS

    async def _read_last_bytes(self) -> None:
        # read to its end, the connection can take the next request
        with suppress(*UPSTREAM_ERRORS):
            async with asyncio.timeout(_LAST_BYTES_S):
                await self._body.next_piece()

    def _cut(self, reason: str, cause: ProviderError) -> StreamCut:
        cut = StreamCut(
            reason=reason,
            status=cause.status,
            upstream_code=cause.upstream_code,
            upstream_type=cause.upstream_type,
            request_id=self._reading.request_id,
        )
        cut.__cause__ = cause
        return cut

    def _reason(self, failure: ProviderError) -> str:
        if isinstance(failure, ProviderTimedOut):
            return self._watchdog.reason
        return "garbage" if isinstance(failure, ProviderBroken) else "error"
