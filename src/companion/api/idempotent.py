"""`Idempotency-Key`: a POST that is sent again gets the answer of the first one.

Only whole answers that succeeded are kept. After a failure, and for an answer that
streams, the key is given back at the end and the request may be made again.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Final

import msgspec
import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from companion.api.errors import Problem, problem_of, response
from companion.api.manners import presented
from companion.domain.api_errors import TokenRejected
from companion.domain.errors import CompanionError, StorageError
from companion.ports.idempotency import IdempotencyId
from companion.services.idempotency import IdempotencyService
from companion.services.tokens import TokensService

log = structlog.get_logger()

HEADER: Final = "idempotency-key"
LONGEST_KEY: Final = 255
LARGEST_KEPT: Final = 8 * 1024 * 1024
_SUCCESS: Final = range(200, 300)
_NOT_KEPT: Final = {"connection", "date", "server", "x-request-id", "transfer-encoding"}


class _Kept(msgspec.Struct):
    status: int
    headers: list[tuple[str, str]]
    body: str


class Idempotent:
    """Answers repeated posts from what was kept, for a day, per token and route."""

    def __init__(
        self, app: ASGIApp, *, idempotency: IdempotencyService, tokens: TokensService
    ) -> None:
        self._app = app
        self._idempotency = idempotency
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it as before."""
        if scope["type"] == "http" and scope["method"] == "POST":
            headers = Headers(scope=scope)
            if HEADER in headers:
                await self._keyed(headers, scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _keyed(self, headers: Headers, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        try:
            key = await self._key(headers, path)
            body = await _whole(receive) if key else None
            if key is None or body is None:  # the route says what is wrong with the token
                await self._app(scope, receive, send)
                return
            body_hash = self._idempotency.body_hash(body)
            kept = await self._idempotency.claim(key, body_hash)
        except Problem as problem:
            await response(problem, path)(scope, receive, send)
            return
        except CompanionError as error:
            await response(problem_of(error), path)(scope, receive, send)
            return
        if kept is not None:
            await _replay(kept, send)
            return
        await self._first(key, body_hash, _Request(scope, receive, send, body))

    async def _key(self, headers: Headers, path: str) -> IdempotencyId | None:
        chosen = headers[HEADER]
        if not 0 < len(chosen) <= LONGEST_KEY or not chosen.isascii() or not chosen.isprintable():
            raise Problem(400, f"Idempotency-Key has to be 1 to {LONGEST_KEY} plain characters.")
        try:
            token = await self._tokens.authenticate(presented(headers))
        except TokenRejected:
            return None
        return self._idempotency.name(token.id.hex, path, chosen)

    async def _first(self, key: IdempotencyId, body_hash: str, request: _Request) -> None:
        recorder = _Recorder(request.send)
        kept = False
        try:
            await self._app(request.scope, request.receive, recorder.send)
            if recorder.keeps:
                await self._idempotency.keep(key, body_hash, recorder.text())
                kept = True
        except StorageError as error:
            log.warning("answer_not_kept", reason=error.code)
        finally:
            if not kept:
                await self._release(key)
        await recorder.flush()

    async def _release(self, key: IdempotencyId) -> None:
        try:
            await self._idempotency.release(key)
        except StorageError as error:
            log.warning("key_not_released", reason=error.code)


class _Request:
    """A request whose body was read already."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
        self.scope = scope
        self.send = send
        self._receive = receive
        self._body: bytes | None = body

    async def receive(self) -> Message:
        """Give the body again, then whatever comes from the client."""
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


class _Recorder:
    """Holds an answer back until it is whole; what streams or is large passes through."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._messages: list[Message] = []
        self._passes = False
        self._size = 0

    @property
    def keeps(self) -> bool:
        """Whether this is a whole answer that succeeded."""
        messages = self._messages
        return bool(messages) and not messages[-1].get("more_body") and self._status in _SUCCESS

    @property
    def _status(self) -> int:
        return int(self._messages[0]["status"])

    async def send(self, message: Message) -> None:
        """Take a message of the answer."""
        if self._passes:
            await self._send(message)
            return
        self._messages.append(message)
        if message["type"] == "http.response.start":
            kind = Headers(raw=message["headers"]).get("content-type", "")
            self._passes = kind.startswith("text/event-stream")
        self._size += len(message.get("body", b""))
        if self._passes or self._size > LARGEST_KEPT:
            self._passes = True
            await self.flush()

    async def flush(self) -> None:
        """Send what was held back."""
        messages, self._messages = self._messages, []
        for message in messages:
            await self._send(message)

    def text(self) -> str:
        """Return the answer as it is kept."""
        body = b"".join(message.get("body", b"") for message in self._messages[1:])
        headers = Headers(raw=self._messages[0]["headers"]).items()
        kept = _Kept(
            status=self._status,
            headers=[(name, value) for name, value in headers if name not in _NOT_KEPT],
            body=b64encode(body).decode(),
        )
        return msgspec.json.encode(kept).decode()


async def _whole(receive: Receive) -> bytes | None:
    """Return the body; `None` when the client hung up."""
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


async def _replay(text: str, send: Send) -> None:
    kept = msgspec.json.decode(text, type=_Kept)
    start: Message = {"type": "http.response.start", "status": kept.status, "headers": []}
    headers = MutableHeaders(scope=start)
    for name, value in kept.headers:
        headers[name] = value
    headers["Idempotent-Replayed"] = "true"
    await send(start)
    await send({"type": "http.response.body", "body": b64decode(kept.body)})
