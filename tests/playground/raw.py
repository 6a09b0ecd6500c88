"""Talks to the local Discord as a program without a client library would."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec

from companion.playground.interaction import Interaction
from companion.playground.local_discord import LocalDiscord
from companion.playground.vocabulary import Intent

Json = dict[str, Any]
ALL_INTENTS = (1 << 16) - 1
WITHOUT_CONTENT = ALL_INTENTS & ~int(Intent.MESSAGE_CONTENT)


@dataclass(slots=True)
class Answer:
    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> int:
        return int(self.body["code"])

    def error_codes(self, *path: str | int) -> list[str]:
        node: Json = self.body["errors"]
        for step in path:
            node = node[str(step)]
        return [str(error["code"]) for error in node["_errors"]]


class RawApp:
    """REST calls with the app's token."""

    def __init__(self, local: LocalDiscord, session: aiohttp.ClientSession) -> None:
        self.local = local
        self.session = session

    async def call(
        self, method: str, path: str, body: object = None, *, token: str | None = None
    ) -> Answer:
        headers = {"Authorization": f"Bot {token or self.local.token}"}
        return await self._send(method, path, body, headers)

    async def call_without_token(self, method: str, path: str, body: object = None) -> Answer:
        return await self._send(method, path, body, {})

    async def _send(self, method: str, path: str, body: object, headers: dict[str, str]) -> Answer:
        url = f"{self.local.api_url}/v10{path}"
        form = body if isinstance(body, aiohttp.FormData) else None
        json = None if form is not None else body
        async with self.session.request(
            method, url, data=form, json=json, headers=headers
        ) as answer:
            text = await answer.read()
            is_json = answer.headers.get("Content-Type") == "application/json"
            value = msgspec.json.decode(text) if is_json and text else text
            return Answer(answer.status, value, dict(answer.headers))

    async def callback(
        self, interaction: Interaction, kind: int, data: Json | None = None
    ) -> Answer:
        path = f"/interactions/{interaction.id}/{interaction.token}/callback"
        body: Json = {"type": kind} if data is None else {"type": kind, "data": data}
        return await self.call_without_token("POST", path, body)

    async def webhook(
        self, method: str, interaction: Interaction, suffix: str = "", body: object = None
    ) -> Answer:
        path = f"/webhooks/{self.local.application_id}/{interaction.token}{suffix}"
        return await self.call_without_token(method, path, body)

    async def original(self, method: str, interaction: Interaction, body: object = None) -> Answer:
        return await self.webhook(method, interaction, "/messages/@original", body)

    async def register(self, *names: str, **fields: object) -> None:
        commands = [{"name": name, "description": "test", **fields} for name in names]
        path = f"/applications/{self.local.application_id}/commands"
        answer = await self.call("PUT", path, commands)
        assert answer.status == 200, answer.body


@dataclass(slots=True)
class RawGateway:
    """A gateway connection that keeps what it received."""

    socket: aiohttp.ClientWebSocketResponse
    inflate: Any = None
    events: list[Json] = field(default_factory=list[Json])

    async def receive(self) -> Json | None:
        message = await self.socket.receive(timeout=3)
        if message.type is aiohttp.WSMsgType.TEXT:
            payload = msgspec.json.decode(message.data)
        elif message.type is aiohttp.WSMsgType.BINARY:
            payload = msgspec.json.decode(self.inflate.decompress(message.data))
        else:
            return None
        self.events.append(payload)
        return payload

    async def send(self, op: int, data: object) -> None:
        await self.socket.send_json({"op": op, "d": data})

    async def until(self, name: str) -> Json:
        """Return the data of the next event of that name."""
        while True:
            payload = await self.receive()
            assert payload is not None, f"closed with {self.socket.close_code} before {name}"
            if payload["t"] == name:
                return payload["d"]

    async def until_op(self, op: int) -> Json:
        while True:
            payload = await self.receive()
            assert payload is not None, f"closed with {self.socket.close_code}"
            if payload["op"] == op:
                return payload

    async def closed(self) -> int | None:
        """Return the close code, after all that came before it."""
        async with asyncio.timeout(3):
            while await self.receive() is not None:
                pass
        return self.socket.close_code

    async def identify(self, token: str, /, **fields: object) -> None:
        properties = {"os": "linux", "browser": "raw", "device": "raw"}
        data: Json = {"token": token, "intents": ALL_INTENTS, "properties": properties}
        await self.send(2, data | fields)

    async def nothing_but(self, beat: int = 7) -> list[str]:
        """Return the names of events that arrive before the answer to a heartbeat."""
        already = len(self.events)
        await self.send(1, beat)
        await self.until_op(11)
        return [str(event["t"]) for event in self.events[already:-1]]


@asynccontextmanager
async def raw_app(local: LocalDiscord) -> AsyncGenerator[RawApp]:
    async with aiohttp.ClientSession() as session:
        yield RawApp(local, session)


@asynccontextmanager
async def raw_gateway(
    app: RawApp, *, query: str = "?v=10&encoding=json", hello: bool = True
) -> AsyncGenerator[RawGateway]:
    async with app.session.ws_connect(app.local.gateway.url + query) as socket:
        inflate = zlib.decompressobj() if "zlib-stream" in query else None
        gateway = RawGateway(socket, inflate)
        if hello:
            await gateway.until_op(10)
        yield gateway


@asynccontextmanager
async def identified(app: RawApp, **fields: object) -> AsyncGenerator[RawGateway]:
    """A connection that is ready and has received its servers."""
    async with raw_gateway(app) as gateway:
        await gateway.identify(app.local.token, **fields)
        await gateway.until("READY")
        await gateway.nothing_but()
        yield gateway
