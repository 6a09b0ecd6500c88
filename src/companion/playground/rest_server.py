"""From an HTTP request to a call and back: authorisation, limits, faults, the log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

import msgspec
from aiohttp import BodyPartReader, web

from companion.playground.api_errors import ApiError, Problem
from companion.playground.application import Application
from companion.playground.calls import Call, Reply, Route, UploadedFile
from companion.playground.faults import Fault, FaultKind, RestFaults
from companion.playground.rate_limits import RateLimits
from companion.playground.request_log import RecordedRequest, RequestLog
from companion.playground.routing import Router
from companion.playground.wire import decode, encode

PREFIX = "/api/v10"
_OPEN = ("/interactions/", "/webhooks/")
# Discord stands behind a proxy that says so; clients take a 429 without it for a ban.
_VIA = {"Via": "1.1 google"}


@dataclass(frozen=True, slots=True)
class _Outcome:
    status: int
    body: bytes
    headers: Mapping[str, str]
    code: int | None = None
    scope: str | None = None
    content_type: str = "application/json"


class RestServer:
    """Answers everything below `/api/v10`."""

    def __init__(
        self, routes: Iterable[Route], application: Application, limits: RateLimits
    ) -> None:
        self._router = Router(routes)
        self._application = application
        self.limits = limits
        self.faults = RestFaults()
        self.requests = RequestLog()
        self.closing = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, and log it."""
        started, arrived = time.perf_counter(), time.time()
        call = Call(
            method=request.method,
            template=request.path,
            parameters={},
            query=request.query,
        )
        fault: Fault | None = None
        try:
            await self._understand(request, call)
            fault = self.faults.next_for(call.method, call.template)
            outcome = await self._answer(request, call, fault)
        except ApiError as refused:
            outcome = _refusal(refused)
        self._log(request, call, outcome, arrived, started, fault)
        if outcome.status == 0:
            return await self._never_answer(request, hang=fault is not None and _hangs(fault))
        return web.Response(
            body=outcome.body or None,
            status=outcome.status,
            headers=outcome.headers,
            content_type=outcome.content_type if outcome.body else None,
        )

    async def _understand(self, request: web.Request, call: Call) -> None:
        path = request.path.removeprefix(PREFIX)
        try:
            call.body, call.files = await _read(request)
        finally:
            route, call.parameters = self._router.find(request.method, path)
            call.template = route.template

    async def _answer(self, request: web.Request, call: Call, fault: Fault | None) -> _Outcome:
        if fault is not None and fault.delay_s:
            await asyncio.sleep(fault.delay_s)
        if fault is not None and fault.kind is FaultKind.ANSWER:
            return _from_fault(fault)
        if fault is not None and fault.kind in {FaultKind.HANG, FaultKind.RESET}:
            return _Outcome(0, b"", {})
        outcome = self._perform(request, call)
        if fault is not None and fault.kind in {FaultKind.LOSE_ANSWER, FaultKind.HANG_AFTER}:
            return _Outcome(0, b"", {})
        return outcome

    def _perform(self, request: web.Request, call: Call) -> _Outcome:
        header = request.headers.get("Authorization", "")
        with_bot_token = header == f"Bot {self._application.token}"
        if not with_bot_token and not call.template.startswith(_OPEN):
            raise ApiError(Problem.UNAUTHORIZED)
        verdict = self.limits.take(call, time.time(), with_bot_token=with_bot_token)
        headers = {**_VIA, **verdict.headers}
        if verdict.retry_after_s is not None:
            scope = "global" if verdict.everywhere else "user"
            return _Outcome(429, encode(verdict.body()), headers, scope=scope)
        route, _ = self._router.find(call.method, request.path.removeprefix(PREFIX))
        try:
            return _success(route.handler(call), headers)
        except ApiError as refused:
            return _refusal(refused, headers)

    async def _never_answer(self, request: web.Request, *, hang: bool) -> web.StreamResponse:
        if hang:
            await self.closing.wait()
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    def _log(
        self,
        request: web.Request,
        call: Call,
        outcome: _Outcome,
        arrived: float,
        started: float,
        fault: Fault | None,
    ) -> None:
        self.requests.append(
            RecordedRequest(
                at=arrived,
                method=call.method,
                path=request.path,
                template=call.template,
                parameters=call.parameters,
                query=dict(call.query),
                body=call.body,
                files=tuple(file.filename for file in call.files),
                status=outcome.status,
                code=outcome.code,
                latency_s=time.perf_counter() - started,
                fault=None if fault is None else fault.kind,
                scope=outcome.scope,
            )
        )


def _success(reply: Reply, headers: Mapping[str, str]) -> _Outcome:
    body = b"" if reply.body is None else encode(reply.body)
    return _Outcome(reply.status, body, headers)


def _refusal(refused: ApiError, headers: Mapping[str, str] = _VIA) -> _Outcome:
    problem = refused.problem
    merged = {**headers, **refused.headers}
    return _Outcome(problem.status, encode(refused.body()), merged, code=problem.code)


def _from_fault(fault: Fault) -> _Outcome:
    scope = fault.headers.get("X-RateLimit-Scope")
    if fault.html is not None:
        page = fault.html.encode()
        return _Outcome(fault.status, page, fault.headers, content_type="text/html")
    body = fault.body or {"message": f"{fault.status}: injected", "code": 0}
    code = body.get("code")
    headers = {**_VIA, **fault.headers}
    return _Outcome(fault.status, encode(body), headers, code=code, scope=scope)


def _hangs(fault: Fault) -> bool:
    return fault.kind in {FaultKind.HANG, FaultKind.HANG_AFTER}


async def _read(request: web.Request) -> tuple[object, tuple[UploadedFile, ...]]:
    if not request.body_exists:
        return None, ()
    if request.content_type == "multipart/form-data":
        return await _read_multipart(request)
    if request.content_type == "application/x-www-form-urlencoded":
        # What clients send that always build a form, and have no file this time.
        form = parse_qs((await request.read()).decode(), keep_blank_values=True)
        return _json(form.get("payload_json", [""])[0]), ()
    return _json(await request.read()), ()


def _json(text: bytes | str) -> object:
    if not text:
        return None
    try:
        return decode(text)
    except msgspec.DecodeError:
        raise ApiError(Problem.INVALID_JSON) from None


async def _read_multipart(request: web.Request) -> tuple[object, tuple[UploadedFile, ...]]:
    body: object = None
    files: list[UploadedFile] = []
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        content = bytes(await part.read())
        if part.name == "payload_json":
            body = _json(content)
        elif part.name is not None and part.name.startswith("files["):
            index = part.name.removeprefix("files[").removesuffix("]")
            files.append(_uploaded(int(index) if index.isdigit() else len(files), part, content))
    return body, tuple(files)


def _uploaded(index: int, part: BodyPartReader, content: bytes) -> UploadedFile:
    return UploadedFile(
        index=index,
        filename=part.filename or "unnamed",
        content=content,
        content_type=part.headers.get("Content-Type"),
    )
