"""The HTTP door. Every answer carries a request id."""

from __future__ import annotations

from uuid import uuid4

import structlog
from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from companion.api import errors
from companion.api.errors import REQUEST_ID
from companion.api.routes.health import Readiness, health_routes
from companion.api.routes.openai_routes import openai_routes
from companion.services.container import Services


def build_api(readiness: Readiness, services: Services) -> FastAPI:
    """Return the application."""
    app = FastAPI(title="Companion", summary="The OpenAI API in Discord, with everyone's own key")
    app.state.tokens = services.tokens
    errors.install(app)
    app.include_router(health_routes(readiness))
    app.include_router(openai_routes(services.relay))
    app.add_middleware(RequestIds)
    return app


class RequestIds:
    """Gives each request an id: in the log, and on the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request with a fresh id."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = uuid4().hex

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                # the provider's own id, where there is one: it is the one in our log
                MutableHeaders(scope=message).setdefault(REQUEST_ID, request_id)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._app(scope, receive, send_with_id)
