from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator

import pytest
from discord.http import Route

from companion import settings
from companion.bootstrap import open_app
from companion.model_source import from_provider
from companion.playground.local_discord import LocalDiscord
from companion.playground.vocabulary import Intent
from companion.shell import checkup, doctor, keys
from companion.shell.checkup import (
    COMMANDS,
    DATABASE,
    DISCORD,
    INTENTS,
    KEYS,
    PROVIDER,
    REDIS,
    Finding,
    State,
)
from companion.shell.sentences import Exit
from companion.storage import opened_store
from tests.support.provider_script import Status
from tests.support.scripted_provider import ScriptedProvider

KEY = "sk-doctor-canary-0123456789abcdef"


@pytest.fixture
async def discord(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[LocalDiscord]:
    monkeypatch.setattr(Route, "API_BASE_URL", Route.API_BASE_URL)  # the door sets it
    async with LocalDiscord.start() as discord:
        monkeypatch.setenv("DISCORD_TOKEN", discord.token)
        monkeypatch.setenv("DISCORD_API_URL", discord.api_url)
        yield discord


@pytest.fixture
async def provider(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[ScriptedProvider]:
    async with ScriptedProvider.start() as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        yield provider


async def findings() -> dict[str, Finding]:
    found = await doctor.examined(settings.load())
    assert all(finding.fix for finding in found if finding.state is State.FAILED)
    assert KEY not in checkup.as_table(found) + checkup.as_json(found)
    return {finding.check: finding for finding in found}


async def states(*checks: str) -> dict[str, str]:
    found = await findings()
    return {check: found[check].state.value for check in checks or found}


async def test_healthy_deployment_has_nothing_to_mend(
    discord: LocalDiscord, provider: ScriptedProvider
) -> None:
    loaded = settings.load()
    stop = asyncio.Event()
    async with open_app(loaded, from_provider(loaded), http=False) as app:
        running = asyncio.create_task(app.run(stop))
        await discord.wait_for_commands(["ask", "setkey", "clear", "help"])
        stop.set()
        await running
    found = await states()
    assert found.pop(REDIS) == "skipped"
    assert set(found.values()) == {"ok"}


async def test_before_the_first_start_only_the_commands_are_missing(
    discord: LocalDiscord, provider: ScriptedProvider
) -> None:
    found = await findings()
    assert [check for check, one in found.items() if one.state is State.FAILED] == [COMMANDS]
    assert not settings.load().data_dir.exists()  # looking changes nothing


async def test_wrong_token_is_told(
    discord: LocalDiscord, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", discord.token[:-4] + "0000")
    found = await findings()
    assert "refuses this token" in found[DISCORD].detail
    assert found[COMMANDS].state is State.SKIPPED


async def test_missing_intent_is_told(
    discord: LocalDiscord, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPANION_MESSAGE_CONTENT", "true")
    assert await states(INTENTS) == {INTENTS: "ok"}
    discord.application.privileged = Intent(0)
    assert await states(INTENTS) == {INTENTS: "failed"}


async def test_nothing_reachable_is_told_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = "127.0.0.1:1"
    monkeypatch.setenv("DISCORD_TOKEN", "a.token.that-leads-nowhere")
    monkeypatch.setenv("DISCORD_API_URL", f"http://{nowhere}/api")
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://{nowhere}/v1")
    monkeypatch.setenv("DATABASE_URL", f"postgresql://companion@{nowhere}/companion")
    monkeypatch.setenv("REDIS_URL", f"redis://{nowhere}/0")
    assert await states(DISCORD, DATABASE, REDIS, PROVIDER) == dict.fromkeys(
        (DISCORD, DATABASE, REDIS, PROVIDER), "failed"
    )


async def test_wrong_and_lost_rings_are_told(
    provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = settings.load()
    async with opened_store(loaded):
        pass
    assert await states(DATABASE, KEYS) == {DATABASE: "ok", KEYS: "ok"}
    monkeypatch.setenv("COMPANION_KEYRING", keys.new())
    assert await states(KEYS) == {KEYS: "failed"}
    monkeypatch.delenv("COMPANION_KEYRING")
    (loaded.data_dir / "keyring").unlink()
    assert await states(KEYS) == {KEYS: "failed"}
    assert not (loaded.data_dir / "keyring").exists()


@pytest.mark.parametrize(
    ("answer", "state", "detail"),
    [
        (Status(status=401, code="invalid_api_key"), "failed", "refuses OPENAI_API_KEY"),
        (Status(status=403), "ok", "may not list"),
        (Status(status=429, code="insufficient_quota"), "failed", "no credit"),
        (Status(status=404), "failed", "strangely"),
    ],
)
async def test_what_the_provider_says_of_the_key_is_told(
    provider: ScriptedProvider, answer: Status, state: str, detail: str
) -> None:
    provider.models_status = answer
    found = (await findings())[PROVIDER]
    assert found.state == state
    assert detail in found.detail


async def test_default_model_that_is_not_offered_is_told(
    provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPANION_DEFAULT_MODEL", "gpt-0-nova")
    found = (await findings())[PROVIDER]
    assert "gpt-0-nova" in found.detail
    assert "gpt-6-luna" in found.fix


async def test_without_an_operator_key_the_provider_only_has_to_answer(
    provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    provider.models_status = Status(status=401, code="invalid_api_key")
    found = (await findings())[PROVIDER]
    assert found.state is State.OK
    assert "/setkey" in found.detail


def test_wrong_setting_is_a_row_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPANION_HTTP_PORT", "http")
    words, code = doctor.examine(as_json=True)
    report = json.loads(words)
    assert code is Exit.FAILED
    assert report["ok"] is False
    assert "COMPANION_HTTP_PORT" in report["checks"][0]["detail"]


def test_table_has_a_fix_below_what_failed() -> None:
    rows = [checkup.fine(DATABASE, "fine"), checkup.failed(PROVIDER, "broken", "mend it")]
    lines = checkup.as_table(rows).splitlines()
    assert "ok" in lines[0]
    assert "broken" in lines[1]
    assert "mend it" in lines[2]
