"""Sending an answer on, byte for byte, until it ends or the client has gone.

A stream that breaks after its first byte can't have another status any more: it ends with
an error event, and without `[DONE]`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from companion.api.errors import OPENAI, body_of, problem_of
from companion.api.hanging_up import HungUp, unless_hung_up
from companion.api.taking import parts_for
from companion.domain.errors import ProviderError
from companion.ports.relay import (
    RelayAnswer,
    RelayBody,
    RelayEnding,
    RelayHead,
    RelayStream,
)

Headers = Sequence[tuple[str, str]]
_DONE: Final = b"data: [DONE]\n\n"


class RelayResponse(Response):
    """An answer that is opened when it is sent, and cancelled upstream when the client goes."""

    def __init__(
        self,
        opened: AbstractAsyncContextManager[RelayAnswer],
        *,
        extra: Headers = (),
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        super().__init__()
        self._opened = opened
        self._extra = extra
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open and send; raises what opening raises, as long as nothing was sent."""
        try:
            with suppress(HungUp):
                await unless_hung_up(receive, self._send(send))
        finally:
            if self._close is not None:
                await self._close()

    async def _send(self, send: Send) -> None:
        async with self._opened as answer:
            if isinstance(answer, RelayStream):
                await self._send_stream(answer, send)
                return
        await self._send_whole(answer, send)

    async def _send_whole(self, answer: RelayBody, send: Send) -> None:
        size = ("content-length", str(len(answer.data)))
        await send(self._start(answer.head, size))
        await send({"type": "http.response.body", "body": answer.data})

    async def _send_stream(self, answer: RelayStream, send: Send) -> None:
        await send(self._start(answer.head, ("cache-control", "no-store")))
        async with parts_for(send) as send_part:
            try:
                async for part in answer.parts:
                    ends = isinstance(part, RelayEnding)
                    data = _DONE if ends else b"".join([b"data: %b\n\n" % e for e in part.events])
                    await send_part(data)
            except ProviderError as cut:
                _, error = body_of(problem_of(cut), OPENAI)
                await send_part(b"data: %b\n\n" % error)
        await send({"type": "http.response.body", "body": b""})

    def _start(self, head: RelayHead, own: tuple[str, str]) -> dict[str, object]:
        headers = [("content-type", head.content_type), own, *head.headers, *self._extra]
        if head.request_id is not None:
            headers.append(("x-request-id", head.request_id))
        return {
            "type": "http.response.start",
            "status": 200,
            "headers": [(name.encode("latin-1"), _plain(value)) for name, value in headers],
        }


def _plain(value: str) -> bytes:
    """Return a header's value as bytes that no line can break."""
    return "".join(c for c in value if c.isprintable()).encode("latin-1", errors="ignore")
