"""A real HTTP server on a loopback port that speaks OpenAI's API from a script.

    async with ScriptedProvider.start() as provider:
        provider.script(RATE_LIMITED, Answer(text="hello"))
        ... provider.base_url, provider.chats, provider.default ...

Each chat request takes the next scripted behaviour, or `default` when there is
none left. Every chat request is checked against OpenAI's own API description; a
request that OpenAI would refuse fails the test when the block ends.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

from tests.support.openai_openapi import problems_of_chat_request
from tests.support.provider_script import (
    Answer,
    Behaviour,
    Choice,
    Reset,
    Silence,
    Status,
    unsupported,
)
from tests.support.provider_stream import StreamWriter, drop_connection, whole_answer
from tests.support.scripted_routes import ScriptedRoutes, read_parts

DEFAULT_MODELS = ("gpt-6-luna", "gpt-6-sol", "gpt-6.1-sol")


@dataclass(slots=True, kw_only=True)
class RecordedRequest:
    """One request as it came in; times are `time.monotonic()` seconds.

    `peer` tells connections apart.
    """

    at: float
    method: str
    path: str
    headers: Mapping[str, str]
    peer: object = None
    body: dict[str, Any] = field(default_factory=dict[str, Any])
    first_token_at: float | None = None
    last_token_at: float | None = None
    ended_at: float | None = None
    hung_up_at: float | None = None

    @property
    def key(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")


class ScriptedProvider(ScriptedRoutes):
    """The server. `models` are ids or whole model objects, `models_status` answers instead.

    `heard` is what transcriptions say, or how they fail.
    """

    def __init__(self, *, validate: bool) -> None:
        super().__init__(validate=validate)
        self.base_url = ""
        self.default: Choice = Answer()
        self.models: list[str | dict[str, Any]] = list(DEFAULT_MODELS)
        self.models_status: Behaviour | None = None
        self.heard: Behaviour | str = "Words of the recording."
        self.refused: set[str] = set()
        self.requests: list[RecordedRequest] = []
        self._queue: deque[Choice] = deque()

    @classmethod
    @asynccontextmanager
    async def start(
        cls, *, port: int = 0, validate: bool = True
    ) -> AsyncGenerator[ScriptedProvider]:
        provider = cls(validate=validate)
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/v1/chat/completions", provider._chat)
        app.router.add_post("/v1/audio/transcriptions", provider._transcriptions)
        app.router.add_get("/v1/models", provider._models)
        provider.add_routes(app.router)
        app.router.add_route("*", "/{rest:.*}", provider._elsewhere)
        # the connection's end cancels the handler: that is how a hang-up is noticed
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.05
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            provider.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
            yield provider
        finally:
            await runner.cleanup()
        assert not provider.violations, provider.violations

    @property
    def chats(self) -> list[RecordedRequest]:
        return [r for r in self.requests if r.path.endswith("/chat/completions")]

    @property
    def transcriptions(self) -> list[RecordedRequest]:
        return [r for r in self.requests if r.path.endswith("/audio/transcriptions")]

    def script(self, *choices: Choice) -> None:
        """Queue behaviours for the next chat requests."""
        self._queue.extend(choices)

    def refuse(self, *fields: str) -> None:
        """Refuse every chat request with one of these: `stream`, `temperature`, `system`, …"""
        self.refused.update(fields)

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        record = self.record(request)
        body = record.body = msgspec.json.decode(await request.read(), type=dict[str, Any])
        if self.validate and (problems := problems_of_chat_request(body)):
            self.violations.extend(problems)
        behaviour = self._refusal(body) or self._next(body)
        try:
            return await self.behave(request, record, behaviour)
        except (asyncio.CancelledError, ConnectionError):
            record.hung_up_at = time.monotonic()
            # aiohttp logs a ConnectionError as a failure of ours, which a hang-up is not
            raise asyncio.CancelledError from None
        finally:
            record.ended_at = time.monotonic()

    async def _transcriptions(self, request: web.Request) -> web.StreamResponse:
        record = self.record(request)
        await read_parts(request, record)
        if not isinstance(self.heard, str):
            return await self.behave(request, record, self.heard)
        usage = {"type": "tokens", "input_tokens": 14, "output_tokens": 5, "total_tokens": 19}
        return web.json_response(
            {"text": self.heard, "usage": usage}, headers={"x-request-id": "req_speech"}
        )

    async def _models(self, request: web.Request) -> web.StreamResponse:
        record = self.record(request)
        if self.models_status is not None:
            return await self.behave(request, record, self.models_status)
        listed = [
            {"object": "model", "created": 1_700_000_000, "owned_by": "openai", "id": model}
            if isinstance(model, str)
            else model
            for model in self.models
        ]
        return web.json_response({"object": "list", "data": listed})

    async def _elsewhere(self, request: web.Request) -> web.StreamResponse:
        self.record(request)
        return web.json_response({"error": {"message": "no such path"}}, status=404)

    def record(self, request: web.Request) -> RecordedRequest:
        record = RecordedRequest(
            at=time.monotonic(),
            method=request.method,
            path=request.path,
            headers=request.headers.copy(),
            peer=request.transport.get_extra_info("peername") if request.transport else None,
        )
        self.requests.append(record)
        return record

    def _next(self, body: dict[str, Any]) -> Behaviour:
        choice = self._queue.popleft() if self._queue else self.default
        return choice(body) if callable(choice) else choice

    def _refusal(self, body: dict[str, Any]) -> Status | None:
        if "system" in self.refused and any(m["role"] == "system" for m in body["messages"]):
            return unsupported("messages[0].role")
        sent = body.keys() - ({"stream"} if not body.get("stream") else set[str]())
        refused = sorted(self.refused & sent)
        if not refused:
            return None
        code = "unsupported_parameter" if refused[0].startswith("max_") else "unsupported_value"
        return unsupported(refused[0], code)

    async def behave(
        self, request: web.Request, record: RecordedRequest, behaviour: Behaviour
    ) -> web.StreamResponse:
        match behaviour:
            case Answer():
                if not record.body.get("stream"):
                    return await whole_answer(behaviour, record)
                return await StreamWriter(request, record, behaviour).run()
            case Status():
                await asyncio.sleep(behaviour.delay_s)
                return web.Response(
                    status=behaviour.status,
                    body=behaviour.payload(),
                    content_type=behaviour.content_type,
                    headers={"x-request-id": "req_scripted", **behaviour.headers},
                )
            case Silence():
                await asyncio.Event().wait()
            case Reset():
                await drop_connection(request)
        raise AssertionError(behaviour)
