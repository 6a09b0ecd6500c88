from __future__ import annotations

import pytest

from companion.playground.local_discord import LocalDiscord
from companion.playground.vocabulary import Intent
from tests.playground.raw import (
    ALL_INTENTS,
    WITHOUT_CONTENT,
    RawApp,
    identified,
    raw_gateway,
)


async def test_ready_names_session_shard_and_servers(local: LocalDiscord, app: RawApp):
    async with raw_gateway(app) as gateway:
        await gateway.identify(local.token, shard=[0, 1])
        ready = await gateway.until("READY")
        created = await gateway.until("GUILD_CREATE")
    assert ready["resume_gateway_url"] == local.gateway.url + "/resume"
    assert ready["shard"] == [0, 1]
    assert ready["guilds"] == [{"id": created["id"], "unavailable": True}]
    assert [channel["name"] for channel in created["channels"]] == ["general", "random"]
    assert {m["user"]["username"] for m in created["members"]} == {"ada", "grace", "companion"}


async def test_zlib_stream_carries_the_same_events(local: LocalDiscord, app: RawApp):
    query = "?v=10&encoding=json&compress=zlib-stream"
    async with raw_gateway(app, query=query) as gateway:
        await gateway.identify(local.token)
        await gateway.until("READY")
        await local.say("Ada", "general", "packed")
        assert (await gateway.until("MESSAGE_CREATE"))["content"] == "packed"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"token": "wrong"}, 4004),
        ({"intents": 1 << 40}, 4013),
        ({"intents": None}, 4013),
        ({"shard": [3, 2]}, 4010),
    ],
)
async def test_bad_identify_closes_with_its_code(
    local: LocalDiscord, app: RawApp, fields: dict[str, object], code: int
):
    async with raw_gateway(app) as gateway:
        await gateway.identify(local.token, **fields)
        assert await gateway.closed() == code


async def test_privileged_intent_that_is_not_allowed_closes_with_4014(
    local: LocalDiscord, app: RawApp
):
    local.application.privileged = Intent(0)
    async with raw_gateway(app) as gateway:
        await gateway.identify(local.token)
        assert await gateway.closed() == 4014


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("no json", 4002),
        ('{"op": 8, "d": {}}', 4003),
    ],
)
async def test_bad_frame_closes_with_its_code(app: RawApp, frame: str, code: int):
    async with raw_gateway(app) as gateway:
        await gateway.socket.send_str(frame)
        assert await gateway.closed() == code


async def test_unknown_opcode_closes_with_4001(app: RawApp):
    async with identified(app) as gateway:
        await gateway.send(77, None)
        assert await gateway.closed() == 4001


async def test_second_identify_closes_with_4005(local: LocalDiscord, app: RawApp):
    async with identified(app) as gateway:
        await gateway.identify(local.token)
        assert await gateway.closed() == 4005


async def test_other_version_closes_with_4012(app: RawApp):
    async with raw_gateway(app, query="?v=6&encoding=json", hello=False) as gateway:
        assert await gateway.closed() == 4012


async def test_too_many_commands_close_with_4008(app: RawApp):
    async with identified(app) as gateway:
        for _ in range(121):
            await gateway.send(3, {})
        assert await gateway.closed() == 4008


async def test_silent_client_is_closed_with_4009(local: LocalDiscord, app: RawApp):
    local.gateway.heartbeat_interval_ms = 50
    async with raw_gateway(app) as gateway:
        assert await gateway.closed() == 4009


async def test_resume_replays_what_was_missed_in_order(local: LocalDiscord, app: RawApp):
    async with identified(app) as gateway:
        session_id = gateway.events[1]["d"]["session_id"]
        seen = max(event["s"] or 0 for event in gateway.events)
        local.faults.drop_gateway()
        await gateway.closed()
    for text in ("one", "two"):
        await local.say("Ada", "general", text)
    async with raw_gateway(app, query="") as gateway:
        await gateway.send(6, {"token": local.token, "session_id": session_id, "seq": seen})
        await gateway.until("RESUMED")
    replayed = [e["d"]["content"] for e in gateway.events if e["t"] == "MESSAGE_CREATE"]
    assert replayed == ["one", "two"]
    assert [e["s"] for e in gateway.events if e["s"]] == [seen + 1, seen + 2, seen + 3]


async def test_resume_of_a_session_that_said_goodbye_is_invalid(local: LocalDiscord, app: RawApp):
    async with identified(app) as gateway:
        session_id = gateway.events[1]["d"]["session_id"]
        await gateway.socket.close(code=1000)
    async with raw_gateway(app) as gateway:
        await gateway.send(6, {"token": local.token, "session_id": session_id, "seq": 1})
        assert (await gateway.until_op(9))["d"] is False


async def test_zombie_connection_hears_nothing_more(local: LocalDiscord, app: RawApp):
    async with identified(app) as gateway:
        local.faults.zombie()
        await gateway.send(1, 1)
        await local.say("Ada", "general", "lost")
        with pytest.raises(TimeoutError):
            await gateway.socket.receive(timeout=0.1)


async def test_events_go_to_the_shard_of_their_server(local: LocalDiscord, app: RawApp):
    here = local.world.guild("Playground")
    own = (here.id >> 22) % 2
    async with (
        identified(app, shard=[own, 2]) as mine,
        identified(app, shard=[1 - own, 2]) as other,
    ):
        await local.say("Ada", "general", "hello")
        assert await mine.nothing_but() == ["MESSAGE_CREATE"]
        assert await other.nothing_but() == []


async def test_direct_messages_go_to_shard_zero(local: LocalDiscord, app: RawApp):
    async with identified(app, shard=[0, 2]) as zero, identified(app, shard=[1, 2]) as one:
        await local.say("Grace", local.world.dm("Grace"), "psst")
        assert await zero.nothing_but() == ["CHANNEL_CREATE", "MESSAGE_CREATE"]
        assert await one.nothing_but() == []


async def test_events_without_their_intent_do_not_arrive(local: LocalDiscord, app: RawApp):
    async with identified(app, intents=int(Intent.GUILDS)) as gateway:
        await local.say("Ada", "general", "hello")
        await local.type("Ada", "general")
        assert await gateway.nothing_but() == []


async def test_content_is_blank_without_the_intent(local: LocalDiscord, app: RawApp):
    async with identified(app, intents=WITHOUT_CONTENT) as gateway:
        await local.say("Ada", "general", "secret")
        assert (await gateway.until("MESSAGE_CREATE"))["content"] == ""


async def test_content_arrives_with_the_intent(local: LocalDiscord, app: RawApp):
    async with identified(app, intents=ALL_INTENTS) as gateway:
        await local.say("Ada", "general", "plain")
        assert (await gateway.until("MESSAGE_CREATE"))["content"] == "plain"


async def test_mentions_direct_messages_and_own_messages_keep_their_content(
    local: LocalDiscord, app: RawApp
):
    async with identified(app, intents=WITHOUT_CONTENT) as gateway:
        mention = await local.say("Ada", "general", f"<@{local.application_id}> hi")
        assert (await gateway.until("MESSAGE_CREATE"))["content"] == mention.content
        await local.say("Ada", local.world.dm("Ada"), "between us")
        assert (await gateway.until("MESSAGE_CREATE"))["content"] == "between us"
        channel = local.world.channel("general")
        await app.call("POST", f"/channels/{channel.id}/messages", {"content": "mine"})
        assert (await gateway.until("MESSAGE_CREATE"))["content"] == "mine"


async def test_only_replies_to_ordinary_messages_of_the_app_keep_their_content(
    local: LocalDiscord, app: RawApp
):
    async with identified(app, intents=WITHOUT_CONTENT) as gateway:
        channel = local.world.channel("general")
        await app.call("POST", f"/channels/{channel.id}/messages", {"content": "ordinary"})
        interaction = await local.invoke("Ada", channel, "ask")
        await app.callback(interaction, 4, {"content": "answer"})
        ordinary, answer = local.messages(channel)
        await gateway.nothing_but()
        await local.say("Ada", channel, "to ordinary", reply_to=ordinary)
        assert (await gateway.until("MESSAGE_CREATE"))["content"] == "to ordinary"
        await local.say("Ada", channel, "to answer", reply_to=answer)
        assert (await gateway.until("MESSAGE_CREATE"))["content"] == ""


async def test_members_can_be_requested(local: LocalDiscord, app: RawApp):
    guild = local.world.guild("Playground")
    async with identified(app) as gateway:
        await gateway.send(8, {"guild_id": str(guild.id), "query": "gr", "limit": 0})
        chunk = await gateway.until("GUILD_MEMBERS_CHUNK")
    assert [member["user"]["username"] for member in chunk["members"]] == ["grace"]


async def test_quick_second_identify_waits_where_concurrency_is_enforced(
    local: LocalDiscord, app: RawApp
):
    local.gateway.enforce_concurrency = True
    async with identified(app), raw_gateway(app) as gateway:
        await gateway.identify(local.token)
        assert (await gateway.until_op(9))["d"] is False
