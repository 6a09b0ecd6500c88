"""The real model, when the extra `local` is there and its file can be had."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from platformdirs import user_cache_path

from companion.domain.models import ModelId
from companion.domain.usage import Usage
from companion.llm import local_model
from companion.llm.local_model import LocalModelUnavailable
from companion.llm.local_prices import LocalPrices
from companion.llm.local_server import SLOTS, LocalServer, open_local_server

pytestmark = pytest.mark.local_model
PARENT = """
import asyncio, pathlib, sys
from companion.llm.local_server import open_local_server
async def main():
    async with open_local_server(pathlib.Path(sys.argv[1])) as server:
        print(server.pid, flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""
CACHE = user_cache_path("companion-tests", appauthor=False)


@pytest.fixture(scope="module")
def file() -> Path:
    """Return the model's file, fetched once for all test runs of this machine."""
    if not local_model.installed():
        pytest.skip("the extra `local` is not installed: the local model was NOT tried")
    try:
        return local_model.find(None, CACHE) or asyncio.run(
            local_model.fetch(CACHE, lambda done, total: None)
        )
    except LocalModelUnavailable as error:
        pytest.skip(f"the local model's file is not there ({error}): it was NOT tried")


@pytest.fixture
async def server(file: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[LocalServer]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-of-the-parent")
    async with open_local_server(file) as server:
        yield server


@pytest.fixture
async def client() -> AsyncGenerator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        yield session


async def chat(
    client: aiohttp.ClientSession, server: LocalServer, prompt: str, **more: object
) -> list[dict[str, Any]]:
    body = {
        "model": server.model,
        "stream": True,
        "messages": [{"role": "user", "content": prompt}],
        "stream_options": {"include_usage": True},
    }
    async with client.post(f"{server.base_url}/chat/completions", json=body | more) as answer:
        assert answer.status == 200
        return [
            json.loads(line.removeprefix(b"data: "))
            async for line in answer.content
            if line.startswith(b"data: {")
        ]


def text(chunks: list[dict[str, Any]]) -> str:
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


async def test_it_speaks_openais_protocol_to_several_at_once(
    client: aiohttp.ClientSession, server: LocalServer
) -> None:
    async with client.get(f"{server.base_url}/models") as answer:
        assert [model["id"] for model in (await answer.json())["data"]] == ["smollm2-135m-instruct"]
    prompt = "What is the capital of France?"
    answers = await asyncio.gather(
        *(chat(client, server, prompt, max_tokens=20, temperature=0) for _ in range(SLOTS + 1))
    )
    assert all("Paris" in text(answer) for answer in answers)
    assert all(0 < answer[-1]["usage"]["completion_tokens"] <= 20 for answer in answers)


async def test_answers_end_unless_more_is_asked_for(
    client: aiohttp.ClientSession, file: Path
) -> None:
    async with open_local_server(file, longest_answer=12) as server:
        answer = await chat(client, server, "Hello!", ignore_eos=True)
    assert answer[-1]["usage"]["completion_tokens"] == 12
    finishes = [choice["finish_reason"] for chunk in answer for choice in chunk["choices"]]
    assert finishes[-1] == "length"


async def test_child_gets_no_secrets_and_less_of_the_processor(server: LocalServer) -> None:
    child = psutil.Process(server.pid)
    environment = child.environ()
    assert "OPENAI_API_KEY" not in environment
    assert not any("canary" in value for value in environment.values())
    assert child.nice() > psutil.Process().nice()


async def test_end_does_not_wait_for_running_answers(
    file: Path, client: aiohttp.ClientSession
) -> None:
    async with open_local_server(file) as server:
        asking = asyncio.create_task(chat(client, server, "Write a long story."))
        await asyncio.sleep(0.5)
        began = time.monotonic()
    assert time.monotonic() - began < 5
    assert not psutil.pid_exists(server.pid)
    await asyncio.gather(asking, return_exceptions=True)


async def test_child_does_not_outlive_a_killed_parent(file: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, str(file)), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    child = psutil.Process(int(await parent.stdout.readline()))
    parent.kill()
    await parent.wait()
    await asyncio.to_thread(child.wait, 10)


async def test_file_that_is_no_model_does_not_start(tmp_path: Path, file: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(file.read_bytes()[: 2**20])
    with pytest.raises(LocalModelUnavailable) as caught:
        async with open_local_server(broken):
            pass
    assert caught.value.reason == "not_started"


def test_local_answers_cost_nothing() -> None:
    prices = LocalPrices(8192)
    usage = Usage(prompt_tokens=1000, completion_tokens=1000)
    assert prices.cost(ModelId("m"), usage, "http://127.0.0.1:1/v1") == 0
    assert prices.context_tokens(ModelId("m")) == 8192
