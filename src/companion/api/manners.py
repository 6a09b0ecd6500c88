"""What is refused before any route looks at a request, and how long a request may be."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Final

from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from companion.api.errors import OPENAI, Problem, problem_of, response
from companion.domain.api_errors import TokenRejected
from companion.domain.errors import CompanionError, Draining
from companion.services.tokens import TokensService

BODY_CAP: Final = 1024 * 1024
UPLOAD_CAP: Final = 65 * 1024 * 1024
"""Forms bound their files themselves, at 64 MiB; this is what may be around them, too."""
UPLOADS: Final = (f"{OPENAI}/audio/", f"{OPENAI}/images/edits")
MOST_HEADERS: Final = 100
HEADER_BYTES: Final = 32 * 1024
SWALLOWED: Final = 8 * 1024 * 1024
"""How much of a body that is too large is still read, so that the client gets to our answer."""
ALWAYS_OPEN: Final = frozenset({"/livez", "/readyz", "/metrics", "/docs", "/openapi.json"})
FOR_OPERATORS: Final = frozenset({"/metrics", "/docs", "/openapi.json"})
_CLOSE: Final = {"Connection": "close"}
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})


class Manners:
    """Caps, one spelling of each path, and no work while the process is stopping."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        draining: Callable[[], bool],
        tokens: TokensService,
        guarded: bool,
    ) -> None:
        self._app = app
        self._draining = draining
        self._tokens = tokens
        self._guarded = guarded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or say what is wrong with it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if len(path) > 1 and path.endswith("/"):
            path = scope["path"] = path[:-1]
            scope["raw_path"] = scope["raw_path"].removesuffix(b"/")
        try:
            counted = await self._checked(scope, path, receive)
        except Problem as problem:
            await response(problem, path)(scope, receive, send)
        except CompanionError as error:
            await response(problem_of(error), path)(scope, receive, send)
        else:
            await self._app(scope, counted, send)

    async def _checked(self, scope: Scope, path: str, receive: Receive) -> Receive:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        size = sum(len(name) + len(value) for name, value in headers)
        if len(headers) > MOST_HEADERS or size > HEADER_BYTES:
            raise Problem(431, "The request has too many headers.", extra=_CLOSE)
        if self._draining() and path not in ALWAYS_OPEN:
            raise Draining
        if self._guarded and path in FOR_OPERATORS:
            await self._check_operator(scope)
        given = Headers(scope=scope)
        if given.get("content-encoding", "identity").lower() != "identity":
            raise Problem(415, "Compressed requests are not read: send the body as it is.")
        cap = UPLOAD_CAP if path.startswith(UPLOADS) else BODY_CAP
        declared = given.get("content-length", "0")
        if declared.isdigit() and int(declared) > cap:
            if int(declared) <= SWALLOWED and "expect" not in given:
                await _swallow(receive)
            raise _too_large(cap)
        return _counting(receive, cap)

    async def _check_operator(self, scope: Scope) -> None:
        """Ask for a token where other machines can reach these pages."""
        if scope["client"] is not None and scope["client"][0] in LOOPBACK:
            return
        try:
            await self._tokens.authenticate(presented(Headers(scope=scope)))
        except TokenRejected as error:
            problem = problem_of(error)
            # a browser asks for a name and a password then; the password is the token
            problem.extra["WWW-Authenticate"] = 'Basic realm="Companion token as password"'
            raise problem from error


def presented(headers: Headers) -> str:
    """Return the token of a request, or nothing: as a bearer, or as a password."""
    scheme, given = get_authorization_scheme_param(headers.get("authorization"))
    if scheme.lower() == "bearer":
        return given
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(given, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def _counting(receive: Receive, cap: int) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > cap:
                raise _too_large(cap)
        return message

    return counted


async def _swallow(receive: Receive) -> None:
    while (message := await receive())["type"] == "http.request":
        if not message.get("more_body"):
            return


def _too_large(cap: int) -> Problem:
    return Problem(
        413,
        f"The request is larger than {cap // (1024 * 1024)} MiB.",
        extra=_CLOSE,
    )
