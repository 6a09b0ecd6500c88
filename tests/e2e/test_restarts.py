from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from companion.bot.app import DiscordConfig, DiscordDoor
from companion.clock import SystemClock
from companion.domain.secrets import Secret
from tests.e2e.conftest import Opener
from tests.e2e.world import World, body, labels, only, refusal, running, until
from tests.support.provider_script import Answer

HELLO = "Hello from the scripted provider."


@asynccontextmanager
async def restarted(
    world: World,
    *,
    message_content: bool = False,
    shard_count: int | None = None,
    shard_ids: tuple[int, ...] | None = None,
) -> AsyncGenerator[None]:
    """Close the door and open another on the same database and Discord."""
    await world.door.close()
    config = DiscordConfig(
        token=Secret(world.discord.token),
        api_url=world.discord.api_url,
        message_content=message_content,
        shard_count=shard_count,
        shard_ids=shard_ids,
    )
    door = DiscordDoor(world.services, config, SystemClock())
    async with running(door):
        world.door = door
        yield


async def test_every_button_works_after_a_restart(world: World) -> None:
    world.provider.script(Answer(text="Cut", finish="length"))
    asked = await world.ask("Hi.", who="Grace")
    async with restarted(world):
        more = await world.click(only(asked), "Continue", who="Grace")
        assert body(more) == HELLO
    async with restarted(world):
        again = await world.click(only(more), "Regenerate", who="Grace")
        assert body(again) == HELLO
    async with restarted(world):
        menu = await world.click(only(again), "Other model", who="Grace")
    async with restarted(world):
        await world.ask("Warm up the list of models.", who="Ada")
        menu = await world.click(only(again), "Other model", who="Grace")
    async with restarted(world):
        (select,) = only(menu).components[0]["components"]
        picked = await world.discord.select("Grace", only(menu), select["custom_id"], ["gpt-6-sol"])
        await world.settled(picked)
        assert body(picked) == HELLO
        assert not only(picked).ephemeral
    async with restarted(world):
        moved = await world.click(only(picked), "Thread", who="Grace")
        assert "goes on in" in moved.text
    async with restarted(world):
        await (await world.discord.click("Grace", only(picked), "Delete")).acknowledged()
        await until(lambda: only_id(world, picked.messages[-1].id) is None)


async def test_stop_after_a_restart_says_why_it_does_nothing(world: World) -> None:
    world.provider.script(Answer(text="tick " * 400, tokens_per_s=40))
    asked = await world.start("ask", who="Grace", prompt="Tick.")
    await asked.until(lambda seen: bool(seen.original and "Stop" in labels(seen.original)))
    stop = only(asked).buttons()[0]["custom_id"]
    async with restarted(world):
        clicked = await world.discord.click("Grace", only(asked), stop)
        await clicked.until(lambda seen: bool(seen.followups))
        assert "done its work" in clicked.followups[0].text


async def test_question_form_outlives_a_restart_where_the_message_can_be_read(
    opener: Opener,
) -> None:
    async with opener(message_content=True) as world:
        said = await world.say("Tides come twice a day.", who="Grace")
        form = await world.run("Ask about this", target=said)
        async with restarted(world, message_content=True):
            sent = await world.discord.submit_modal(form, {"question": "True?"})
            assert body(await world.settled(sent)) == HELLO
            assert "Tides come twice" in world.prompts()[-1][1]


async def test_question_form_after_a_restart_says_when_the_message_is_lost(world: World) -> None:
    group = world.discord.world.add_group_dm("Ada", "Grace")
    said = await world.say("Tides?", who="Grace", where=group)
    form = await world.run("Ask about this", where=group, target=said, install="user")
    async with restarted(world):
        sent = await world.discord.submit_modal(form, {"question": "True?"})
        assert "no longer have the message" in refusal(await world.settled(sent))


async def test_edit_and_delete_are_heard_after_a_restart(world: World) -> None:
    said = await world.say(f"<@{world.discord.application_id}> First.", who="Grace")
    (answer,) = await world.heard(said)
    async with restarted(world):
        world.provider.script(Answer(text="Second answer."))
        await world.discord.edit("Grace", said, f"<@{world.discord.application_id}> Second.")
        await until(lambda: body(answer) == "Second answer.")
    async with restarted(world):
        await world.discord.delete("Grace", said)
        await until(lambda: world.below(said) == [])


def only_id(world: World, message_id: int) -> object:
    return world.discord.world.channel("general").messages.get(message_id)
