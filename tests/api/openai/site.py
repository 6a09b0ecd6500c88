"""The HTTP door on a real socket, with a real database and a scripted provider behind it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import openai

from companion.api.app import build_api
from companion.api.server import serving
from companion.db.keyring import KeyRing
from companion.db.uow import SqlStore
from companion.domain.tokens import EVERY_SCOPE, TokenScope
from companion.limits.memory import BucketSize
from companion.llm.client import ProviderTimings
from companion.services.container import Services
from tests.api.world import Ready
from tests.support.scripted_provider import ScriptedProvider
from tests.support.wiring import PLENTY, Wish, opened

QUICK = ProviderTimings(first_event_s=2.0, between_events_s=1.0, whole_answer_s=5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What there is, and short ways to use it."""

    origin: str
    provider: ScriptedProvider
    services: Services
    store: SqlStore
    database: Path
    http: aiohttp.ClientSession
    token: str
    closing: AsyncExitStack

    def sdk(self, token: str | None = None) -> openai.AsyncOpenAI:
        """Return the official client, which only knows where we are and our token."""
        client = openai.AsyncOpenAI(
            base_url=f"{self.origin}/modules/openai", api_key=token or self.token, max_retries=0
        )
        self.closing.push_async_callback(client.close)
        return client

    async def new_token(self, name: str = "program", *scopes: TokenScope) -> str:
        """Return a token of another program."""
        made = await self.services.tokens.create(name, scopes=frozenset(scopes or EVERY_SCOPE))
        return made.text.reveal()

    def post(self, path: str, **options: Any) -> Any:
        """Post under OpenAI's routes."""
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})
        return self.http.post(f"/modules/openai{path}", headers=headers, **options)

    def get(self, path: str) -> Any:
        """Get under OpenAI's routes."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.http.get(f"/modules/openai{path}", headers=headers)

    async def rows(self) -> list[dict[str, Any]]:
        """Return the log, oldest first, once all ends are written."""
        await self.services.relay.settled()
        connection = sqlite3.connect(self.database)
        connection.row_factory = sqlite3.Row
        try:
            found = connection.execute("SELECT * FROM provider_calls ORDER BY started_at, rowid")
            return [dict(row) for row in found]
        finally:
            connection.close()


@asynccontextmanager
async def open_site(
    database: Path, ring: KeyRing, *, user_bucket: BucketSize = PLENTY
) -> AsyncGenerator[Site]:
    """Serve on a migrated database, until the block ends."""
    url = f"sqlite+aiosqlite:///{database}"
    wish = Wish(user_bucket=user_bucket, timings=QUICK)
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(ScriptedProvider.start())
        store, services = await stack.enter_async_context(
            opened(url, ring, provider.base_url, wish)
        )
        origin = await stack.enter_async_context(
            serving(build_api(Ready(), services), host="127.0.0.1", port=0)
        )
        http = await stack.enter_async_context(aiohttp.ClientSession(origin))
        token = (await services.tokens.create("tests")).text.reveal()
        yield Site(
            origin=origin,
            provider=provider,
            services=services,
            store=store,
            database=database,
            http=http,
            token=token,
            closing=stack,
        )


async def events_of(answer: aiohttp.ClientResponse) -> list[str]:
    """Return the data of all events of a stream."""
    body = (await answer.read()).decode()
    return [line.removeprefix("data: ") for line in body.split("\n") if line.startswith("data: ")]
