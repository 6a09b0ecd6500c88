from __future__ import annotations

import logging

import pytest
import structlog

from companion.playground.state import Upload
from tests.e2e.world import World, only
from tests.support.provider_script import WRONG_KEY, Answer, Status
from tests.support.wiring import OPERATOR_KEY

KEY = "sk-proj-canary-" + "f" * 40 + "WXYZ"
PROMPT = "prompt-canary-28d1"
ANSWER = "answer-canary-93c7"


async def test_no_secret_in_any_log_at_debug(
    world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as events:
        world.provider.default = Answer(text=ANSWER)
        await world.set_key(KEY)
        await world.set_key(KEY + "\nx")
        asked = await world.ask(PROMPT)
        world.provider.models_status = WRONG_KEY
        await world.set_key(KEY + "2")
        world.provider.default = Status(status=500, message=ANSWER)
        await world.ask(PROMPT, private=True)
        await world.run("clear", scope=PROMPT)
    captured = capfd.readouterr()
    sinks = caplog.text + repr(events) + captured.out + captured.err
    tokens = [asked.token, world.discord.token]
    for secret in (KEY, OPERATOR_KEY, PROMPT, ANSWER, *tokens):
        assert secret not in sinks
    assert caplog.records


HOSTILE = "@everyone @here <@{id}> <@&{role}>"


async def test_nothing_pings(world: World) -> None:
    grace = world.discord.world.person("Grace")
    guild = world.discord.world.guild("Playground")
    text = HOSTILE.format(id=grace.id, role=guild.id)
    world.provider.default = Answer(text=f"{text} " * 30)
    asked = await world.ask(text)
    await world.click(asked.messages[-1], "Regenerate")
    await world.ask(text, private=True)
    await world.ask("Hi.", model=text)
    await world.run("clear", scope=text)
    await world.run("help", command=text)
    named = Upload(filename=f"{text}.bin", content=bytes(range(256)))
    await world.ask("Read.", uploads=(named,))
    world.provider.default = Status(status=400, message=text, code=text)
    await world.ask(text)
    assert world.discord.pings == []


async def test_key_is_shown_by_its_last_four_only_to_its_owner(world: World) -> None:
    saved = await world.set_key(KEY)
    assert only(saved).ephemeral
    dm = world.discord.world.dm("Ada")
    for shown in (saved, await world.run("help"), await world.run("help", where=dm)):
        assert only(shown).ephemeral
        assert "`…WXYZ`" in shown.text
        assert KEY not in shown.text
