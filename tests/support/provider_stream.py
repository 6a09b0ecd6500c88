"""How the scripted provider writes one answer: paced, streamed, and broken on demand."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.support.provider_script import AUTO, GARBAGE, HUGE_LINE_BYTES, Answer, Fault

if TYPE_CHECKING:
    from tests.support.scripted_provider import RecordedRequest

PING = b": ping\n\n"
WRONG_TYPES = b'data: {"id": 7, "choices": [{"delta": {"content": 12}}]}\n\n'


class StreamWriter:
    """Writes one streamed answer."""

    def __init__(self, request: web.Request, record: RecordedRequest, answer: Answer) -> None:
        self._request = request
        self._record = record
        self._answer = answer
        self._envelope: dict[str, Any] = {
            "id": "chatcmpl-scripted",
            "object": "chat.completion.chunk",
            "created": 1_700_000_000,
            "model": record.body.get("model", ""),
        }
        self._response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "x-request-id": "req_scripted"}
        )

    async def run(self) -> web.StreamResponse:
        answer = self._answer
        await asyncio.sleep(answer.ttft_s)
        await self._response.prepare(self._request)
        for _ in range(answer.pings):
            await self._response.write(PING)
        await self._response.write(self._chunk({"role": "assistant", "content": ""}))
        tokens = answer.tokens()
        await self._write_tokens(tokens if answer.fault is None else tokens[: answer.fault_after])
        if answer.fault is not None:
            await self._break(answer.fault)
        else:
            await self._end(len(tokens))
        await self._response.write_eof()
        return self._response

    async def _write_tokens(self, tokens: list[str]) -> None:
        rate = self._answer.tokens_per_s
        started = time.monotonic()
        position = 0
        while position < len(tokens):
            # whatever is due by now goes out in one write: a busy loop must not slow the pace
            due = len(tokens) if rate is None else int((time.monotonic() - started) * rate) + 1
            batch = tokens[position:due]
            if batch:
                await self._response.write(b"".join(self._chunk({"content": t}) for t in batch))
                self._record.last_token_at = time.monotonic()
                self._record.first_token_at = self._record.first_token_at or time.monotonic()
                position += len(batch)
            if rate is not None and position < len(tokens):
                await asyncio.sleep(max(0.0, started + position / rate - time.monotonic()))

    async def _end(self, tokens: int) -> None:
        answer = self._answer
        if answer.finish is not None:
            await self._response.write(self._chunk({}, answer.finish))
        if self._record.body.get("stream_options") == {"include_usage": True}:
            await self._write_usage(tokens)
        if answer.done:
            await self._response.write(b"data: [DONE]\n\n")

    async def _write_usage(self, tokens: int) -> None:
        usage = usage_json(self._answer, self._record.body, tokens)
        head = json.dumps(self._envelope | {"choices": []})[:-1]
        await self._response.write(f'data: {head}, "usage": {usage}}}\n\n'.encode())

    async def _break(self, fault: Fault) -> None:
        write = self._response.write
        match fault:
            case Fault.EOF:
                pass
            case Fault.STALL:
                await asyncio.Event().wait()
            case Fault.PINGS:
                while True:
                    await write(PING)
                    await asyncio.sleep(0.01)
            case Fault.ERROR_EVENT:
                error = json.dumps({"error": dict(self._answer.error)})
                await write(f"data: {error}\n\n".encode())
            case Fault.BAD_JSON:
                await write(GARBAGE)
            case Fault.WRONG_TYPES:
                await write(WRONG_TYPES)
            case Fault.HUGE_LINE:
                await write(b"data: " + b"x" * HUGE_LINE_BYTES)
            case Fault.RESET:
                await drop_connection(self._request)

    def _chunk(self, delta: dict[str, str], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return f"data: {json.dumps(self._envelope | {'choices': [choice]})}\n\n".encode()


async def drop_connection(request: web.Request) -> None:
    """Reset the TCP connection; its loss cancels the handler that waits here."""
    if request.transport is not None:
        request.transport.abort()
    await asyncio.Event().wait()


async def whole_answer(answer: Answer, record: RecordedRequest) -> web.Response:
    """Return the answer to a request that did not ask for a stream."""
    await asyncio.sleep(answer.ttft_s)
    record.first_token_at = record.last_token_at = time.monotonic()
    message = {"role": "assistant", "content": answer.text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish}
    body = {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": record.body.get("model", ""),
        "choices": [choice],
    }
    usage = usage_json(answer, record.body, len(answer.tokens()))
    return web.Response(
        text=f'{json.dumps(body)[:-1]}, "usage": {usage}}}',
        content_type="application/json",
        headers={"x-request-id": "req_scripted"},
    )


def usage_json(answer: Answer, body: dict[str, Any], tokens: int) -> str:
    """Return the usage object as JSON: scripted, or counted at four characters a token."""
    if isinstance(answer.usage, str) and answer.usage != AUTO:
        return answer.usage
    if answer.usage != AUTO:
        return json.dumps(answer.usage)
    prompt = sum(len(str(m.get("content", ""))) for m in body.get("messages", ())) // 4 + 1
    return json.dumps(
        {
            "prompt_tokens": prompt,
            "completion_tokens": tokens,
            "total_tokens": prompt + tokens,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        }
    )
