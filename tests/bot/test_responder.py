from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import aiohttp
import discord
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from discord.http import HTTPClient, Route

from companion.bot.buttons import Action, Button
from companion.bot.interaction_responder import TOKEN_LIFE_S, InteractionResponder, Target
from companion.bot.responder import DeliveryDelayed, DeliveryGone, TextFile
from tests.bot.interactions import in_guild, interaction
from tests.bot.virtual_time import EPOCH

Step = Callable[[web.Request], Awaitable[web.StreamResponse]]
STOP = Button(action=Action.STOP, label="Stop")
SUPPRESS_EMBEDS, EPHEMERAL = 4, 64
USER_ONLY: dict[str, Any] = {"authorizing_integration_owners": {"1": "11"}}


class HandClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> Any:
        return EPOCH

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def answers(status: int = 200, headers: dict[str, str] | None = None, **fields: object) -> Step:
    async def step(_: web.Request) -> web.Response:
        return web.json_response({"id": "31", "flags": 0, **fields}, status=status, headers=headers)

    return step


async def cuts(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


class Webhook:
    """Discord's webhook routes: one step a request, then success."""

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self._steps = iter(steps)
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.files: dict[str, str] = {}
        self.clock = HandClock()

    async def take(self, request: web.Request) -> web.StreamResponse:
        if request.content_type == "application/json":
            body = await request.json()
        else:
            form = await request.post()
            body = json.loads(cast("str", form["payload_json"]))
            file = cast("web.FileField", form["files[0]"])
            self.files[file.filename] = file.file.read().decode()
        path = request.path.removeprefix("/api/v10/webhooks/500/interaction-token")
        self.requests.append((f"{request.method} {path}", body))
        return await next(self._steps, answers())(request)


@asynccontextmanager
async def webhook_of(
    monkeypatch: pytest.MonkeyPatch,
    asked: discord.Interaction,
    *steps: Step,
    by_bot: FakeHttp | None = None,
) -> AsyncGenerator[tuple[InteractionResponder, Webhook]]:
    webhook = Webhook(steps)
    app = web.Application()
    app.router.add_route("*", "/api/v10/webhooks/{tail:.*}", webhook.take)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        monkeypatch.setattr(Route, "API_BASE_URL", str(server.make_url("/api/v10")))
        http = asked._state.http  # pyright: ignore[reportPrivateUsage]
        monkeypatch.setattr(http, "_HTTPClient__session", session)
        target = Target.of(asked)
        if by_bot is not None:
            target = replace(target, http=cast("HTTPClient", by_bot))
        yield InteractionResponder(target, clock=webhook.clock), webhook


async def test_edit_pings_nobody_and_unfolds_no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    async with webhook_of(monkeypatch, interaction()) as (responder, webhook):
        await responder.edit(0, "@everyone https://example.com", buttons=[STOP])
    ((route, body),) = webhook.requests
    assert route == "PATCH /messages/@original"
    assert body["content"] == "@everyone https://example.com"
    assert body["allowed_mentions"] == {"parse": []}
    assert body["flags"] == SUPPRESS_EMBEDS
    assert body["components"][0]["components"][0]["custom_id"] == STOP.custom_id


async def test_edit_without_buttons_takes_them_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async with webhook_of(monkeypatch, interaction()) as (responder, webhook):
        await responder.edit(0, "done")
    assert webhook.requests[0][1]["components"] == []


async def test_follow_up_pings_nobody_and_is_edited_by_its_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with webhook_of(monkeypatch, interaction(), answers(), answers(id="88")) as (
        responder,
        webhook,
    ):
        await responder.edit(0, "one")
        assert await responder.send("two") == 1
        await responder.edit(1, "two more")
    assert [route for route, _ in webhook.requests] == [
        "PATCH /messages/@original",
        "POST ",
        "PATCH /messages/88",
    ]
    assert all(body["allowed_mentions"] == {"parse": []} for _, body in webhook.requests)
    assert webhook.requests[1][1]["flags"] == SUPPRESS_EMBEDS


async def test_follow_ups_of_a_private_reply_are_private(monkeypatch: pytest.MonkeyPatch) -> None:
    async with webhook_of(monkeypatch, in_guild(), answers(flags=EPHEMERAL)) as (
        responder,
        webhook,
    ):
        await responder.edit(0, "one")
        await responder.send("two")
        assert not responder.may_move_on
    assert webhook.requests[1][1]["flags"] == SUPPRESS_EMBEDS | EPHEMERAL


async def test_file_goes_along(monkeypatch: pytest.MonkeyPatch) -> None:
    async with webhook_of(monkeypatch, interaction()) as (responder, webhook):
        await responder.edit(0, "see file", file=TextFile(name="answer.md", text="# Ä"))
        await responder.send("again", file=TextFile(name="other.md", text="b"))
    assert webhook.files == {"answer.md": "# Ä", "other.md": "b"}
    assert webhook.requests[0][1]["attachments"] == [{"id": 0, "filename": "answer.md"}]
    assert webhook.requests[0][1]["allowed_mentions"] == {"parse": []}


@pytest.mark.parametrize(
    ("status", "code"), [(404, 10008), (404, 10015), (401, 50027), (404, 0), (400, 50035)]
)
async def test_gone_is_gone(monkeypatch: pytest.MonkeyPatch, status: int, code: int) -> None:
    async with webhook_of(monkeypatch, interaction(), answers(status, code=code)) as (responder, _):
        with pytest.raises(DeliveryGone) as caught:
            await responder.edit(0, "x")
    assert (caught.value.status, caught.value.code) == (status, code)


@pytest.mark.parametrize("step", [answers(500), answers(503), cuts])
async def test_passing_failure_costs_one_request(
    monkeypatch: pytest.MonkeyPatch, step: Step
) -> None:
    async with webhook_of(monkeypatch, interaction(), step) as (responder, webhook):
        with pytest.raises(DeliveryDelayed):
            await responder.edit(0, "x")
    assert len(webhook.requests) == 1


async def test_used_up_limit_says_how_long_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    last = answers(
        headers={
            "X-RateLimit-Bucket": "b",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset-After": "2.5",
        }
    )
    async with webhook_of(monkeypatch, interaction(), last) as (responder, webhook):
        assert responder.wait_s(0) == 0
        await responder.edit(0, "x")
        assert responder.wait_s(0) == 2.5
        assert responder.wait_s(None) == 0
        webhook.clock.seconds = 2.0
        assert responder.wait_s(0) == 0.5


async def test_rate_limit_is_told_not_slept(monkeypatch: pytest.MonkeyPatch) -> None:
    limited = answers(429, retry_after=3.5)
    async with webhook_of(monkeypatch, interaction(), limited) as (responder, _):
        with pytest.raises(DeliveryDelayed) as caught:
            await responder.edit(0, "x")
        assert caught.value.retry_after_s == 3.5
        assert responder.wait_s(0) == 3.5


async def test_user_installed_app_has_five_follow_ups(monkeypatch: pytest.MonkeyPatch) -> None:
    async with webhook_of(monkeypatch, in_guild(**USER_ONLY)) as (responder, _):
        for _number in range(5):
            assert responder.may_send_more
            await responder.send("x")
        assert not responder.may_send_more


async def test_follow_up_limit_met_early_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = answers(400, code=40094)
    async with webhook_of(monkeypatch, in_guild(**USER_ONLY), refused) as (responder, _):
        with pytest.raises(DeliveryDelayed):
            await responder.send("x")
        assert not responder.may_send_more


async def test_time_runs_out_half_a_minute_before_the_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with webhook_of(monkeypatch, interaction()) as (responder, webhook):
        assert responder.seconds_left == TOKEN_LIFE_S == 870
        webhook.clock.seconds = 871
        assert responder.seconds_left < 0


SEND = discord.Permissions(view_channel=True, send_messages=True).value
LOOK = discord.Permissions(view_channel=True).value


@pytest.mark.parametrize(
    ("asked", "may"),
    [
        ({"app_permissions": str(SEND)}, True),
        ({"app_permissions": str(LOOK)}, False),
        ({"app_permissions": str(SEND), **USER_ONLY}, False),
    ],
    ids=["member that may speak", "member that may not", "not a member"],
)
async def test_moves_on_only_where_the_app_may_speak(
    monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any], may: bool
) -> None:
    async with webhook_of(monkeypatch, in_guild(**asked)) as (responder, _):
        assert not responder.may_move_on
        await responder.edit(0, "public, as Discord says")
        assert responder.may_move_on is may


async def test_after_moving_on_parts_are_channel_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = in_guild(app_permissions=str(SEND))
    http = FakeHttp()
    async with webhook_of(monkeypatch, asked, by_bot=http) as (responder, webhook):
        await responder.edit(0, "one")
        responder.move_on()
        assert responder.seconds_left == float("inf")
        assert responder.bot_channel == 77
        assert await responder.send("two", buttons=[STOP]) == 1
        await responder.edit(1, "two more")
    assert len(webhook.requests) == 1
    assert [body["content"] for body in http.bodies] == ["two", "two more"]
    assert all(body["allowed_mentions"] == {"parse": []} for body in http.bodies)
    assert http.bodies[0]["enforce_nonce"]


class FakeHttp:
    """Takes requests with the bot's token and notes their bodies."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    async def request(self, _: Route, *, json: dict[str, Any], paced: bool) -> dict[str, Any]:
        assert paced
        self.bodies.append(json)
        return {"id": "55", "content": json["content"]}
