"""A provider's routes as they are, behind `RelayProvider`.

Requests go past the SDK, which would parse and rebuild what only passes through. JSON
requests are tried again where nobody answered or the server broke; a provider that says
"later" is quoted at once, since the client has its own patience.
"""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from typing import Final

import aiohttp

from companion.domain.errors import (
    ProviderBroken,
    ProviderOverloaded,
    ProviderRateLimited,
    ProviderUnreachable,
)
from companion.domain.models import Credential
from companion.llm.adaptation import Adaptations, Quirk, Quirks
from companion.llm.answer import Watchdog
from companion.llm.breaker import Breakers
from companion.llm.chat import plainly
from companion.llm.connection import Connection, Message
from companion.llm.endpoints import is_openai
from companion.llm.error_answers import REFUSAL, refusal_of
from companion.llm.errors import translate, translated
from companion.llm.refusals import FieldRefused
from companion.llm.relay_body import form_message, json_message
from companion.llm.relay_stream import Reading, RelayedEvents
from companion.llm.relay_whole import whole_answer
from companion.llm.retrying import LONGEST_BACKOFF_S, Retries, rule_for
from companion.llm.timings import ProviderTimings
from companion.llm.watched_body import WatchedBody
from companion.ports.clock import Clock
from companion.ports.relay import (
    Endpoint,
    Fields,
    Form,
    OnRetry,
    RelayAnswer,
    RelayCall,
    RelayHead,
    RelayStream,
)

_TOLD: Final = ("retry-after", "retry-after-ms", "openai-processing-ms")
_NOTHING: Final = Message(body=None)
_QUIRKS: Final = {
    "stream_options": Quirk.NO_STREAM_OPTIONS,
    "store": Quirk.NO_STORE,
    "safety_identifier": Quirk.NO_SAFETY_ID,
}
"""What makes us leave out a field of ours."""


class OpenAIRelay:
    """The `RelayProvider`; one for the process."""

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
        self._retries = retries
        self._breakers = breakers

    @asynccontextmanager
    async def open(
        self, credential: Credential, call: RelayCall, on_retry: OnRetry
    ) -> AsyncGenerator[RelayAnswer]:
        """Send a request: see `RelayProvider`."""
        async with AsyncExitStack() as stack:
            yield await self._patiently(stack, credential, call, on_retry)

    async def _patiently(
        self, stack: AsyncExitStack, credential: Credential, call: RelayCall, on_retry: OnRetry
    ) -> RelayAnswer:
        """Try until there is an answer, or no try is left."""
        self._retries.check(credential.fingerprint)
        self._retries.count()
        tries = 0
        while True:
            try:
                return await self._adapted(stack, credential, call, on_retry)
            except (ProviderRateLimited, ProviderOverloaded) as error:
                self._retries.heed(credential.fingerprint, error)
                raise
            except (ProviderUnreachable, ProviderBroken) as error:
                failure = error
            rule = rule_for(failure)
            if isinstance(call.body, Form) or tries >= rule.retries or not self._retries.spend():
                raise failure
            longest = min(LONGEST_BACKOFF_S, rule.backoff_s * 2**tries)
            await self._clock.sleep(random.uniform(0, longest))  # noqa: S311 — guards nothing
            await on_retry(failure)
            tries += 1

    async def _adapted(
        self, stack: AsyncExitStack, credential: Credential, call: RelayCall, on_retry: OnRetry
    ) -> RelayAnswer:
        """Ask until nothing of ours is left to leave out."""
        while True:
            quirks = self._adaptations.of(credential, call.model)
            ours = _ours(call, credential, quirks)
            try:
                with self._breakers.watch(credential.base_url, call.model):
                    return await self._ask(stack, credential, call, ours)
            except FieldRefused as refused:
                known = refused.field in ours and self._adaptations.learn(
                    credential, call.model, refused.field, quirks
                )
                plain = plainly(refused)
            if not known:
                raise plain
            await on_retry(plain)

    async def _ask(
        self, stack: AsyncExitStack, credential: Credential, call: RelayCall, ours: Fields
    ) -> RelayAnswer:
        """Send one request and read its answer: whole, or as far as the first event."""
        watchdog = Watchdog(self._timings, streaming=call.streams)
        async with AsyncExitStack() as opening:
            answer = await opening.enter_async_context(
                self._connection.open_plain(
                    credential,
                    "GET" if call.body is None else "POST",
                    call.endpoint.path,
                    _message(call, ours),
                    deadline=watchdog.deadline,
                )
            )
            if answer.status >= REFUSAL:
                raise await refusal_of(
                    answer, model=call.model, deadline=watchdog.deadline, now=self._clock.now()
                )
            head = _head(answer)
            if head.content_type.partition(";")[0] != "text/event-stream":
                whole = whole_answer(answer, head, call, watchdog)
                return await translated(whole, model=call.model, now=self._clock.now())
            reading = self._reading(call, ours, head.request_id)
            body = opening.enter_context(closing(WatchedBody(answer, watchdog)))
            events = RelayedEvents(body, watchdog, self._timings, reading)
            await events.begin()
            stack.push_async_callback(opening.pop_all().aclose)
            return RelayStream(head=head, parts=events)

    def _reading(self, call: RelayCall, ours: Fields, request_id: str | None) -> Reading:
        return Reading(
            model=call.model,
            request_id=request_id,
            single=_is_single(call),
            drops_usage="stream_options" in ours,
            translate=lambda error: translate(error, model=call.model, now=self._clock.now()),
        )


def _ours(call: RelayCall, credential: Credential, quirks: Quirks) -> Fields:
    """Return the fields we add for that key and model."""
    wanted = dict(call.ours)
    if call.safety_id is not None and is_openai(credential.base_url):
        wanted["safety_identifier"] = b'"' + call.safety_id.encode() + b'"'
    return {name: value for name, value in wanted.items() if _QUIRKS.get(name) not in quirks}


def _message(call: RelayCall, ours: Fields) -> Message:
    if call.body is None:
        return _NOTHING
    return form_message(call.body) if isinstance(call.body, Form) else json_message(call.body, ours)


def _head(answer: aiohttp.ClientResponse) -> RelayHead:
    headers = tuple(
        (name.lower(), value)
        for name, value in answer.headers.items()
        if name.lower() in _TOLD or name.lower().startswith("x-ratelimit-")
    )
    return RelayHead(
        content_type=answer.headers.get("content-type", ""),
        headers=headers,
        request_id=answer.headers.get("x-request-id"),
    )


def _is_single(call: RelayCall) -> bool:
    """Say whether the answer has one choice, so that one finish reason ends it."""
    if not isinstance(call.body, dict):
        return call.endpoint is not Endpoint.IMAGE_EDITS
    several = call.body.get("n", b"1") not in {b"1", b"null"}
    return not several and not call.body.get("prompt", b"").startswith(b"[")
