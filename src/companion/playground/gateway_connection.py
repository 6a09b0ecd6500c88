"""One websocket of an app: opcodes in, frames out, in order, compressed when asked for.

"Gateway" and "Gateway Opcodes and Status Codes" in Discord's documents.
"""

from __future__ import annotations

import asyncio
import zlib
from collections import deque
from enum import IntEnum
from typing import TYPE_CHECKING

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from companion.playground.gateway_session import GatewaySession
from companion.playground.wire import JsonObject, as_int, as_list, as_object, decode, encode

if TYPE_CHECKING:
    from companion.playground.gateway import Gateway

_COMMANDS_PER_MINUTE = 120


class Op(IntEnum):
    """Gateway opcodes."""

    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE_UPDATE = 3
    VOICE_STATE_UPDATE = 4
    RESUME = 6
    RECONNECT = 7
    REQUEST_MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11
    REQUEST_SOUNDBOARD = 31


class Close(IntEnum):
    """Gateway close codes."""

    UNKNOWN_OPCODE = 4001
    DECODE_ERROR = 4002
    NOT_AUTHENTICATED = 4003
    AUTHENTICATION_FAILED = 4004
    ALREADY_AUTHENTICATED = 4005
    INVALID_SEQUENCE = 4007
    RATE_LIMITED = 4008
    SESSION_TIMED_OUT = 4009
    INVALID_SHARD = 4010
    INVALID_VERSION = 4012
    INVALID_INTENTS = 4013
    DISALLOWED_INTENTS = 4014


class GatewayClosed(Exception):
    """This connection must end with that code."""

    def __init__(self, code: Close) -> None:
        super().__init__(code.name)
        self.code = code


# A client that notes when it sent a heartbeat only afterwards, as py-cord does, takes an
# answer in no time for one that came a whole interval late.
_ACK_S = 0.01


class GatewayConnection:
    """A connected socket; it has a session once it identified or resumed."""

    def __init__(self, gateway: Gateway, socket: web.WebSocketResponse, *, compress: bool) -> None:
        self._gateway = gateway
        self._socket = socket
        self._deflate = zlib.compressobj(level=1) if compress else None
        self._outgoing: asyncio.Queue[bytes | int] = asyncio.Queue()
        self._received: deque[float] = deque(maxlen=_COMMANDS_PER_MINUTE)
        self.session: GatewaySession | None = None
        self.zombie = False
        self._we_close = False

    # -- sending -----------------------------------------------------------------

    def send(self, frame: bytes) -> None:
        """Send a frame, after those before it."""
        if not self.zombie:
            self._outgoing.put_nowait(frame)

    def send_op(self, op: Op, data: object = None) -> None:
        """Send an opcode other than a dispatch."""
        self.send(encode({"op": int(op), "d": data, "s": None, "t": None}))

    def close(self, code: int) -> None:
        """Close with a code, after what was sent before."""
        self._we_close = True
        self._outgoing.put_nowait(code)

    async def end(self) -> None:
        """Close because the server stops."""
        await self._socket.close(code=WSCloseCode.GOING_AWAY)

    def drop(self) -> None:
        """Cut the connection without a goodbye, as a network does."""
        transport = self._socket._req.transport if self._socket._req else None  # pyright: ignore[reportPrivateUsage]
        if transport is not None:
            transport.abort()

    async def _write(self) -> None:
        while True:
            frame = await self._outgoing.get()
            try:
                if isinstance(frame, int):
                    await self._socket.close(code=frame)
                    return
                await self._write_frame(frame)
            except ConnectionError:
                return

    async def _write_frame(self, frame: bytes) -> None:
        if self._deflate is None:
            await self._socket.send_str(frame.decode())
            return
        packed = self._deflate.compress(frame) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        await self._socket.send_bytes(packed)

    # -- receiving ---------------------------------------------------------------

    async def serve(self) -> None:
        """Talk until the connection ends."""
        writer = asyncio.create_task(self._write(), name="gateway writer")
        try:
            interval_ms = self._gateway.heartbeat_interval_ms
            self.send_op(Op.HELLO, {"heartbeat_interval": interval_ms, "_trace": []})
            await self._read(silence_s=interval_ms / 1000 * 2)
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            # What the client replies to our own close says nothing about its session.
            said = None if self._we_close else self._socket.close_code
            self._gateway.detached(self, said)

    async def _read(self, *, silence_s: float) -> None:
        try:
            while True:
                message = await self._socket.receive(timeout=silence_s)
                if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                    return
                self._receive(message.data)
        except GatewayClosed as refused:
            await self._socket.close(code=refused.code)
        except TimeoutError:
            await self._socket.close(code=Close.SESSION_TIMED_OUT)

    def _receive(self, text: str | bytes) -> None:
        self._count_command()
        try:
            payload = as_object(decode(text))
        except msgspec.DecodeError:
            raise GatewayClosed(Close.DECODE_ERROR) from None
        if payload is None:
            raise GatewayClosed(Close.DECODE_ERROR)
        self._obey(as_int(payload.get("op")), payload.get("d"))

    def _count_command(self) -> None:
        now = asyncio.get_running_loop().time()
        full = len(self._received) == _COMMANDS_PER_MINUTE
        if full and now - self._received[0] < 60:  # noqa: PLR2004
            raise GatewayClosed(Close.RATE_LIMITED)
        self._received.append(now)

    def _obey(self, op: int | None, data: object) -> None:
        if op == Op.HEARTBEAT:
            loop = asyncio.get_running_loop()
            loop.call_later(_ACK_S, self.send_op, Op.HEARTBEAT_ACK)
        elif op == Op.IDENTIFY:
            self._identify(as_object(data) or {})
        elif op == Op.RESUME:
            self._resume(as_object(data) or {})
        elif self.session is None:
            raise GatewayClosed(Close.NOT_AUTHENTICATED)
        elif op == Op.REQUEST_MEMBERS:
            self._gateway.send_members(self.session, as_object(data) or {})
        elif op not in {Op.PRESENCE_UPDATE, Op.VOICE_STATE_UPDATE, Op.REQUEST_SOUNDBOARD}:
            raise GatewayClosed(Close.UNKNOWN_OPCODE)

    def _identify(self, data: JsonObject) -> None:
        if self.session is not None:
            raise GatewayClosed(Close.ALREADY_AUTHENTICATED)
        intents = as_int(data.get("intents"))
        if intents is None or intents < 0:
            raise GatewayClosed(Close.INVALID_INTENTS)
        shard = [as_int(number) for number in as_list(data.get("shard")) or (0, 1)]
        self._gateway.identify(self, str(data.get("token")), intents, shard)

    def _resume(self, data: JsonObject) -> None:
        if self.session is not None:
            raise GatewayClosed(Close.ALREADY_AUTHENTICATED)
        sequence = as_int(data.get("seq"))
        if sequence is None:
            raise GatewayClosed(Close.INVALID_SEQUENCE)
        self._gateway.resume(self, str(data.get("token")), str(data.get("session_id")), sequence)
