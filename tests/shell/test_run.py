"""`companion run` as a process, against a local Discord and a scripted provider."""

from __future__ import annotations

import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from companion.playground.interaction import Interaction
from companion.playground.local_discord import LocalDiscord
from tests.shell.processes import Running, run, running
from tests.support.provider_script import Answer
from tests.support.scripted_provider import ScriptedProvider

OPERATOR_KEY = "sk-operator-canary-0123456789abcdef"
TYPED_KEY = "sk-typed-canary-0123456789abcdef"
SLOW = Answer(text="word " * 200, tokens_per_s=100)


@dataclass(slots=True, kw_only=True)
class Deployment:
    discord: LocalDiscord
    provider: ScriptedProvider

    @asynccontextmanager
    async def run(self, *arguments: str, **more: str) -> AsyncGenerator[Running]:
        environment = {
            "DISCORD_TOKEN": self.discord.token,
            "DISCORD_API_URL": self.discord.api_url,
            "OPENAI_API_KEY": OPERATOR_KEY,
            "OPENAI_BASE_URL": self.provider.base_url,
            "COMPANION_HTTP_PORT": "0",
        }
        async with running("run", *arguments, **environment | more) as command:
            yield command

    async def ask(self, prompt: str) -> Interaction:
        return await self.discord.invoke("Ada", "general", "ask", {"prompt": prompt})


@pytest.fixture
async def deployment(migrated_data: None) -> AsyncGenerator[Deployment]:
    async with LocalDiscord.start() as discord, ScriptedProvider.start() as provider:
        yield Deployment(discord=discord, provider=provider)


async def readiness(origin: str) -> tuple[int, dict[str, str]]:
    async with aiohttp.ClientSession() as session, session.get(f"{origin}/readyz") as answer:
        parts = (await answer.json())["parts"]
        return answer.status, {name: part["detail"] for name, part in parts.items()}


def runs(interaction: Interaction) -> bool:
    return "Stop" in labels(interaction)


def labels(interaction: Interaction) -> set[object]:
    return {button.get("label") for m in interaction.messages for button in m.buttons()}


async def test_signal_lets_a_running_reply_finish(deployment: Deployment, tmp_path: Path) -> None:
    deployment.provider.script(SLOW)
    async with deployment.run() as command:
        origin = (await command.event("listening"))["url"]
        await command.event("ready")
        assert (await readiness(origin))[0] == 200

        asked = await deployment.ask("a long story")
        await asked.until(runs, 10)
        command.signal(signal.SIGTERM)
        await command.event("draining")
        status, parts = await readiness(origin)
        assert (status, parts["process"]) == (503, "draining")
        refused = await deployment.ask("one more")
        await refused.answered(3)
        assert "restart" in refused.text.lower()

        await asked.until(lambda seen: not runs(seen), 20)
        assert asked.text.count("word") == 200
        assert await command.ended() == 0
    assert len(deployment.provider.chats) == 1
    assert not deployment.discord.gateway.online
    left = {path.name for path in (tmp_path / "data").iterdir()}
    assert left == {"companion.db", "keyring", "sessions.json"}  # no write-ahead log


async def test_second_signal_ends_at_once(deployment: Deployment) -> None:
    deployment.provider.script(SLOW)
    async with deployment.run("--no-http") as command:
        await command.event("ready")
        asked = await deployment.ask("a long story")
        await asked.until(runs, 10)
        command.signal(signal.SIGINT)
        await command.event("draining")
        command.signal(signal.SIGINT)
        assert await command.ended() == 128 + signal.SIGINT
    assert runs(asked)


async def test_no_secret_is_logged_at_debug(deployment: Deployment) -> None:
    async with deployment.run("--no-http", COMPANION_LOG_LEVEL="DEBUG") as command:
        await command.event("ready")
        form = await deployment.discord.invoke("Ada", "general", "setkey")
        await form.until(lambda seen: seen.modal is not None)
        sent = await deployment.discord.submit_modal(
            form, {"api_key": TYPED_KEY, "keep_for": ["until_removed"]}
        )
        await sent.answered()
        asked = await deployment.ask("a prompt that is nobody's business")
        await asked.until(lambda seen: "Regenerate" in labels(seen), 10)
        command.signal(signal.SIGTERM)
        assert await command.ended() == 0
    assert deployment.provider.chats[-1].key == TYPED_KEY
    for secret in (OPERATOR_KEY, TYPED_KEY, deployment.discord.token, asked.token, "nobody's"):
        assert secret not in command.text


async def test_refused_token_exits_with_2(deployment: Deployment) -> None:
    wrong = deployment.discord.token[:-4] + "0000"
    async with deployment.run("--no-http", DISCORD_TOKEN=wrong) as command:
        assert await command.ended() == 2
    assert command.log[-1]["event"].startswith("companion: DISCORD_TOKEN")
    assert "Traceback" not in command.text
    assert wrong not in command.text


@pytest.mark.usefixtures("migrated_data")
async def test_unreachable_discord_exits_with_3() -> None:
    ended = await run(
        "run",
        "--no-http",
        DISCORD_TOKEN="MTIz.GhIjKl.aBcDeFgHiJkLmNoPqRsTuVwXyZ",
        DISCORD_API_URL="http://127.0.0.1:1/api",
    )
    assert ended.code == 3
    assert "Discord" in ended.err.splitlines()[-1]
    assert "Traceback" not in ended.err


@pytest.mark.usefixtures("migrated_data")
async def test_api_alone_needs_no_token_and_stops_cleanly() -> None:
    async with running("run", "--no-discord", COMPANION_HTTP_PORT="0") as command:
        origin = (await command.event("listening"))["url"]
        await command.event("ready")
        status, parts = await readiness(origin)
        assert (status, parts["gateway"]) == (200, "off")
        command.signal(signal.SIGTERM)
        assert await command.ended() == 0


@pytest.mark.parametrize(
    ("arguments", "environment", "variable"),
    [
        (("--no-discord", "--no-http"), {}, "--no-discord --no-http"),
        (("--no-discord",), {"COMPANION_HTTP_HOST": "::"}, "COMPANION_HTTP_HOST"),
    ],
)
async def test_what_cannot_run_is_refused_in_a_sentence(
    arguments: tuple[str, ...], environment: dict[str, str], variable: str
) -> None:
    ended = await run("run", *arguments, **environment)
    assert ended.code == 2
    assert ended.sentence.startswith(f"companion: {variable} ")
