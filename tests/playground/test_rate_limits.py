from __future__ import annotations

from companion.playground.local_discord import LocalDiscord
from companion.playground.rate_limits import Limit
from tests.playground.raw import Answer, RawApp


async def send(local: LocalDiscord, app: RawApp, channel: str = "general") -> Answer:
    path = f"/channels/{local.world.channel(channel).id}/messages"
    return await app.call("POST", path, {"content": "x"})


async def test_sixth_message_in_five_seconds_is_refused(local: LocalDiscord, app: RawApp):
    answers = [await send(local, app) for _ in range(6)]
    assert [a.status for a in answers] == [200] * 5 + [429]
    last = answers[-1]
    assert 0 < last.body["retry_after"] <= 5
    assert last.body["global"] is False
    assert last.headers["X-RateLimit-Scope"] == "user"
    assert "Via" in last.headers
    assert local.rate_limit_hits == 1
    assert len(local.messages("general")) == 5


async def test_headers_count_down(local: LocalDiscord, app: RawApp):
    answers = [await send(local, app) for _ in range(5)]
    remaining = [a.headers["X-RateLimit-Remaining"] for a in answers]
    assert remaining == ["4", "3", "2", "1", "0"]
    assert 0 < float(answers[0].headers["X-RateLimit-Reset-After"]) <= 5
    assert len({a.headers["X-RateLimit-Bucket"] for a in answers}) == 1


async def test_window_opens_again(local: LocalDiscord, app: RawApp):
    local.limits.sizes.message_create = Limit(requests=1, per_s=0.02)
    first, second = await send(local, app), await send(local, app)
    assert (first.status, second.status) == (200, 429)
    while (await send(local, app)).status == 429:
        pass
    assert len(local.messages("general")) == 2


async def test_channels_have_buckets_of_their_own(local: LocalDiscord, app: RawApp):
    for _ in range(5):
        await send(local, app)
    assert (await send(local, app, "random")).status == 200


async def test_edits_and_sends_count_apart(local: LocalDiscord, app: RawApp):
    sent = await send(local, app)
    for _ in range(4):
        await send(local, app)
    path = f"/channels/{sent.body['channel_id']}/messages/{sent.body['id']}"
    statuses = [(await app.call("PATCH", path, {"content": f"{n}"})).status for n in range(6)]
    assert statuses == [200] * 5 + [429]


async def test_each_webhook_token_has_its_own_bucket(local: LocalDiscord, app: RawApp):
    one, other = [await local.invoke("Ada", "general", "ask") for _ in range(2)]
    for interaction in (one, other):
        await app.callback(interaction, 5)
    statuses = [(await app.original("PATCH", one, {"content": f"{n}"})).status for n in range(6)]
    assert statuses == [200] * 5 + [429]
    assert (await app.original("PATCH", other, {"content": "x"})).status == 200


async def test_global_limit_is_for_bot_tokens_only(local: LocalDiscord, app: RawApp):
    local.limits.sizes.everything = Limit(requests=3, per_s=60)
    statuses = [(await app.call("GET", "/users/@me")).status for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    refused = await app.call("GET", "/gateway/bot")
    assert refused.body["global"] is True
    assert refused.headers["X-RateLimit-Scope"] == "global"
    interaction = await local.invoke("Ada", "general", "ask")
    assert (await app.callback(interaction, 5)).status == 204
    assert (await app.original("PATCH", interaction, {"content": "x"})).status == 200
    assert local.limits.global_hits == 2


async def test_callbacks_are_not_limited(local: LocalDiscord, app: RawApp):
    for _ in range(60):
        interaction = await local.invoke("Ada", "general", "ask")
        assert (await app.callback(interaction, 5)).status == 204
    assert local.rate_limit_hits == 0


async def test_limits_can_be_switched_off(local: LocalDiscord, app: RawApp):
    local.limits.sizes.message_create = None
    statuses = {(await send(local, app)).status for _ in range(10)}
    assert statuses == {200}


async def test_invalid_requests_are_counted_unless_shared(local: LocalDiscord, app: RawApp):
    await app.call("GET", "/users/@me", token="wrong")
    local.faults.shared_limit("GET", "/users/@me")
    await app.call("GET", "/users/@me")
    assert local.requests.invalid == 1
