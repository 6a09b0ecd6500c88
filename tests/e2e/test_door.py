from __future__ import annotations

import asyncio

import pytest

from companion.bot.app import DiscordConfig, DiscordDoor
from companion.clock import SystemClock
from companion.domain.errors import ConfigurationError, RateLimited
from companion.domain.gateway_errors import ConnectionsUsedUp
from companion.domain.secrets import Secret
from companion.playground.faults import CALLBACK
from tests.e2e.world import World, body, running, until
from tests.support.provider_script import Answer

COMMANDS = "/applications/{application_id}/commands"


def another_door(world: World, token: str | None = None) -> DiscordDoor:
    config = DiscordConfig(
        token=Secret(token or world.discord.token), api_url=world.discord.api_url
    )
    return DiscordDoor(world.services, config, SystemClock())


def writes(world: World) -> list[str]:
    return [
        r.method for r in world.discord.requests if r.template == COMMANDS and r.method != "GET"
    ]


async def test_second_start_registers_nothing(world: World) -> None:
    assert writes(world) == ["PUT"]
    await world.door.close()
    async with running(another_door(world)):
        await until(lambda: len(world.discord.requests.of("GET", COMMANDS)) == 2)
    assert writes(world) == ["PUT"]


async def test_changed_command_is_registered_again(world: World) -> None:
    await world.door.close()
    world.discord.commands()[0]["description"] = "An older wording"
    async with running(another_door(world)):
        await until(lambda: writes(world) == ["PUT", "PUT"])
    assert world.discord.commands()[0]["description"] != "An older wording"


async def test_failed_registration_does_not_keep_commands_from_working(world: World) -> None:
    await world.door.close()
    world.discord.faults.fail("GET", COMMANDS, 403)
    async with running(another_door(world)):
        assert body(await world.ask("Hi."))


async def test_buttons_work_after_a_restart(world: World) -> None:
    asked = await world.ask("Hi.")
    await world.door.close()
    async with running(another_door(world)):
        again = await world.click(asked.messages[-1], "Regenerate")
        assert body(again) == "Hello from the scripted provider."


async def test_wrong_token_names_the_setting(world: World) -> None:
    with pytest.raises(ConfigurationError) as caught:
        await another_door(world, token="not-the-token").run()
    assert caught.value.variable == "DISCORD_TOKEN"
    assert "not-the-token" not in repr(caught.value)


@pytest.mark.parametrize(
    ("code", "variable"),
    [
        (4004, "DISCORD_TOKEN"),
        (4010, "COMPANION_SHARD_COUNT"),
        (4011, "COMPANION_SHARD_COUNT"),
        (4013, "COMPANION_MESSAGE_CONTENT"),
        (4014, "COMPANION_MESSAGE_CONTENT"),
    ],
)
async def test_fatal_close_code_ends_the_door(world: World, code: int, variable: str) -> None:
    await world.door.close()
    door = another_door(world)
    run = asyncio.create_task(door.run())
    await door.ready.wait()
    world.discord.faults.drop_gateway(code)
    with pytest.raises(ConfigurationError) as caught:
        await asyncio.wait_for(run, 5.0)
    assert caught.value.variable == variable
    assert not door.is_ready


async def test_token_that_is_reset_while_it_runs_ends_the_door(world: World) -> None:
    await world.door.close()
    door = another_door(world)
    run = asyncio.create_task(door.run())
    await door.ready.wait()
    world.discord.application.token = "reset"
    await world.say(f"<@{world.discord.application_id}> Hi.")
    with pytest.raises(ConfigurationError) as caught:
        await asyncio.wait_for(run, 10.0)
    assert caught.value.variable == "DISCORD_TOKEN"
    assert 1 <= door.refused == world.discord.requests.invalid <= 3


async def test_last_connections_of_the_day_are_kept(world: World) -> None:
    await world.door.close()
    world.discord.gateway.identifies = 960
    with pytest.raises(ConnectionsUsedUp) as caught:
        await another_door(world).run()
    assert caught.value.left == 40
    assert world.discord.gateway.identifies == 960


async def test_discord_out_of_reach_is_no_configuration_error(world: World) -> None:
    config = DiscordConfig(token=Secret("t"), api_url="http://127.0.0.1:9/api")
    with pytest.raises(ConnectionError):
        await DiscordDoor(world.services, config, SystemClock()).run()


async def test_dropped_gateway_is_resumed_and_loses_no_command(world: World) -> None:
    await world.ask("Before.")
    world.discord.faults.drop_gateway()
    asked = await world.start("ask", prompt="While away.")
    assert body(await world.settled(asked)) == "Hello from the scripted provider."
    assert len(world.provider.chats) == 2


async def test_draining_finishes_what_runs_and_refuses_what_comes(world: World) -> None:
    world.provider.script(Answer(text="slow " * 40, tokens_per_s=80))
    asked = await world.start("ask", prompt="Slowly.")
    await asked.until(lambda seen: "slow" in seen.text)
    draining = asyncio.create_task(world.door.drain(10.0))
    await asyncio.sleep(0)
    late = await world.run("ask", prompt="Too late.")
    assert "restarting" in late.text
    await draining
    assert body(asked).strip() == ("slow " * 40).strip()
    assert len(world.provider.chats) == 1


async def test_closing_cuts_what_is_left_and_keeps_its_text(world: World) -> None:
    world.provider.script(Answer(text="slow " * 400, tokens_per_s=40))
    asked = await world.start("ask", prompt="Slowly.")
    await asked.until(lambda seen: "slow" in seen.text)
    await world.door.drain(0.1)
    await world.door.close()
    await asyncio.wait_for(world.running, 5.0)
    assert "slow" in asked.text
    assert not world.door.is_ready


async def test_closed_before_it_connected(world: World) -> None:
    await world.door.close()
    door = another_door(world)
    run = asyncio.create_task(door.run())
    await asyncio.sleep(0)
    await door.close()
    await asyncio.wait_for(run, 5.0)


async def test_draining_waits_until_a_refusal_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = asyncio.Event()

    def refuse(*_: object) -> None:
        refused.set()
        raise RateLimited(scope="user", retry_after_s=30.0)

    monkeypatch.setattr(type(world.services.chat), "knock", refuse)
    world.discord.faults.delay("POST", CALLBACK, 0.3)
    asked = await world.start("ask", prompt="Hi.")
    await asyncio.wait_for(refused.wait(), 5.0)
    await world.door.drain(10.0)
    assert "Ask again" in asked.text
