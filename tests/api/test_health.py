from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Mapping

import aiohttp
import pytest

from companion.api.app import build_api
from companion.api.routes.health import Part
from companion.api.server import serving
from companion.domain.errors import ConfigurationError
from tests.services.house import House


class Parts:
    def __init__(self) -> None:
        self.down: set[str] = set()
        self.draining = False

    async def parts(self) -> Mapping[str, Part]:
        names = ("process", "gateway", "database")
        return {
            name: Part(ok=name not in self.down, detail="down" if name in self.down else "up")
            for name in names
        }


@pytest.fixture
def parts() -> Parts:
    return Parts()


@pytest.fixture
async def client(parts: Parts) -> AsyncGenerator[aiohttp.ClientSession]:
    async with (
        serving(build_api(parts, House().services), host="127.0.0.1", port=0) as origin,
        aiohttp.ClientSession(origin) as session,
    ):
        yield session


async def test_alive_asks_nobody(client: aiohttp.ClientSession, parts: Parts) -> None:
    parts.down = {"process", "gateway", "database"}
    async with client.get("/livez") as answer:
        assert answer.status == 200
        assert await answer.json() == {"status": "alive"}


async def test_ready_when_all_parts_are(client: aiohttp.ClientSession) -> None:
    async with client.get("/readyz") as answer:
        body = await answer.json()
        assert answer.status == 200
        assert body["status"] == "ready"
        assert body["parts"]["gateway"] == {"ok": True, "detail": "up"}


@pytest.mark.parametrize("part", ["process", "gateway", "database"])
async def test_each_part_takes_readiness_away(
    client: aiohttp.ClientSession, parts: Parts, part: str
) -> None:
    parts.down = {part}
    async with client.get("/readyz") as answer:
        body = await answer.json()
        assert answer.status == 503
        assert [name for name, one in body["parts"].items() if not one["ok"]] == [part]


async def test_every_answer_has_a_request_id_of_its_own(client: aiohttp.ClientSession) -> None:
    ids: set[str] = set()
    for path in ("/livez", "/readyz", "/nothing-here"):
        async with client.get(path) as answer:
            assert answer.content_type == "application/json"
            ids.add(answer.headers["X-Request-ID"])
    assert len(ids) == 3
    assert all(ids)


async def test_description_is_served(client: aiohttp.ClientSession) -> None:
    async with client.get("/openapi.json") as answer:
        assert {"/livez", "/readyz"} <= (await answer.json())["paths"].keys()


async def test_taken_port_is_told_by_its_variable(parts: Parts) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError) as caught:
            async with serving(build_api(parts, House().services), host="127.0.0.1", port=port):
                pass
    assert caught.value.variable == "COMPANION_HTTP_PORT"


async def test_unknown_address_is_told_by_its_variable(parts: Parts) -> None:
    with pytest.raises(ConfigurationError) as caught:
        async with serving(build_api(parts, House().services), host="256.0.0.1", port=0):
            pass
    assert caught.value.variable == "COMPANION_HTTP_HOST"


async def test_open_connections_do_not_hold_up_the_end(parts: Parts) -> None:
    async with asyncio.timeout(5):
        async with serving(build_api(parts, House().services), host="127.0.0.1", port=0) as origin:
            port = int(origin.rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readuntil(b"alive")
        assert await reader.read() is not None
        writer.close()
        await writer.wait_closed()
