"""Ordinary messages when Discord or the people in it get in the way."""

from __future__ import annotations

import pytest

from companion.playground.api_errors import Problem
from companion.playground.faults import FaultKind
from companion.playground.vocabulary import MEMBER_DEFAULTS, Permission
from tests.e2e.conftest import Opener
from tests.e2e.world import World, body, labels, until
from tests.support.provider_script import Answer

HELLO = "Hello from the scripted provider."
MESSAGES = "/channels/{channel_id}/messages"
SLOW = Answer(text="tick " * 120, tokens_per_s=80)


def mention(world: World) -> str:
    return f"<@{world.discord.application_id}>"


@pytest.mark.parametrize("kind", [FaultKind.LOSE_ANSWER, FaultKind.RESET])
async def test_answer_is_sent_once_although_a_response_got_lost(
    world: World, kind: FaultKind
) -> None:
    world.discord.faults.break_off(kind, "POST", MESSAGES)
    said = await world.say(f"{mention(world)} Hi.")
    (answer,) = await world.heard(said)
    assert body(answer) == HELLO


async def test_channel_where_the_app_may_not_speak_costs_nothing(world: World) -> None:
    world.discord.admin.overwrite("general", world.discord.world.app, deny=Permission.SEND_MESSAGES)
    said = await world.say(f"{mention(world)} Hi.")
    assert await world.ignored(said)
    assert len(world.provider.chats) == 1  # the probe's


async def test_refused_channel_is_left_alone_for_a_while(world: World) -> None:
    world.discord.faults.fail("POST", MESSAGES, Problem.MISSING_PERMISSIONS)
    first = await world.say(f"{mention(world)} One.")
    await until(lambda: len(world.provider.chats) == 1 and not world.door.busy)
    assert world.below(first) == []
    second = await world.say(f"{mention(world)} Two.")
    assert await world.ignored(second)


async def test_ban_by_the_proxy_is_sat_out_and_answers_come_after_it(world: World) -> None:
    world.discord.faults.cloudflare_ban(2, times=1)
    first = await world.say(f"{mention(world)} One.")
    await until(lambda: not world.door.is_ready)
    before = len(world.discord.requests)
    second = await world.say(f"{mention(world)} Two.", where="random")
    await until(lambda: len(world.provider.chats) == 2)
    assert len(world.discord.requests) == before
    await until(lambda: world.door.is_ready)
    for said in (first, second):
        (answer,) = await world.heard(said)
        assert body(answer) == HELLO


async def test_webhook_that_is_gone_is_used_no_more(world: World) -> None:
    world.provider.script(SLOW)
    asked = await world.start("ask", prompt="Tick.")
    await asked.until(lambda seen: "tick" in seen.text)
    world.discord.faults.remove_webhook(asked)
    await until(lambda: not world.door.busy, 15.0)
    assert len([r for r in world.discord.requests if r.code == 10015]) == 1


async def test_apps_and_webhooks_are_never_answered(world: World) -> None:
    other = world.discord.world.add_person("Robot")
    other.bot = True
    guild = world.discord.world.guild("Playground")
    world.discord.world._enrol(guild, other)  # pyright: ignore[reportPrivateUsage]
    said = await world.say(f"{mention(world)} Let's talk for ever.", who="Robot")
    assert await world.ignored(said)


async def test_rights_of_a_message_are_those_of_its_author(opener: Opener) -> None:
    async with opener(operator_key=None) as world:
        guild = world.discord.world.guild("Playground")
        rights = MEMBER_DEFAULTS | Permission.MANAGE_GUILD
        role = world.discord.admin.add_role(guild, "Managers", rights)
        (told,) = await world.heard(await world.say(f"{mention(world)} Hi.", who="Grace"))
        assert "scope:server" not in told.text
        world.discord.admin.give_role(guild, "Grace", role)
        said = await world.say(f"{mention(world)} Hi.", who="Grace", where="random")
        (told,) = await world.heard(said)
        assert "scope:server" in told.text


async def test_nothing_in_an_answer_pings_also_when_it_is_edited(world: World) -> None:
    ada = world.discord.world.person("Ada").id
    hostile = f"@everyone @here <@{ada}> "
    world.provider.default = Answer(text=hostile * 120, tokens_per_s=400)
    await world.heard(await world.say(f"{mention(world)} Hi.", who="Grace"))
    grace = world.discord.world.person("Grace").id
    assert {person for ping in world.discord.pings for person in ping.person_ids} == {grace}
    assert {ping.via for ping in world.discord.pings} == {"create"}


async def test_user_install_sends_five_follow_ups_at_most(world: World) -> None:
    group = world.discord.world.add_group_dm("Ada", "Grace")
    world.provider.script(Answer(text="A long story. " * 1200))
    asked = await world.ask("Tell.", where=group, install="user")
    assert 1 < len(asked.messages) <= 6
    assert any(message.attachments for message in asked.messages)
    assert "Thread" not in labels(asked.messages[-1])


async def test_place_that_silences_apps_keeps_the_whole_chain_private(world: World) -> None:
    places = world.discord.world
    guild = places.add_guild("Elsewhere", owner="Grace", members=("Ada",), with_app=False)
    world.discord.admin.set_everyone(guild, MEMBER_DEFAULTS & ~Permission.USE_EXTERNAL_APPS)
    (room,) = places.channels_of(guild, threads=False)
    asked = await world.ask("Hi.", where=room, install="user")
    assert all(message.ephemeral for message in asked.messages)
    assert "Only you see this" in asked.text
    again = await world.click(asked.messages[-1], "Regenerate")
    assert all(message.ephemeral for message in again.messages)


async def test_answer_that_outlived_its_token_is_deleted_as_a_whole(world: World) -> None:
    world.provider.script(SLOW)
    asked = await world.start("ask", who="Grace", prompt="Tick.")
    await asked.until(lambda seen: "tick" in seen.text)
    world.discord.faults.expire_token(asked)
    general = world.discord.world.channel("general")
    await until(lambda: any("Delete" in labels(m) for m in general.messages.values()), 15.0)
    await until(lambda: not world.door.busy)
    first, last = general.messages.values()
    assert (first.webhook_id, last.webhook_id) == (world.discord.application_id, None)
    await world.discord.click("Grace", last, "Delete")
    await until(lambda: not general.messages)
