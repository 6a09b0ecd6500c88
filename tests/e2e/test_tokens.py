from __future__ import annotations

import logging
import re

import pytest
import structlog

from companion.domain.api_errors import TokenRejected
from companion.playground.interaction import Interaction
from companion.services.tokens import MOST_PER_PERSON
from tests.e2e.world import World, actor_of, refusal

IN_USE = re.compile(r"```\nAuthorization: Bearer (cmp_\S+)\n```")
REVOKING = re.compile(r"`/token action:revoke token:(\w+)`")


def shown_token(created: Interaction) -> str:
    (text,) = IN_USE.findall(refusal(created))
    return text


def shown_id(created: Interaction) -> str:
    (short_id,) = REVOKING.findall(refusal(created))
    return short_id


async def test_shown_token_speaks_for_its_maker_only(world: World) -> None:
    created = await world.run("token", action="create", name="my laptop")
    token = await world.services.tokens.authenticate(shown_token(created))
    ada = actor_of(world.discord.world.person("Ada"))
    assert token.actor().discord_id == ada.discord_id
    assert f"Your `user_id` is `{ada.discord_id}`" in created.text
    assert "can't show it again" in created.text


async def test_list_shows_names_and_ids_of_ones_own(world: World) -> None:
    created = await world.run("token", action="create", name="my laptop")
    await world.run("token", action="create")
    listed = refusal(await world.run("token", action="list"))
    assert f"- `my laptop`, id `{shown_id(created)}`, never expires" in listed
    assert "- `my token`" in listed
    assert shown_token(created) not in listed
    assert "no tokens yet" in refusal(await world.run("token", who="Grace", action="list"))


async def test_revoked_token_is_refused_and_no_longer_listed(world: World) -> None:
    created = await world.run("token", action="create", name="my laptop")
    await world.services.tokens.authenticate(shown_token(created))
    said = refusal(await world.run("token", action="revoke", token=shown_id(created)))
    assert "`my laptop` is revoked" in said
    with pytest.raises(TokenRejected):
        await world.services.tokens.authenticate(shown_token(created))
    assert "no tokens yet" in refusal(await world.run("token", action="list"))


async def test_someone_elses_id_is_as_unknown_as_any(world: World) -> None:
    created = await world.run("token", action="create")
    theirs = await world.run("token", who="Grace", action="revoke", token=shown_id(created))
    made_up = await world.run("token", who="Grace", action="revoke", token="00000000")
    without = await world.run("token", who="Grace", action="revoke")
    assert refusal(theirs) == refusal(made_up)
    assert "no tokens yet" in refusal(without)
    assert "no such token" in refusal(theirs)
    await world.services.tokens.authenticate(shown_token(created))


async def test_one_more_than_allowed_is_refused(world: World) -> None:
    for _ in range(MOST_PER_PERSON):
        await world.run("token", action="create")
    said = refusal(await world.run("token", action="create"))
    assert f"{MOST_PER_PERSON} tokens already" in said
    assert "/token action:revoke" in said


async def test_token_is_in_no_log(
    world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as events:
        created = await world.run("token", action="create")
        await world.run("token", action="list")
        # people paste the whole of it
        await world.run("token", action="revoke", token=shown_token(created))
    captured = capfd.readouterr()
    sinks = caplog.text + repr(events) + captured.out + captured.err
    secret = shown_token(created).split("_", 2)[2]  # which may hold underscores itself
    assert secret not in sinks
    assert caplog.records
