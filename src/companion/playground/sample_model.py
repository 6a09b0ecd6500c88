"""A stand-in for a model provider: OpenAI's chat API over canned answers.

So that every feature can be tried with no key and no network. Keys are not
checked, except that one containing `wrong`, `broke` or `restricted` meets what
OpenAI says to such keys; a prompt containing “cut off” gets half an answer.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from aiohttp import web

from companion.playground.sample_answers import LONG_MODEL, PICTURE, Message, answer

MODELS: Final = ("sample-small", LONG_MODEL)
TOKENS_PER_S: Final = 60.0
HEARD: Final = "(This is the sample model: it hears nothing, so these words stand in for yours.)"
_TOKEN = re.compile(r"\s*\S{1,6}|\s+")
_CREATED: Final = 1_767_225_600


class SampleModel:
    """The server. `base_url` is what an OpenAI client is pointed at."""

    def __init__(self, *, tokens_per_s: float = TOKENS_PER_S) -> None:
        self.base_url = ""
        self._tokens_per_s = tokens_per_s

    @classmethod
    @asynccontextmanager
    async def start(
        cls, *, host: str = "127.0.0.1", port: int = 0, tokens_per_s: float = TOKENS_PER_S
    ) -> AsyncGenerator[SampleModel]:
        """Serve until the block ends; running answers are cut off then."""
        model = cls(tokens_per_s=tokens_per_s)
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_get("/v1/models", model._list_models)
        app.router.add_post("/v1/chat/completions", model._chat)
        app.router.add_post("/v1/audio/transcriptions", model._transcribe)
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            model.base_url = f"http://{host}:{runner.addresses[0][1]}/v1"
            yield model
        finally:
            await runner.cleanup()

    async def _list_models(self, request: web.Request) -> web.Response:
        key = _key(request)
        if not key or "wrong" in key:
            return _error(401, "invalid_api_key", "This sample key is refused.")
        if "restricted" in key:
            return _error(403, "missing_scope", "This sample key may not list models.")
        listed = [
            {"id": name, "object": "model", "created": _CREATED, "owned_by": "companion"}
            for name in MODELS
        ]
        return web.json_response({"object": "list", "data": listed})

    async def _transcribe(self, request: web.Request) -> web.Response:
        key = _key(request)
        if not key or "wrong" in key:
            return _error(401, "invalid_api_key", "This sample key is refused.")
        await request.read()
        return web.json_response({"text": HEARD})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        key = _key(request)
        if not key or "wrong" in key:
            return _error(401, "invalid_api_key", "This sample key is refused.")
        if "broke" in key:
            return _error(429, "insufficient_quota", "This sample key has no credit.")
        try:
            body = json.loads(await request.read())
            reply = _Reply(request, body)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            return _error(400, "invalid_request", "A model and messages are needed.")
        if reply.model not in MODELS:
            return _error(404, "model_not_found", "There is no such sample model.")
        return await reply.send(self._tokens_per_s)


class _Reply:
    """One answer on its way."""

    def __init__(self, request: web.Request, body: dict[str, Any]) -> None:
        self.model = str(body["model"])
        self._request = request
        messages = _messages(body["messages"])
        whole = _TOKEN.findall(answer(messages, self.model))
        limit = int(body.get("max_completion_tokens") or body.get("max_tokens") or len(whole))
        self._tokens: list[str] = whole[: max(limit, 1)]
        self._finish = "stop" if len(self._tokens) == len(whole) else "length"
        self._streams = body.get("stream") is True
        self._reports_usage = body.get("stream_options") == {"include_usage": True}
        self._breaks_off = "cut off" in messages[-1][1].lower()
        prompt = sum(len(_TOKEN.findall(text)) for _, text in messages)
        self._usage = {
            "prompt_tokens": prompt,
            "completion_tokens": len(self._tokens),
            "total_tokens": prompt + len(self._tokens),
        }

    async def send(self, tokens_per_s: float) -> web.StreamResponse:
        """Send the answer at that pace: token by token, or at once when not streaming."""
        if not self._streams:
            await asyncio.sleep(len(self._tokens) / tokens_per_s)
            return self._whole()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(self._request)
        # whoever hangs up has what they wanted: that is no failure of ours to log
        with suppress(ConnectionError):
            await self._write(response, tokens_per_s)
            await response.write_eof()
        return response

    async def _write(self, response: web.StreamResponse, tokens_per_s: float) -> None:
        tokens = self._tokens[: len(self._tokens) // 2] if self._breaks_off else self._tokens
        started = time.monotonic()
        for number, token in enumerate(tokens):
            await asyncio.sleep(started + number / tokens_per_s - time.monotonic())
            await response.write(self._chunk([_choice(token)]))
        if self._breaks_off:
            return
        await response.write(self._chunk([_choice("", self._finish)]))
        if self._reports_usage:
            await response.write(self._chunk([], usage=self._usage))
        await response.write(b"data: [DONE]\n\n")

    def _envelope(self, kind: str) -> dict[str, Any]:
        return {
            "id": "chatcmpl-sample",
            "object": kind,
            "created": _CREATED,
            "model": self.model,
        }

    def _chunk(self, choices: list[dict[str, Any]], **more: object) -> bytes:
        chunk = self._envelope("chat.completion.chunk") | {"choices": choices} | more
        return f"data: {json.dumps(chunk)}\n\n".encode()

    def _whole(self) -> web.Response:
        message = {"role": "assistant", "content": "".join(self._tokens)}
        choice = {"index": 0, "message": message, "finish_reason": self._finish}
        return web.json_response(
            self._envelope("chat.completion") | {"choices": [choice], "usage": self._usage}
        )


def _choice(text: str, finish: str | None = None) -> dict[str, Any]:
    delta = {} if finish else {"content": text}
    return {"index": 0, "delta": delta, "finish_reason": finish}


def _messages(raw: list[dict[str, Any]]) -> list[Message]:
    return [(str(message["role"]), _text(message.get("content"))) for message in raw]


def _text(content: str | list[dict[str, Any]] | None) -> str:
    if isinstance(content, list):
        return "\n".join(_part(part) for part in content)
    return content or ""


def _part(part: dict[str, Any]) -> str:
    return str(part["text"]) if part.get("type") == "text" else PICTURE


def _key(request: web.Request) -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ").strip()


def _error(status: int, code: str, message: str) -> web.Response:
    error = {"message": message, "type": "sample_model", "param": None, "code": code}
    return web.json_response({"error": error}, status=status)
