"""Numbers for Prometheus. Labels are closed sets: no id, text or secret ever becomes one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
LAG_EVERY_S: Final = 0.5
_METHODS: Final = {"GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH"}
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_LAGS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class Metrics:
    """The numbers of this process, in a registry of their own."""

    def __init__(
        self,
        running: Callable[[], int],
        waiting: Callable[[], int],
        limits_degraded: Callable[[], bool] = lambda: False,
        refused: Callable[[], int] = lambda: 0,
    ) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "companion_http_requests",
            "HTTP requests answered.",
            ("route", "method", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "companion_http_request_seconds",
            "Time from a request's head to the end of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._calls = Counter(
            "companion_provider_calls",
            "Requests to model providers, by how they ended.",
            ("endpoint", "outcome"),
            registry=registry,
        )
        self._call_seconds = Histogram(
            "companion_provider_call_seconds",
            "Time a model provider took, to the end of its answer.",
            ("endpoint",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._now("companion_replies_running", "Replies being made right now.", running)
        self._now("companion_replies_waiting", "Replies waiting for a slot.", waiting)
        self._now(
            "companion_limits_degraded",
            "1 while Redis is away and this process keeps its share of the limits alone.",
            limits_degraded,
        )
        self._now(
            "companion_discord_requests_refused",
            "Requests that Discord refused in the last ten minutes; at 10,000 it bans an address.",
            refused,
        )
        self._now(
            "companion_tasks",
            "Tasks of the event loop; a number that only grows is something never finished.",
            _tasks,
        )
        ProcessCollector(registry=registry)
        self._lag = Histogram(
            "companion_event_loop_lag_seconds",
            "How late the event loop wakes up.",
            buckets=_LAGS,
            registry=registry,
        )

    def _now(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Show what a number is when it is asked for."""
        Gauge(name, meaning, registry=self._registry).set_function(value)

    def request(self, route: str, method: str, status: int, began: float) -> None:
        """Count a request; `began` is a reading of `time.perf_counter`, status 0 is a hang-up."""
        method = method if method in _METHODS else "other"
        self._requests.labels(route, method, str(status or 499)).inc()
        self._seconds.labels(route).observe(time.perf_counter() - began)

    def provider_call(self, endpoint: str, outcome: str, seconds: float) -> None:
        """Count a request to a provider; `outcome` is `ok`, `cancelled` or an error's code."""
        self._calls.labels(endpoint, outcome).inc()
        self._call_seconds.labels(endpoint).observe(seconds)

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self._registry)

    async def watch_loop(self) -> None:
        """Measure how late the event loop wakes up, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_EVERY_S
            await asyncio.sleep(LAG_EVERY_S)
            self._lag.observe(max(0.0, loop.time() - due))


def _tasks() -> int:
    return len(asyncio.all_tasks())
