"""How long a client may take to say what it wants, and how many of them there may be.

uvicorn waits for ever for a request's head and body, and caps connections only once a
head is there. Each connection here has a deadline while the client owes us bytes, and
none while we owe it an answer.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final
from uuid import uuid4

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from companion.api.errors import Problem, body_of

log = structlog.get_logger()

HEAD_S: Final = 10.0
"""From the connection, or a request's first byte, to the end of its head."""
BODY_GRACE_S: Final = 20.0
SLOWEST_BODY: Final = 4096
"""Bytes a second that a body has to come with, once its grace is over."""
HEAD_BYTES: Final = 32 * 1024
GOODBYE_S: Final = 1.0
"""How long we still read what a refused client sends, so that it gets to our answer."""


_TOO_LONG: Final = Problem(431, "The request has too many headers.")


class _HeadTooLong(Exception):
    """Stops the parser; `send_400_response` says why."""


class _Owes(Enum):
    """What of its request a client has still to send."""

    NOTHING = auto()
    HEAD = auto()
    BODY = auto()


@dataclass(slots=True)
class Connections:
    """All connections of a server, and how many there may be (in all, and per address)."""

    most: int = 1000
    most_per_address: int = 250
    head_s: float = HEAD_S
    body_grace_s: float = BODY_GRACE_S
    open: Counter[str] = field(default_factory=Counter[str])

    def admit(self, address: str) -> bool:
        """Count a connection in, or say that it is one too many."""
        if self.open.total() >= self.most or self.open[address] >= self.most_per_address:
            return False
        self.open[address] += 1
        return True

    def leave(self, address: str) -> None:
        """Count a connection out."""
        self.open[address] -= 1
        if self.open[address] <= 0:
            del self.open[address]


def protocol_for(connections: Connections) -> type[HttpToolsProtocol]:
    """Return the protocol class whose connections are counted there."""

    class Guarded(GuardedProtocol):
        shared = connections

    return Guarded


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 with deadlines, caps, and refusals in JSON."""

    shared: Connections

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._address = ""
        self._admitted = False
        self._refused = False
        self._deadline: asyncio.TimerHandle | None = None
        self._owes = _Owes.NOTHING
        self._in_body = False
        self._head_bytes = 0
        self._unparsed = 0
        self._body_bytes = 0
        self._body_began = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        """Begin to wait for a request's head."""
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        self._admitted = self.shared.admit(self._address)
        if not self._admitted:
            self._refuse(Problem(503, "Too many connections.", retry_after_s=1))
        else:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        if self._admitted:
            self._admitted = False
            self.shared.leave(self._address)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; look what the client owes us after them."""
        if self._refused:
            return
        if self._owes is _Owes.BODY:
            self._body_bytes += len(data)
        else:
            self._unparsed += len(data)
            if self._deadline is None:
                self._wait_for_head()
        super().data_received(data)
        if self._owes is _Owes.NOTHING:
            self._stop_waiting()
        elif self._owes is _Owes.BODY and not self._in_body:
            self._wait_for_body()
        elif self._owes is _Owes.HEAD and self._unparsed > HEAD_BYTES and not self._refused:
            self._refuse(_TOO_LONG)

    def on_message_begin(self) -> None:
        """Begin to count a head."""
        super().on_message_begin()
        self._owes, self._head_bytes = _Owes.HEAD, 0

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._count_head(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Let the application begin."""
        self._owes, self._unparsed = _Owes.BODY, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that the request is all there."""
        self._owes = _Owes.NOTHING
        super().on_message_complete()

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES:
            raise _HeadTooLong

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, or has a head that is too long."""
        del msg  # uvicorn's words; ours say what to do
        if self._head_bytes > HEAD_BYTES:
            self._refuse(_TOO_LONG)
        else:
            self._refuse(Problem(400, "The request is no valid HTTP."))

    def _wait_for_head(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(self.shared.head_s, self._too_slow)

    def _wait_for_body(self) -> None:
        self._stop_waiting()
        self._in_body, self._body_bytes, self._body_began = True, 0, self.loop.time()
        self._deadline = self.loop.call_later(self.shared.body_grace_s, self._check_body)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._in_body = False

    def _check_body(self) -> None:
        seconds = self.loop.time() - self._body_began
        # while reading is paused it is we who are slow
        if self.flow.read_paused or self._body_bytes >= SLOWEST_BODY * seconds:
            self._deadline = self.loop.call_later(self.shared.body_grace_s, self._check_body)
        else:
            self._too_slow()

    def _too_slow(self) -> None:
        self._deadline = None
        answering = self.cycle is not None and not self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison]
        if answering and self._owes is not _Owes.BODY:
            self._wait_for_head()  # of the request after the one that we still answer
        elif answering and self.cycle.response_started:
            self.transport.close()
        elif self._owes is not _Owes.NOTHING:
            self._refuse(Problem(408, "The request took too long to arrive."))
        else:
            self.transport.close()  # never said a word

    def _refuse(self, problem: Problem) -> None:
        """Answer without the application, and close."""
        self._refused = True
        status, body = body_of(problem, "")
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "close",
            "X-Request-ID": uuid4().hex,
            **problem.extra,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.transport.write(f"HTTP/1.1 {status} \r\n{head}\r\n".encode() + body)
        log.info("connection_refused", status=status)
        # closing at once would reset the connection, and the answer with it
        self.loop.call_later(GOODBYE_S, self.transport.close)
