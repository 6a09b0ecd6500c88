"""Is it alive, and may one send it work?

Alive means that the event loop turns; it asks nothing else, so that a lost database
does not make an orchestrator kill a process that would recover by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Protocol

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from companion.api.metrics import CONTENT_TYPE, Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing that readiness depends on. `detail` is a short word for people."""

    ok: bool
    detail: str


class Readiness(Protocol):
    """Whoever knows the parts."""

    @property
    def draining(self) -> bool:
        """Whether the process is stopping and takes no more work."""
        ...

    async def parts(self) -> Mapping[str, Part]:
        """Return the state of each part now; never raises, never takes long."""
        ...


def health_routes(readiness: Readiness) -> APIRouter:
    """Return `/livez` and `/readyz`."""
    router = APIRouter(tags=["health"])

    async def livez() -> JSONResponse:
        """Say that the process turns."""
        return JSONResponse({"status": "alive"})

    async def readyz() -> JSONResponse:
        """Say whether the process takes work, and if not, which part is missing."""
        parts = await readiness.parts()
        ready = all(part.ok for part in parts.values())
        return JSONResponse(
            {
                "status": "ready" if ready else "not ready",
                "parts": {name: asdict(part) for name, part in parts.items()},
            },
            status_code=200 if ready else 503,
            headers={"Cache-Control": "no-store"},
        )

    router.add_api_route("/livez", livez, methods=["GET"], summary="Is it alive?")
    router.add_api_route(
        "/readyz",
        readyz,
        methods=["GET"],
        summary="Does it take work?",
        responses={503: {"description": "Starting, draining, or a part is missing."}},
    )
    return router


def metrics_route(metrics: Metrics) -> APIRouter:
    """Return `/metrics`."""
    router = APIRouter(tags=["health"])

    async def show() -> Response:
        """Return this process's numbers in Prometheus's text format."""
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    router.add_api_route(
        "/metrics",
        show,
        methods=["GET"],
        summary="Numbers for Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    return router
