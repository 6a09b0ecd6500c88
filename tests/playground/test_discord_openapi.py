from __future__ import annotations

import pytest

from companion.playground.local_discord import LocalDiscord
from tests.playground.raw import Json, RawApp
from tests.support.discord_openapi import (
    DESCRIPTION,
    assert_requests_follow_discord,
    violations,
)

pytestmark = pytest.mark.skipif(
    not DESCRIPTION.is_file(),
    reason="Discord's description is not beside the checkout: requests were NOT held to it",
)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"content": "x", "flags": "4"}, "$.flags"),
        ({"content": "x" * 4001}, "$.content"),
        ({"components": [{"type": 1}]}, "$.components[0]"),
        ({"embeds": [{"title": "x" * 257}]}, "$.embeds[0].title"),
        ({"content": "x", "invented": 1}, "field invented is unknown"),
    ],
)
async def test_body_against_the_description_is_reported(
    local: LocalDiscord, app: RawApp, body: Json, complaint: str
):
    channel = local.world.channel("general")
    await app.call("POST", f"/channels/{channel.id}/messages", body)
    [found] = violations(local.requests)
    assert complaint in found
    with pytest.raises(AssertionError, match="does not describe"):
        assert_requests_follow_discord(local.requests)


async def test_unknown_routes_and_queries_are_reported(local: LocalDiscord, app: RawApp):
    await app.call("GET", "/nothing/here")
    await app.call("GET", f"/channels/{local.world.channel('general').id}/messages?colour=red")
    assert violations(local.requests) == [
        "GET /nothing/here: unknown route",
        "GET /channels/{channel_id}/messages: query colour",
    ]


async def test_snowflakes_may_be_numbers(local: LocalDiscord, app: RawApp):
    await app.call("POST", "/users/@me/channels", {"recipient_id": local.world.person("Ada").id})
    assert violations(local.requests) == []
