"""Who installed the app where, and what it is told and offered there."""

from __future__ import annotations

from companion.playground.local_discord import LocalDiscord
from companion.playground.state import Channel
from tests.playground.raw import Json, RawApp, identified


def group(local: LocalDiscord) -> Channel:
    return local.world.add_group_dm("Ada", "Grace")


async def test_group_dm_is_told_as_a_private_channel_of_the_person(
    local: LocalDiscord, app: RawApp
):
    async with identified(app) as gateway:
        await local.invoke("Ada", group(local), "ask")
        told = await gateway.until("INTERACTION_CREATE")
    ada = str(local.world.person("Ada").id)
    assert (told["context"], told["channel"]["type"]) == (2, 3)
    assert told["authorizing_integration_owners"] == {"1": ada}
    assert (told["user"]["id"], "member" in told) == (ada, False)


async def test_app_hears_no_message_of_a_group_dm_and_cannot_write_there(
    local: LocalDiscord, app: RawApp
):
    where = group(local)
    async with identified(app) as gateway:
        await local.say("Ada", where, f"<@{local.application_id}> hello")
        assert await gateway.nothing_but() == []
    sent = await app.call("POST", f"/channels/{where.id}/messages", {"content": "x"})
    assert (sent.status, sent.code) == (403, 50001)


async def test_server_without_the_app_is_told_as_the_persons_own_install(
    local: LocalDiscord, app: RawApp
):
    guild = local.world.add_guild("Elsewhere", owner="Ada", members=("Grace",), with_app=False)
    [where] = local.world.channels_of(guild, threads=False)
    asked = await local.invoke("Grace", where, "ask")
    await app.callback(asked, 4, {"content": "answer", "components": ROW})
    assert asked.install == "user"
    assert asked.original is not None
    clicked = await local.click("Grace", asked.original, "go")
    assert clicked.install == "user"


ROW: list[Json] = [
    {"type": 1, "components": [{"type": 2, "style": 2, "label": "Go", "custom_id": "go"}]}
]


async def test_commands_are_offered_by_kind_of_install(local: LocalDiscord, app: RawApp):
    await app.register("everywhere", integration_types=[0, 1], contexts=[0, 1, 2])
    await app.call(
        "POST",
        f"/applications/{local.application_id}/commands",
        {"name": "servers", "description": "x", "integration_types": [0]},
    )
    offered = {
        place: [command["name"] for command in local.commands_for("Ada", channel)]
        for place, channel in (("server", local.world.channel("general")), ("group", group(local)))
    }
    assert offered == {"server": ["everywhere", "servers"], "group": ["everywhere"]}


async def test_message_command_carries_the_whole_message(local: LocalDiscord, app: RawApp):
    path = f"/applications/{local.application_id}/commands"
    await app.call("POST", path, {"name": "Ask about this", "type": 3})
    message = await local.say("Grace", "general", "the text")
    async with identified(app, intents=0) as gateway:
        await local.invoke("Ada", "general", "Ask about this", target=message)
        told = await gateway.until("INTERACTION_CREATE")
    data = told["data"]
    assert (data["type"], data["target_id"]) == (3, str(message.id))
    assert data["resolved"]["messages"][str(message.id)]["content"] == "the text"
