"""What an app without the Message Content intent reads."""

from __future__ import annotations

from companion.playground.local_discord import LocalDiscord
from companion.playground.state import Message
from tests.playground.raw import WITHOUT_CONTENT, RawApp, identified


async def own(local: LocalDiscord, app: RawApp) -> Message:
    channel = local.world.channel("general")
    sent = await app.call("POST", f"/channels/{channel.id}/messages", {"content": "mine"})
    return channel.messages[int(sent.body["id"])]


async def test_plain_messages_come_blank_and_mentions_whole(local: LocalDiscord, app: RawApp):
    async with identified(app, intents=WITHOUT_CONTENT) as gateway:
        await local.say("Ada", "general", "secret")
        assert (await gateway.until("MESSAGE_CREATE"))["content"] == ""
        text = f"<@{local.application_id}> hello"
        await local.say("Ada", "general", text)
        assert (await gateway.until("MESSAGE_CREATE"))["content"] == text


async def test_reply_pings_open_only_what_is_the_apps_to_read(local: LocalDiscord, app: RawApp):
    answer = await own(local, app)
    async with identified(app, intents=WITHOUT_CONTENT) as gateway:
        await local.say("Ada", "general", "loud", reply_to=answer)
        loud = await gateway.until("MESSAGE_CREATE")
        await local.say("Ada", "general", "quiet", reply_to=answer, ping_author=False)
        quiet = await gateway.until("MESSAGE_CREATE")
    assert (loud["content"], loud["referenced_message"]["content"]) == ("loud", "mine")
    assert (quiet["content"], quiet["referenced_message"]["content"]) == ("", "mine")


async def test_reply_to_a_commands_answer_comes_blank(local: LocalDiscord, app: RawApp):
    asked = await local.invoke("Ada", "general", "ask")
    await app.callback(asked, 4, {"content": "answer"})
    async with identified(app, intents=WITHOUT_CONTENT) as gateway:
        await local.say("Ada", "general", "and then?", reply_to=asked.original)
        assert (await gateway.until("MESSAGE_CREATE"))["content"] == ""


async def test_mention_in_a_reply_does_not_open_the_other_message(local: LocalDiscord, app: RawApp):
    other = await local.say("Grace", "general", "not for the app")
    async with identified(app, intents=WITHOUT_CONTENT) as gateway:
        text = f"<@{local.application_id}> what is this?"
        await local.say("Ada", "general", text, reply_to=other)
        told = await gateway.until("MESSAGE_CREATE")
    assert (told["content"], told["referenced_message"]["content"]) == (text, "")


async def test_edit_of_a_quiet_reply_stays_quiet(local: LocalDiscord, app: RawApp):
    answer = await own(local, app)
    quiet = await local.say("Ada", "general", "quiet", reply_to=answer, ping_author=False)
    async with identified(app, intents=WITHOUT_CONTENT) as gateway:
        await local.edit("Ada", quiet, "still quiet")
        assert (await gateway.until("MESSAGE_UPDATE"))["content"] == ""


async def test_members_name_and_roles_come_with_a_message(local: LocalDiscord, app: RawApp):
    guild = local.world.guild("Playground")
    role = local.admin.add_role(guild, "crew")
    local.admin.give_role(guild, "Grace", role)
    guild.members[local.world.person("Grace").id].nick = "Amazing"
    async with identified(app) as gateway:
        await local.say("Grace", "general", "hello")
        member = (await gateway.until("MESSAGE_CREATE"))["member"]
    assert (member["nick"], member["roles"]) == ("Amazing", [str(role.id)])
