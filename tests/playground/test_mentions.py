from __future__ import annotations

import pytest

from companion.playground.local_discord import LocalDiscord
from companion.playground.vocabulary import Permission
from tests.playground.raw import Answer, Json, RawApp

NONE: Json = {"parse": []}


async def send(local: LocalDiscord, app: RawApp, content: str, **body: object) -> Answer:
    path = f"/channels/{local.world.channel('general').id}/messages"
    return await app.call("POST", path, {"content": content, **body})


def pings(local: LocalDiscord) -> list[tuple[str, str, list[str]]]:
    names = local.world.people
    return [
        (p.kind, p.via, sorted(names[i].display_name for i in p.person_ids)) for p in local.pings
    ]


def mention(local: LocalDiscord, name: str) -> str:
    return f"<@{local.world.person(name).id}>"


async def test_everything_pings_without_allowed_mentions(local: LocalDiscord, app: RawApp):
    local.admin.overwrite("general", local.world.app, allow=Permission.MENTION_EVERYONE)
    role = local.admin.add_role(local.world.guild("Playground"), "team", mentionable=True)
    local.admin.give_role(local.world.guild("Playground"), "Grace", role)
    await send(local, app, f"{mention(local, 'Ada')} <@&{role.id}> @everyone")
    assert pings(local) == [
        ("user", "create", ["Ada"]),
        ("role", "create", ["Grace"]),
        ("everyone", "create", ["Ada", "Grace"]),
    ]


async def test_everyone_needs_the_permission(local: LocalDiscord, app: RawApp):
    answer = await send(local, app, "@everyone @here")
    assert pings(local) == []
    assert answer.body["mention_everyone"] is False


async def test_nothing_pings_when_nothing_is_parsed(local: LocalDiscord, app: RawApp):
    local.admin.overwrite("general", local.world.app, allow=Permission.MENTION_EVERYONE)
    text = f"{mention(local, 'Ada')} @everyone @here"
    await send(local, app, text, allowed_mentions=NONE)
    assert pings(local) == []


@pytest.mark.parametrize("form", ["<@{}>", "<@!{}>"])
async def test_both_forms_of_a_mention_count(local: LocalDiscord, app: RawApp, form: str):
    await send(local, app, form.format(local.world.person("Ada").id))
    assert pings(local) == [("user", "create", ["Ada"])]


async def test_only_listed_users_are_pinged(local: LocalDiscord, app: RawApp):
    text = mention(local, "Ada") + mention(local, "Grace")
    allowed = {"users": [str(local.world.person("Grace").id)]}
    await send(local, app, text, allowed_mentions=allowed)
    assert pings(local) == [("user", "create", ["Grace"])]


async def test_listing_and_parsing_exclude_each_other(local: LocalDiscord, app: RawApp):
    allowed = {"parse": ["users"], "users": ["1"]}
    answer = await send(local, app, "x", allowed_mentions=allowed)
    assert answer.error_codes("allowed_mentions") == ["MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"]


@pytest.mark.parametrize(
    "allowed", [{"parse": ["all"]}, {"users": ["x"]}, {"roles": ["1"] * 101}, "none"]
)
async def test_malformed_allowances_are_refused(local: LocalDiscord, app: RawApp, allowed: object):
    assert (await send(local, app, "x", allowed_mentions=allowed)).code == 50035


async def test_reply_pings_unless_told_not_to(local: LocalDiscord, app: RawApp):
    target = await local.say("Ada", "general", "?")
    reference = {"message_id": str(target.id)}
    await send(local, app, "quiet", message_reference=reference, allowed_mentions=NONE)
    assert pings(local) == []
    loud = NONE | {"replied_user": True}
    await send(local, app, "loud", message_reference=reference, allowed_mentions=loud)
    await send(local, app, "default", message_reference=reference)
    assert pings(local) == [("reply", "create", ["Ada"])] * 2


async def test_edit_parses_again_by_its_own_allowances(local: LocalDiscord, app: RawApp):
    sent = await send(local, app, "x", allowed_mentions=NONE)
    path = f"/channels/{sent.body['channel_id']}/messages/{sent.body['id']}"
    await app.call("PATCH", path, {"content": mention(local, "Ada"), "allowed_mentions": NONE})
    assert pings(local) == []
    await app.call("PATCH", path, {"content": mention(local, "Ada")})
    assert pings(local) == [("user", "edit", ["Ada"])]


async def test_edits_and_follow_ups_of_interactions_ping_too(local: LocalDiscord, app: RawApp):
    interaction = await local.invoke("Ada", "general", "ask")
    await app.callback(interaction, 5)
    await app.original("PATCH", interaction, {"content": mention(local, "Grace")})
    await app.webhook("POST", interaction, "", {"content": mention(local, "Grace")})
    assert pings(local) == [("user", "edit", ["Grace"]), ("user", "create", ["Grace"])]


async def test_text_displays_ping(local: LocalDiscord, app: RawApp):
    path = f"/channels/{local.world.channel('general').id}/messages"
    component = {"type": 10, "content": mention(local, "Grace")}
    await app.call("POST", path, {"components": [component], "flags": 1 << 15})
    assert pings(local) == [("user", "create", ["Grace"])]


async def test_ephemerals_ping_nobody(local: LocalDiscord, app: RawApp):
    interaction = await local.invoke("Ada", "general", "ask")
    await app.callback(interaction, 4, {"content": mention(local, "Grace"), "flags": 64})
    assert pings(local) == []


async def test_those_who_do_not_see_the_channel_are_not_pinged(local: LocalDiscord, app: RawApp):
    grace = local.world.person("Grace")
    local.admin.overwrite("general", grace, deny=Permission.VIEW_CHANNEL)
    await send(local, app, mention(local, "Grace"))
    assert pings(local) == []
