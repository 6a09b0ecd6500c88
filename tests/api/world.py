"""The HTTP door on a real socket, with everything behind it real but the model provider."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from companion.api.app import ApiConfig, build_api
from companion.api.connections import Connections
from companion.api.routes.health import Part
from companion.api.server import serving
from companion.db.keyring import KeyRing
from companion.db.uow import SqlStore
from companion.limits.memory import BucketSize
from companion.llm.local_prices import LocalPrices
from companion.services.container import Services
from tests.support.scripted_provider import ScriptedProvider
from tests.support.wiring import PLENTY, Wish, opened

Answered = tuple[int, Any, Mapping[str, str]]


class Ready:
    """A process that is ready, or draining."""

    def __init__(self) -> None:
        self.draining = False

    async def parts(self) -> Mapping[str, Part]:
        return {"process": Part(ok=not self.draining, detail="up")}


@dataclass(slots=True, kw_only=True)
class World:
    """Everything a test looks at. `act_as` and `only_ada` are the texts of two tokens."""

    provider: ScriptedProvider
    services: Services
    store: SqlStore
    ready: Ready
    origin: str
    http: aiohttp.ClientSession
    act_as: str
    only_ada: str

    @property
    def port(self) -> int:
        return int(self.origin.rpartition(":")[2])

    async def ask(self, user_id: str = "ada", prompt: str = "Why?", **more: Any) -> Answered:
        """Post a prompt; options of the request itself go in `token` and `headers`."""
        headers = more.pop("headers", {})
        token = more.pop("token", self.act_as)
        body = {"user_id": user_id, "prompt": prompt, **more}
        return await self.send("POST", "/openai-completion", token, json=body, headers=headers)

    async def send(self, method: str, path: str, token: str | None = None, **more: Any) -> Answered:
        """Send any request; returns status, JSON and headers."""
        headers = {**more.pop("headers", {})}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        async with self.http.request(method, path, headers=headers, **more) as answer:
            return answer.status, await answer.json(content_type=None), answer.headers

    def prompts(self, chat: int = -1) -> list[str]:
        """Return the texts that the provider got."""
        return [message["content"] for message in self.provider.chats[chat].body["messages"]]


@asynccontextmanager
async def open_world(
    database: Path,
    ring: KeyRing,
    *,
    user_bucket: BucketSize = PLENTY,
    guarded: bool = False,
    connections: Connections | None = None,
) -> AsyncGenerator[World]:
    """Serve on a migrated database."""
    url = f"sqlite+aiosqlite:///{database}"
    wish = Wish(prices=LocalPrices(8192), user_bucket=user_bucket, at_once=1000)
    async with (
        ScriptedProvider.start(validate=False) as provider,
        opened(url, ring, provider.base_url, wish) as (store, services),
    ):
        ready = Ready()
        app = build_api(ready, services, config=ApiConfig(guarded=guarded))
        act_as = (await services.tokens.create("backend", act_as=True)).text.reveal()
        only_ada = (await services.tokens.create("ada's", user_ids=["ada"])).text.reveal()
        async with (
            serving(app, host="127.0.0.1", port=0, connections=connections) as origin,
            aiohttp.ClientSession(origin) as http,
        ):
            yield World(
                provider=provider,
                services=services,
                store=store,
                ready=ready,
                origin=origin,
                http=http,
                act_as=act_as,
                only_ada=only_ada,
            )


async def raw(port: int, data: bytes, *, wait_s: float = 5.0) -> bytes:
    """Send bytes as they are; return all that comes back until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        async with asyncio.timeout(wait_s):
            return await reader.read()
    finally:
        writer.close()
