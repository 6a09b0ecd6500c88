"""`companion playground` as a process, used the way its page uses it."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from companion.domain.errors import ConfigurationError
from companion.llm import local_model
from companion.shell.play_model import PlayModel
from companion.shell.playing import PlayOptions, play
from tests.shell.processes import SLOW_MACHINE_S, Running, running
from tests.support.scripted_provider import ScriptedProvider

SAMPLE = ("playground", "--model", "sample", "--no-browser", "--port", "0")
STRING = 3
Json = dict[str, Any]


class Page:
    """A browser tab, without the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._asked = 0
        self.world: Json = {}

    async def open(self) -> None:
        await self._socket.send_json({"op": "hello"})
        self.world = (await self.until(lambda news: news.get("type") == "ready"))["data"]

    def place(self, name: str) -> str:
        return next(place["id"] for place in self.world["places"] if place["name"] == name)

    async def do(self, op: str, **data: object) -> None:
        self._asked += 1
        await self._socket.send_json({"op": op, "id": self._asked, "data": data})

    async def message(self, holds: Callable[[str], bool]) -> Json:
        """Wait for a message with such a text, whose answer runs no more."""
        news = await self.until(
            lambda news: (
                news.get("type") == "message"
                and holds(news["data"]["content"])
                and "Stop" not in json.dumps(news["data"])
            )
        )
        return news["data"]

    async def until(self, wanted: Callable[[Json], bool]) -> Json:
        while not wanted(news := json.loads(await self._socket.receive_str())):
            assert not news.get("error"), news
        return news


@asynccontextmanager
async def opened(command: Running) -> AsyncGenerator[Page]:
    line = await command.line("Companion is at ")
    origin = line.split()[3].rstrip("/")
    timeout = aiohttp.ClientTimeout(total=SLOW_MACHINE_S)
    async with aiohttp.ClientSession(origin, timeout=timeout) as session:
        async with session.get("/") as answer:
            assert answer.status == 200
            assert "<html" in await answer.text()
        async with session.ws_connect("/play", headers={"Origin": origin}) as socket:
            page = Page(socket)
            await page.open()
            yield page


async def ask(page: Page, prompt: str) -> None:
    general = page.place("general")
    await page.do("open", channel=general)
    option = {"name": "prompt", "type": STRING, "value": prompt}
    await page.do("invoke", channel=general, name="ask", options=[option])


async def test_command_typed_on_the_page_is_answered_by_samples(tmp_path: Path) -> None:
    async with running(*SAMPLE) as command:
        assert "sample" in await command.line("Companion is at ")
        async with opened(command) as page:
            assert "sample" in page.world["banner"]
            await ask(page, "hello there")
            answer = await page.message(lambda text: "sample" in text and "-#" in text)
        assert "Regenerate" in json.dumps(answer["components"])
        command.signal(signal.SIGINT)
        assert await command.ended() == 0
        assert len(command.out) == 1
        assert command.log == []
    assert list((tmp_path / "data" / "playground").iterdir()) == []  # nothing is remembered


async def test_provider_of_the_environment_answers_by_itself() -> None:
    async with (
        ScriptedProvider.start() as provider,
        running(
            *("playground", "--no-browser", "--port", "0", "--seed-demo"),
            OPENAI_API_KEY="sk-playground-canary-0123456789",
            OPENAI_BASE_URL=provider.base_url,
            DATABASE_URL="postgresql://in.earnest/never-touched",
            DISCORD_TOKEN="a.token.in.earnest",
        ) as command,
    ):
        assert "gpt-6-luna" in await command.line("Companion is at ")
        async with opened(command) as page:
            await ask(page, "hello there")
            await page.message(lambda text: "scripted provider" in text)
        command.signal(signal.SIGTERM)
        assert await command.ended() == 0
    assert {chat.key for chat in provider.chats} == {"sk-playground-canary-0123456789"}


def options(host: str = "127.0.0.1", port: int = 0) -> PlayOptions:
    return PlayOptions(
        host=host, port=port, open_browser=False, seed_demo=False, model=PlayModel.SAMPLE
    )


def test_taken_port_is_told_before_anything_starts() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigurationError) as caught:
            play(options(port=taken.getsockname()[1]))
    assert caught.value.variable == "--host --port"


@pytest.mark.parametrize("host", ["::1", "256.0.0.1"])
def test_address_that_cannot_be_is_told(host: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        play(options(host=host))
    assert caught.value.variable.startswith("--host")


async def test_without_a_download_samples_answer() -> None:
    if not local_model.installed():
        pytest.skip("the extra `local` is not installed: falling back was NOT tried")
    nowhere = "http://127.0.0.1:1/simple"
    async with running(
        "playground", "--no-browser", "--port", "0", PIP_INDEX_URL=nowhere, PIP_RETRIES="0"
    ) as command:
        assert "sample" in await command.line("Companion is at ")
        assert "cannot be downloaded" in command.text
        command.signal(signal.SIGINT)
        assert await command.ended() == 0
