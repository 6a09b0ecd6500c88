"""From an HTTP request to a call and back: authorisation, limits, faults, the log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from companion.playground.api_errors import ApiError, Problem
from companion.playground.application import Application
from companion.playground.calls import Call, Handler, Reply, Route
from companion.playground.faults import Fault, FaultKind, RestFaults
from companion.playground.rate_limits import RateLimits
from companion.playground.request_log import RecordedRequest, RequestLog, Scope
from companion.playground.rest_bodies import read_body
from companion.playground.routing import Router
from companion.playground.wire import encode

PREFIX = "/api/v10"
_OPEN = ("/interactions/", "/webhooks/")
# Discord stands behind a proxy that says so; clients take a 429 without it for a ban.
_VIA = {"Via": "1.1 google"}
_INSTEAD = frozenset({FaultKind.HANG, FaultKind.RESET})
_AFTERWARDS = frozenset({FaultKind.HANG_AFTER, FaultKind.LOSE_ANSWER})
_HANGING = frozenset({FaultKind.HANG, FaultKind.HANG_AFTER})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What goes back. Status 0: nothing does."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    code: int | None = None
    scope: Scope | None = None
    content_type: str = "application/json"

    def response(self) -> web.Response:
        if not self.body:
            return web.Response(status=self.status, headers=self.headers)
        return web.Response(
            body=self.body,
            status=self.status,
            headers=self.headers,
            content_type=self.content_type,
        )


_NOTHING = _Outcome(status=0)


@dataclass(slots=True)
class _Exchange:
    """One request on its way through the server."""

    request: web.Request
    call: Call
    at: float = field(default_factory=time.time)
    started: float = field(default_factory=time.perf_counter)
    fault: Fault | None = None

    def is_broken_by(self, kinds: frozenset[FaultKind]) -> bool:
        return self.fault is not None and self.fault.kind in kinds

    def record(self, outcome: _Outcome) -> RecordedRequest:
        call = self.call
        return RecordedRequest(
            at=self.at,
            method=call.method,
            path=self.request.path,
            template=call.template,
            parameters=call.parameters,
            query=dict(call.query),
            body=call.body,
            files=tuple(file.filename for file in call.files),
            status=outcome.status,
            code=outcome.code,
            latency_s=time.perf_counter() - self.started,
            fault=None if self.fault is None else self.fault.kind,
            scope=outcome.scope,
        )


class RestServer:
    """Answers everything below `/api/v10`."""

    def __init__(
        self, routes: Iterable[Route], application: Application, limits: RateLimits
    ) -> None:
        self._router = Router(routes)
        self._application = application
        self._limits = limits
        self.faults = RestFaults()
        self.requests = RequestLog()
        self.closing = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, and log it."""
        path = request.path.removeprefix(PREFIX)
        call = Call(method=request.method, template=path, parameters={}, query=request.query)
        exchange = _Exchange(request, call)
        try:
            route, call.parameters = self._router.find(request.method, path)
            call.template = route.template
            call.body, call.files = await read_body(request)
            exchange.fault = self.faults.next_for(call.method, call.template)
            outcome = await self._answer(exchange, route.handler)
        except ApiError as refused:
            outcome = _refusal(refused)
        self.requests.append(exchange.record(outcome))
        if outcome is _NOTHING:
            return await self._never_answer(exchange)
        return outcome.response()

    async def _answer(self, exchange: _Exchange, handler: Handler) -> _Outcome:
        fault = exchange.fault
        if fault is not None:
            await asyncio.sleep(fault.delay_s)
            if fault.kind is FaultKind.ANSWER:
                return _from_fault(fault)
        if exchange.is_broken_by(_INSTEAD):
            return _NOTHING
        outcome = self._perform(exchange, handler)
        return _NOTHING if exchange.is_broken_by(_AFTERWARDS) else outcome

    def _perform(self, exchange: _Exchange, handler: Handler) -> _Outcome:
        call = exchange.call
        authorization = exchange.request.headers.get("Authorization", "")
        with_bot_token = authorization == f"Bot {self._application.token}"
        if not with_bot_token and not call.template.startswith(_OPEN):
            raise ApiError(Problem.UNAUTHORIZED)
        verdict = self._limits.take(call, time.time(), with_bot_token=with_bot_token)
        headers = {**_VIA, **verdict.headers}
        if verdict.retry_after_s is not None:
            scope: Scope = "global" if verdict.everywhere else "user"
            body = encode(verdict.body())
            return _Outcome(status=429, body=body, headers=headers, code=0, scope=scope)
        try:
            return _success(handler(call), headers)
        except ApiError as refused:
            return _refusal(refused, headers)

    async def _never_answer(self, exchange: _Exchange) -> web.StreamResponse:
        if exchange.is_broken_by(_HANGING):
            await self.closing.wait()
        if exchange.request.transport is not None:
            exchange.request.transport.abort()
        return web.Response()


def _success(reply: Reply, headers: Mapping[str, str]) -> _Outcome:
    body = b"" if reply.body is None else encode(reply.body)
    return _Outcome(status=reply.status, body=body, headers=headers)


def _refusal(refused: ApiError, headers: Mapping[str, str] = _VIA) -> _Outcome:
    problem = refused.problem
    body = encode(refused.body())
    return _Outcome(status=problem.status, body=body, headers=headers, code=problem.code)


def _from_fault(fault: Fault) -> _Outcome:
    if fault.html is not None:
        return _Outcome(
            status=fault.status,
            body=fault.html.encode(),
            headers=fault.headers,
            content_type="text/html",
        )
    body = fault.body or {"message": f"{fault.status}: injected", "code": 0}
    return _Outcome(
        status=fault.status,
        body=encode(body),
        headers={**_VIA, **fault.headers},
        code=body.get("code", 0),
        scope="shared" if fault.headers.get("X-RateLimit-Scope") == "shared" else None,
    )
