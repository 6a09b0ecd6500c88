"""Chat completions of any OpenAI-compatible provider, behind `ChatProvider`.

A call is tried until it brings its first token: a refused field is left out and the
request goes again at once, a passing failure is retried as `retrying` says. From the
first token on it is one answer, whole or cut.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from companion.domain.errors import (
    ProviderBroken,
    ProviderError,
    ProviderTimedOut,
    ProviderUnreachable,
    RequestRejected,
    StreamCut,
)
from companion.domain.models import Credential
from companion.llm.adaptation import Adaptations, Quirk, Quirks, chat_fields, noticed
from companion.llm.answer import Ending, StreamedAnswer, Watchdog, whole_parts
from companion.llm.breaker import Breakers
from companion.llm.connection import Connection, Message
from companion.llm.error_answers import REFUSAL, refusal_of
from companion.llm.reading_pace import ReadingPace
from companion.llm.refusals import FieldRefused
from companion.llm.retrying import Retries
from companion.llm.timings import ProviderTimings
from companion.llm.transport import as_body
from companion.ports.clock import Clock
from companion.ports.llm import (
    ChatCall,
    ChatEnded,
    ProviderEvent,
    TextDelta,
    WaitingToRetry,
)

PATH: Final = "/chat/completions"
_HEADERS: Final = (("Content-Type", "application/json"), ("Accept", "*/*"))
_STREAMS: Final = {"text/event-stream", "text/plain", ""}


@dataclass(slots=True, kw_only=True)
class _Opened:
    """An answer whose first part is here. Closing `resources` hangs up."""

    first: str | Ending
    rest: AsyncGenerator[str | Ending]
    request_id: str | None
    quirks: Quirks
    resources: AsyncExitStack


class OpenAIChat:
    """The `ChatProvider`; one for the process."""

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        timings: ProviderTimings,
        *,
        retries: Retries,
        breakers: Breakers,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._timings = timings
        self._adaptations = Adaptations()
        self._pace = ReadingPace()
        self._retries = retries
        self._breakers = breakers

    @asynccontextmanager
    async def stream_chat(
        self, credential: Credential, call: ChatCall
    ) -> AsyncGenerator[AsyncIterator[ProviderEvent]]:
        """Run a chat completion: see `ChatProvider`."""
        async with aclosing(self._events(credential, call)) as events:
            yield events

    async def check_key(self, credential: Credential) -> None:
        """Ask for the list of models, once: see `ChatProvider`."""
        await self._connection.list_models(credential, within_s=self._timings.check_key_s)

    async def _events(
        self, credential: Credential, call: ChatCall
    ) -> AsyncGenerator[ProviderEvent]:
        tries = self._retries.begin(credential.fingerprint)
        opened: _Opened | None = None
        async for attempt in tries.attempts():
            if tries.wait_s > 0 or tries.failed is not None:
                yield WaitingToRetry(wait_s=tries.wait_s, failed=tries.failed)
                await self._clock.sleep(tries.wait_s)
            with attempt:
                opened = await self._open(credential, call)
        assert opened is not None
        async with opened.resources:
            part = opened.first
            while isinstance(part, str):
                yield TextDelta(text=part)
                part = await anext(opened.rest)
        yield ChatEnded(
            finish=part.finish,
            usage=part.usage,
            request_id=opened.request_id,
            adaptations=noticed(call, opened.quirks),
        )

    async def _open(self, credential: Credential, call: ChatCall) -> _Opened:
        """Ask until nothing is left to leave out."""
        while True:
            quirks = self._adaptations.of(credential, call.model)
            try:
                with self._breakers.watch(credential.base_url, call.model):
                    return await self._ask(credential, call, quirks)
            except FieldRefused as refused:
                if not self._adaptations.learn(credential, call.model, refused.field, quirks):
                    raise plainly(refused) from None

    async def _ask(self, credential: Credential, call: ChatCall, quirks: Quirks) -> _Opened:
        """Send one request and read as far as its first token, or its end."""
        watchdog = Watchdog(self._timings, streaming=Quirk.NO_STREAM not in quirks)
        fields = chat_fields(call, quirks, credential.base_url)
        async with AsyncExitStack() as stack:
            response = await stack.enter_async_context(
                self._connection.open_plain(
                    credential, "POST", PATH, _message(fields), deadline=watchdog.deadline
                )
            )
            if response.status >= REFUSAL:
                raise await refusal_of(
                    response, model=call.model, deadline=watchdog.deadline, now=self._clock.now()
                )
            parts = self._parts(response, watchdog, call)
            await stack.enter_async_context(aclosing(parts))
            return _Opened(
                first=await _first(parts),
                rest=parts,
                request_id=response.headers.get("x-request-id"),
                quirks=quirks,
                resources=stack.pop_all(),
            )

    def _parts(
        self, response: aiohttp.ClientResponse, watchdog: Watchdog, call: ChatCall
    ) -> AsyncGenerator[str | Ending]:
        now = self._clock.now()
        kind = response.headers.get("content-type", "").partition(";")[0]
        if kind == "application/json":  # some servers ignore `stream` and answer whole
            return whole_parts(response, watchdog, model=call.model, now=now)
        if kind not in _STREAMS:
            raise ProviderBroken(status=response.status)
        answer = StreamedAnswer(response, watchdog, self._timings, model=call.model, now=now)
        return answer.parts(self._pace)


def _message(fields: Mapping[str, Any]) -> Message:
    # half a surrogate pair, which no text of UTF-8 can hold, becomes a question mark
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return Message(body=as_body(text.encode("utf-8", "replace")), headers=_HEADERS)


async def _first(parts: AsyncGenerator[str | Ending]) -> str | Ending:
    """Return the first part; a cut before it is an ordinary failure."""
    try:
        return await anext(parts)
    except StreamCut as cut:
        failure = before_first_token(cut)
    raise failure


def before_first_token(cut: StreamCut) -> ProviderError:
    """Return what a cut is when nothing had come yet: an ordinary failure."""
    if isinstance(cut.__cause__, ProviderError):
        return cut.__cause__
    match cut.reason:
        case "eof":
            return ProviderUnreachable(request_id=cut.request_id)
        case "idle" | "too_long":
            return ProviderTimedOut(request_id=cut.request_id)
        case _:
            return ProviderBroken(request_id=cut.request_id)


def plainly(refused: FieldRefused) -> RequestRejected:
    """Return the refusal of a field that nothing can be done about."""
    return RequestRejected(
        status=refused.status,
        upstream_code=refused.upstream_code,
        upstream_type=refused.upstream_type,
        upstream_param=refused.upstream_param,
        request_id=refused.request_id,
    )
