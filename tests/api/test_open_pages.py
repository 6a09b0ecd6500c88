"""Docs, description, health and metrics: who may see them, and what they show."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp
import pytest

from companion.api import manners
from companion.db.keyring import KeyRing
from tests.api.world import World, open_world

PAGES = ("/docs", "/openapi.json", "/metrics")


async def text(world: World, path: str, **headers: str) -> tuple[int, str]:
    async with world.http.get(path, headers=headers) as answer:
        return answer.status, await answer.text()


@pytest.mark.parametrize("path", [*PAGES, "/livez", "/readyz"])
async def test_on_this_machine_pages_are_open(world: World, path: str) -> None:
    assert (await text(world, path))[0] == 200


async def test_from_elsewhere_pages_need_a_token(
    database: Path, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manners, "LOOPBACK", frozenset[str]())
    async with open_world(database, ring, guarded=True) as world:
        for path in PAGES:
            assert (await text(world, path))[0] == 401
            bearer = f"Bearer {world.only_ada}"
            assert (await text(world, path, Authorization=bearer))[0] == 200
            basic = aiohttp.encode_basic_auth("any", world.only_ada)
            assert (await text(world, path, Authorization=basic))[0] == 200
        assert (await text(world, "/livez"))[0] == 200


async def test_docs_show_every_route_and_load_nothing(world: World) -> None:
    _, page = await text(world, "/docs")
    _, _, headers = await world.send("GET", "/livez")
    assert "/openai-completion" in page
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "Why is the sky blue?" in page
    assert not any(name.lower().startswith("access-control") for name in headers)


async def test_metrics_count_without_ids_or_secrets(world: World) -> None:
    await world.ask("user-canary", "prompt canary")
    await world.send("GET", "/no/such/page/canary")
    _, shown = await text(world, "/metrics")
    route = 'method="POST",route="/openai-completion",status="200"'
    assert f"companion_http_requests_total{{{route}}} 1.0" in shown
    assert 'route="other",status="404"' in shown
    assert "companion_replies_running 0.0" in shown
    assert "companion_replies_waiting 0.0" in shown
    assert "companion_discord_requests_refused 0.0" in shown
    assert "companion_event_loop_lag_seconds" in shown
    assert re.search(r"^companion_tasks [1-9]", shown, re.MULTILINE)
    assert "process_open_fds" in shown
    for secret in ("canary", "cmp_", "sk-"):
        assert secret not in shown


async def test_every_operation_is_described_with_its_errors(world: World) -> None:
    _, description, _ = await world.send("GET", "/openapi.json")
    for path, operations in description["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            if operation.get("security"):
                assert {"401", "403", "429", "503"} <= operation["responses"].keys(), path
