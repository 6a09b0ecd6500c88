"""A provider that does next to nothing, so that what is measured is what stands before it.

    python -m benchmarks.instant_provider PORT

A request with `"user": "250"` is answered after 250 ms. A stream has 200 events, one each
10 ms; each carries the moment (`time.monotonic()`, the same for all processes) it left.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from typing import Final

EVENTS: Final = 200
PAUSE_S: Final = 0.01
_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_WAIT: Final = re.compile(rb'"user": ?"(\d+)"')
_CHOICE: Final = {
    "index": 0,
    "message": {"role": "assistant", "content": "Hello.", "refusal": None},
    "logprobs": None,
    "finish_reason": "stop",
}
_ANSWER: Final = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-6-luna",
        "choices": [_CHOICE],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
    }
).encode()
_WHOLE: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
    % (len(_ANSWER), _ANSWER)
)
_STREAM: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _event(content: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1}
    event = head | {"model": "gpt-6-luna", "choices": [choice]}
    return _chunk(b"data: " + json.dumps(event).encode() + b"\n\n")


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            body = await reader.readexactly(int(length[1])) if length else b""
            if b'"stream":true' in body.replace(b" ", b""):
                await _stream(writer)
                continue
            if wait := _WAIT.search(body):
                await asyncio.sleep(int(wait[1]) / 1000)
            writer.write(_WHOLE)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _stream(writer: asyncio.StreamWriter) -> None:
    writer.write(_STREAM)
    for _ in range(EVENTS):
        writer.write(_event(f"{time.monotonic():.6f} "))
        await asyncio.sleep(PAUSE_S)
    writer.write(_event("", "stop") + _chunk(b"data: [DONE]\n\n") + _chunk(b""))
    await writer.drain()


async def _main(port: int) -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", port, backlog=1000)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
