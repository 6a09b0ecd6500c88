"""The HTTP door: its routes, and the layers that every request passes.

From the outside in: `Envelope` (ids, limits, metrics, last resort), `Manners` (caps,
draining), `Idempotent`, then the routes. Routes are registered without a trailing
slash; `Manners` takes it off what comes in.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI

from companion.api import errors
from companion.api.docs_page import docs_routes
from companion.api.envelope import Envelope
from companion.api.idempotent import Idempotent
from companion.api.manners import Manners
from companion.api.metrics import Metrics
from companion.api.routes.completion import completion_routes
from companion.api.routes.health import Readiness, health_routes, metrics_route
from companion.api.routes.openai_routes import openai_routes
from companion.services.container import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiConfig:
    """`guarded`: other machines reach this address, so docs and metrics need a token there."""

    guarded: bool = False
    version: str = "0"


def build_api(
    readiness: Readiness,
    services: Services,
    *,
    metrics: Metrics | None = None,
    config: ApiConfig | None = None,
) -> FastAPI:
    """Return the application."""
    config = config or ApiConfig()
    metrics = metrics or Metrics(lambda: services.chat.running, lambda: services.admission.waiting)
    app = FastAPI(
        title="Companion",
        version=config.version,
        summary="The OpenAI API in Discord, with everyone's own key",
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    app.state.tokens = services.tokens
    errors.install(app)
    app.include_router(completion_routes(services.chat, services.conversations))
    app.include_router(openai_routes(services.relay))
    app.include_router(health_routes(readiness))
    app.include_router(metrics_route(metrics))
    app.include_router(docs_routes(app.openapi))
    app.add_middleware(Idempotent, idempotency=services.idempotency, tokens=services.tokens)
    app.add_middleware(
        Manners,
        draining=lambda: readiness.draining,
        tokens=services.tokens,
        guarded=config.guarded,
    )
    app.add_middleware(Envelope, metrics=metrics, limiter=services.limiter)
    return app
