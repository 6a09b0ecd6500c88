from __future__ import annotations

import asyncio

import aiohttp
import pytest

from companion.playground.api_errors import Problem
from companion.playground.faults import CALLBACK, FaultKind
from companion.playground.local_discord import LocalDiscord
from tests.playground.raw import RawApp

ME = "/users/@me"


async def test_route_fails_as_often_as_asked(local: LocalDiscord, app: RawApp):
    local.faults.fail("GET", ME, 503, times=2, after=1)
    statuses = [(await app.call("GET", ME)).status for _ in range(4)]
    assert statuses == [200, 503, 503, 200]
    assert [r.fault for r in local.requests] == [None, "answer", "answer", None]


async def test_failure_can_be_one_of_discords_errors(local: LocalDiscord, app: RawApp):
    path = f"/channels/{local.world.channel('general').id}/messages"
    template = "/channels/{channel_id}/messages"
    local.faults.fail("POST", template, Problem.BLOCKED_BY_AUTOMOD)
    answer = await app.call("POST", path, {"content": "bad"})
    assert (answer.status, answer.code) == (400, 200000)
    assert local.messages("general") == []


async def test_failed_callback_leaves_the_interaction_open(local: LocalDiscord, app: RawApp):
    local.faults.fail_callback(500)
    interaction = await local.invoke("Ada", "general", "ask")
    assert (await app.callback(interaction, 5)).status == 500
    assert (await app.callback(interaction, 5)).status == 204


@pytest.mark.parametrize("kind", [FaultKind.LOSE_ANSWER, FaultKind.RESET])
async def test_lost_answer_was_applied_and_a_reset_was_not(
    local: LocalDiscord, app: RawApp, kind: FaultKind
):
    local.faults.fail_callback(kind)
    interaction = await local.invoke("Ada", "general", "ask")
    with pytest.raises(aiohttp.ClientError):
        await app.callback(interaction, 5)
    again = await app.callback(interaction, 5)
    assert again.status == {FaultKind.LOSE_ANSWER: 400, FaultKind.RESET: 204}[kind]


@pytest.mark.parametrize("kind", [FaultKind.HANG, FaultKind.HANG_AFTER])
async def test_hanging_callback_never_answers(local: LocalDiscord, app: RawApp, kind: FaultKind):
    local.faults.break_off(kind, "POST", CALLBACK)
    interaction = await local.invoke("Ada", "general", "ask")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await app.callback(interaction, 5)
    assert (interaction.acknowledged_at is not None) is (kind is FaultKind.HANG_AFTER)


async def test_delayed_answer_comes_in_the_end(local: LocalDiscord, app: RawApp):
    local.faults.delay("GET", ME, 0.05)
    before = asyncio.get_running_loop().time()
    assert (await app.call("GET", ME)).status == 200
    assert asyncio.get_running_loop().time() - before >= 0.05


async def test_cloudflare_answers_in_html_without_via(local: LocalDiscord, app: RawApp):
    local.faults.cloudflare_ban(retry_after_s=600)
    answer = await app.call("GET", ME)
    assert answer.status == 429
    assert answer.headers["Content-Type"] == "text/html"
    assert "Via" not in answer.headers
    assert answer.headers["Retry-After"] == "600"
    local.faults.clear()
    assert (await app.call("GET", ME)).status == 200


async def test_shared_limit_says_so(local: LocalDiscord, app: RawApp):
    local.faults.shared_limit("GET", ME, 1337)
    answer = await app.call("GET", ME)
    assert (answer.status, answer.headers["X-RateLimit-Scope"]) == (429, "shared")
    assert answer.body["retry_after"] == 1337
