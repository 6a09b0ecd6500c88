"""What every answer carries, whatever it is: an id, the limits that are left, a measurement.

Raw ASGI, as all middlewares here: Starlette's base class costs a task per request.
"""

from __future__ import annotations

import time
from collections.abc import MutableMapping
from typing import Any, Final
from uuid import uuid4

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from companion.api.auth import SPEAKS_FOR
from companion.api.errors import REQUEST_ID, Problem, response
from companion.api.metrics import Metrics
from companion.ports.limits import Bucket, Limiter, LimitScope

log = structlog.get_logger()

REQUEST_ID_KEY: Final = "companion.request_id"


class Envelope:
    """The outermost layer, and the HTTP door's last resort."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, limiter: Limiter) -> None:
        self._app = app
        self._metrics = metrics
        self._limiter = limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request with a fresh id."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope[REQUEST_ID_KEY] = uuid4().hex
        status, began = 0, time.perf_counter()

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                await self._mark(scope, message, request_id)
            await send(message)

        try:
            with structlog.contextvars.bound_contextvars(request_id=request_id):
                try:
                    await self._app(scope, receive, send_marked)
                except Exception as error:  # last resort: who asked must get an answer and an id
                    log.error("crashed", exc_info=error)
                    if not status:
                        await response(_surprise(request_id), scope["path"])(
                            scope, receive, send_marked
                        )
        finally:
            self._metrics.request(_route(scope), scope["method"], status, began)

    async def _mark(self, scope: Scope, message: MutableMapping[str, Any], request_id: str) -> None:
        headers = MutableHeaders(scope=message)
        # the provider's own id, where there is one: it is the one in our log
        headers.setdefault(REQUEST_ID, request_id)
        who: str | None = scope.get(SPEAKS_FOR)
        if who is None:
            return
        level = await self._limiter.peek(Bucket(scope=LimitScope.USER, id=who))
        if level is not None:
            headers["X-RateLimit-Limit"] = str(level.limit)
            headers["X-RateLimit-Remaining"] = str(level.remaining)
            headers["X-RateLimit-Reset"] = str(level.reset_s)


def _surprise(request_id: str) -> Problem:
    return Problem(
        500,
        f"Something went wrong on our side. Whoever runs this server finds it as {request_id}.",
        code="internal_error",
    )


def _route(scope: Scope) -> str:
    """Return the route's pattern: a label with few values, and no ids in it."""
    return str(getattr(scope.get("route"), "path", "other"))
