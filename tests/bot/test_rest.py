from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import aiohttp
import discord
import pytest
from discord.http import Route

from companion.bot.rest import RateLimited
from companion.bot.standing import RESTRAINED_AT, SHUT_AT, WINDOW_S, Held
from companion.playground.api_errors import Problem
from companion.playground.rate_limits import Limit
from tests.bot.rest_client import MESSAGES, Client, logged_in, me


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Client]:
    async with logged_in(monkeypatch.setattr) as opened:
        yield opened


async def refused(client: Client, times: int, status: int = 403) -> None:
    """Have requests refused by Discord."""
    client.discord.faults.fail("GET", "/users/@me", status, times=times)
    for _ in range(times):
        with pytest.raises(discord.HTTPException):
            await client.rest.request(me())
    client.discord.requests.clear()
    client.clock.advance(1.0)


async def test_long_limit_of_others_is_told_at_once_and_holds_up_only_its_route(
    client: Client,
) -> None:
    client.discord.faults.shared_limit("POST", MESSAGES, 1337.0)
    with pytest.raises(RateLimited) as limited:
        await client.rest.request(client.say(), json={"content": "a"})
    assert limited.value.retry_after_s == 1337.0
    with pytest.raises(Held) as held:
        await client.rest.request(client.say(), json={"content": "b"})
    assert held.value.seconds == 1337.0
    await client.rest.request(client.say("random"), json={"content": "c"})
    assert await client.rest.request(me())
    assert len(client.discord.requests.of("POST", MESSAGES)) == 2
    assert client.clock.slept == []
    assert client.standing.invalid == 0
    client.clock.advance(1337.0)
    assert await client.rest.request(client.say(), json={"content": "d"})


async def test_channel_may_be_read(client: Client) -> None:
    channel = client.discord.world.channel("general")
    found = await client.rest.get_channel(channel.id)
    assert found["id"] == str(channel.id)


async def test_short_limit_is_waited_for(client: Client) -> None:
    client.discord.faults.shared_limit("POST", MESSAGES, 2.0)
    assert await client.rest.request(client.say(), json={"content": "a"})
    assert client.clock.slept == [2.0]


async def test_paced_write_is_tried_once_and_never_waits(client: Client) -> None:
    client.discord.faults.shared_limit("POST", MESSAGES, 2.0)
    with pytest.raises(RateLimited):
        await client.rest.request(client.say(), paced=True, json={"content": "a"})
    with pytest.raises(Held):
        await client.rest.request(client.say(), paced=True, json={"content": "b"})
    assert client.clock.slept == []


async def test_used_up_limit_is_waited_for_without_being_hit(client: Client) -> None:
    client.discord.limits.sizes.message_create = Limit(requests=1, per_s=0.2)
    await client.rest.request(client.say(), json={"content": "a"})
    assert client.clock.slept == []
    await asyncio.sleep(0.2)
    await client.rest.request(client.say(), json={"content": "b"})
    assert 0.1 < sum(client.clock.slept) < 0.21
    assert client.discord.rate_limit_hits == 0


async def test_limit_of_all_requests_holds_up_all(client: Client) -> None:
    client.discord.limits.sizes.everything = Limit(requests=1, per_s=60.0)
    assert await client.rest.request(me())
    with pytest.raises(RateLimited):
        await client.rest.request(client.say(), json={"content": "a"})
    with pytest.raises(Held):
        await client.rest.request(me())
    assert client.discord.limits.global_hits == 1


async def test_server_error_is_tried_again_unless_that_could_write_twice(client: Client) -> None:
    client.discord.faults.fail("GET", "/users/@me", 502, times=2)
    assert await client.rest.request(me())
    assert client.clock.slept == [1.0, 2.0]
    client.discord.faults.fail("POST", MESSAGES, 502)
    with pytest.raises(discord.DiscordServerError):
        await client.rest.request(client.say(), json={"content": "a"})


async def test_cancelled_request_leaves_its_route_free(client: Client) -> None:
    client.discord.faults.delay("GET", "/users/@me", 30.0)
    late = asyncio.create_task(client.rest.request(me()))
    await asyncio.sleep(0.05)
    late.cancel()
    async with asyncio.timeout(5.0):
        assert await client.rest.request(me())
    client.discord.faults.clear()


async def test_channel_that_refuses_words_is_remembered_for_ten_minutes(client: Client) -> None:
    channel = client.discord.world.channel("general").id
    client.discord.faults.fail("POST", MESSAGES, Problem.MISSING_PERMISSIONS)
    with pytest.raises(discord.Forbidden):
        await client.rest.request(client.say(), json={"content": "a"})
    assert channel in client.closed
    client.clock.advance(600.0)
    assert channel not in client.closed
    renaming = Route("PATCH", "/channels/{channel_id}", channel_id=channel)
    client.discord.faults.fail("PATCH", "/channels/{channel_id}", Problem.MISSING_PERMISSIONS)
    with pytest.raises(discord.Forbidden):
        await client.rest.request(renaming, json={"name": "new"})
    assert channel not in client.closed


async def test_nothing_is_sent_to_a_server_that_was_left(client: Client) -> None:
    inner = client.discord.world
    guild, channel = inner.guild("Playground"), inner.channel("general")
    client.closed.leave(guild.id, [channel.id])
    for route in (client.say(), client.typing()):
        with pytest.raises(discord.Forbidden):
            await client.rest.request(route, json={"content": "Anybody?"})
    assert not client.discord.requests
    await client.rest.request(client.say("random"), json={"content": "Here I am."})
    client.closed.enter(guild.id)
    await client.rest.request(client.say(), json={"content": "And back."})
    assert len(client.discord.requests) == 2


async def test_page_of_the_proxy_stops_everything_for_as_long_as_it_says(client: Client) -> None:
    client.discord.faults.cloudflare_ban(600)
    with pytest.raises(discord.HTTPException):
        await client.rest.request(me())
    client.discord.faults.clear()
    assert client.standing.is_banned
    for _ in range(5):
        with pytest.raises(Held):
            await client.rest.request(me())
    assert len(client.discord.requests) == 1
    client.clock.advance(601)
    assert await client.rest.request(me())
    assert not client.standing.is_banned


async def test_refused_token_is_not_shown_again(client: Client) -> None:
    client.discord.application.token = "another"
    with pytest.raises(discord.HTTPException):
        await client.rest.request(me())
    assert client.standing.token_refused.is_set()
    with pytest.raises(Held):
        await client.rest.request(me())
    assert len(client.discord.requests) == 1


async def test_many_refusals_stop_what_nobody_misses(client: Client) -> None:
    await refused(client, RESTRAINED_AT - 1)
    await client.rest.request(client.typing())
    await refused(client, 1)
    channel = client.discord.world.channel("general").id
    renaming = Route("PATCH", "/channels/{channel_id}", channel_id=channel)
    for route, body in [(client.typing(), None), (renaming, {"name": "new"})]:
        with pytest.raises(Held):
            await client.rest.request(route, json=body)
    assert await client.rest.request(client.say(), json={"content": "An answer"})
    client.clock.advance(WINDOW_S)
    await client.rest.request(client.typing())


async def test_far_more_refusals_stop_all_but_first_responses(client: Client) -> None:
    await refused(client, SHUT_AT)
    with pytest.raises(Held):
        await client.rest.request(client.say(), json={"content": "An answer"})
    assert list(client.discord.requests) == []
    watched = (client.standing.watch_first_responses,)
    async with aiohttp.ClientSession(middlewares=watched) as session:
        url = f"{Route.API_BASE_URL}/interactions/1/token/callback"
        async with session.post(url, json={"type": 5}) as response:
            assert response.status == 404
    client.clock.advance(WINDOW_S)
    assert await client.rest.request(client.say(), json={"content": "An answer"})
