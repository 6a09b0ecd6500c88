from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from discord.http import Route

from companion.bot.acknowledging import (
    CROWD,
    Acknowledger,
    AckTimings,
    CallbackType,
    Receipt,
    Unacknowledged,
    Why,
)
from tests.bot.interactions import interaction

Step = Callable[[web.Request], Awaitable[web.StreamResponse]]
CALM = AckTimings(budget_s=10.0, try_s=5.0, pause_s=0.01)
HASTY = AckTimings(budget_s=3.0, try_s=0.5, pause_s=0.01)
"""Where Discord hangs; a busy machine hangs for a moment, too."""


def answers(status: int, code: int = 0, **fields: object) -> Step:
    async def step(_: web.Request) -> web.Response:
        return web.json_response({"code": code, **fields}, status=status)

    return step


def accepts(*, ephemeral: bool = False) -> Step:
    return answers(200, interaction={"id": "900", "response_message_ephemeral": ephemeral})


async def hangs(_: web.Request) -> web.Response:
    await asyncio.sleep(30)
    raise AssertionError("the client gives up first")


async def cuts(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


class Callbacks:
    """Discord's callback route, one step a request."""

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self._steps = iter(steps)
        self.bodies: list[dict[str, object]] = []

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        return await next(self._steps)(request)


@asynccontextmanager
async def discord_that(
    monkeypatch: pytest.MonkeyPatch, *steps: Step, timings: AckTimings | None = None
) -> AsyncGenerator[tuple[Acknowledger, Callbacks]]:
    callbacks = Callbacks(steps)
    app = web.Application()
    app.router.add_post("/api/v10/interactions/{id}/{token}/callback", callbacks.take)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        monkeypatch.setattr(Route, "API_BASE_URL", str(server.make_url("/api/v10")))
        usual = HASTY if hangs in steps else CALM
        yield Acknowledger(session, timings=timings or usual), callbacks


async def test_taken_response_needs_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = interaction()
    async with discord_that(monkeypatch, accepts()) as (acknowledger, callbacks):
        await acknowledger.respond(asked, CallbackType.deferred_channel_message, {"flags": 64})
    assert callbacks.bodies == [{"type": 5, "data": {"flags": 64}}]
    assert asked.response.is_done()


async def test_discord_making_it_ephemeral_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with discord_that(monkeypatch, accepts(ephemeral=True)) as (acknowledger, _):
        receipt = await acknowledger.respond(interaction(), CallbackType.deferred_channel_message)
    assert receipt == Receipt(ephemeral=True)


@pytest.mark.parametrize("failure", [answers(500), answers(503), hangs, cuts])
async def test_one_failure_is_survived(monkeypatch: pytest.MonkeyPatch, failure: Step) -> None:
    async with discord_that(monkeypatch, failure, accepts()) as (acknowledger, callbacks):
        await acknowledger.respond(interaction(), CallbackType.deferred_channel_message)
    assert len(callbacks.bodies) == 2


@pytest.mark.parametrize("lost", [answers(500), hangs, cuts])
async def test_already_acknowledged_after_a_lost_answer_was_us(
    monkeypatch: pytest.MonkeyPatch, lost: Step
) -> None:
    asked = interaction()
    async with discord_that(monkeypatch, lost, answers(400, 40060)) as (acknowledger, _):
        receipt = await acknowledger.respond(asked, CallbackType.deferred_channel_message)
    assert receipt == Receipt(ephemeral=None)
    assert asked.response.is_done()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (answers(400, 40060), Why.DUPLICATE),
        (answers(404, 10062), Why.EXPIRED),
        (answers(400, 50035), Why.REFUSED),
        (answers(302), Why.REFUSED),
    ],
)
async def test_final_refusal_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, answer: Step, why: Why
) -> None:
    async with discord_that(monkeypatch, answer) as (acknowledger, callbacks):
        with pytest.raises(Unacknowledged) as caught:
            await acknowledger.respond(interaction(), CallbackType.deferred_channel_message)
    assert caught.value.why is why
    assert len(callbacks.bodies) == 1


async def test_two_tries_are_all(monkeypatch: pytest.MonkeyPatch) -> None:
    async with discord_that(monkeypatch, answers(500), answers(502)) as (acknowledger, callbacks):
        with pytest.raises(Unacknowledged) as caught:
            await acknowledger.respond(interaction(), CallbackType.deferred_channel_message)
    assert caught.value.why is Why.UNREACHABLE
    assert len(callbacks.bodies) == 2


async def test_budget_ends_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    tight = AckTimings(budget_s=0.3, try_s=0.2, pause_s=0.01)
    async with discord_that(monkeypatch, hangs, hangs, timings=tight) as (acknowledger, _):
        begun = time.monotonic()
        with pytest.raises(Unacknowledged):
            await acknowledger.respond(interaction(), CallbackType.deferred_channel_message)
    assert time.monotonic() - begun < 1.0


async def test_wait_longer_than_the_budget_is_not_sat_out(monkeypatch: pytest.MonkeyPatch) -> None:
    limited = answers(429, retry_after=60.0)
    async with discord_that(monkeypatch, limited) as (acknowledger, callbacks):
        began = time.monotonic()
        with pytest.raises(Unacknowledged):
            await acknowledger.respond(interaction(), CallbackType.deferred_channel_message)
    assert time.monotonic() - began < CALM.budget_s / 2
    assert len(callbacks.bodies) == 1


async def test_closed_port_is_no_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Route, "API_BASE_URL", "http://127.0.0.1:9")
    async with aiohttp.ClientSession() as session:
        with pytest.raises(Unacknowledged) as caught:
            await Acknowledger(session, timings=HASTY).respond(
                interaction(), CallbackType.deferred_channel_message
            )
    assert caught.value.why is Why.UNREACHABLE


def test_default_budget_leaves_room_before_discords_three_seconds() -> None:
    timings = AckTimings()
    assert timings.budget_s <= 2.5
    assert 2 * timings.try_s + timings.pause_s <= timings.budget_s


async def test_what_follows_waits_for_the_first_responses_of_a_crowd(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    open_doors = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        await open_doors.wait()
        return await accepts()(request)

    steps = [accepts(), *[slow] * CROWD]
    async with discord_that(monkeypatch, *steps, timings=AckTimings()) as (acknowledger, _):

        async def respond() -> None:
            await acknowledger.respond(interaction(), CallbackType.deferred_channel_message)

        await respond()
        await acknowledger.after_the_crowd()  # nobody waits: it returns at once
        crowd = [asyncio.create_task(respond()) for _ in range(CROWD)]
        await asyncio.sleep(0)
        following = asyncio.create_task(acknowledger.after_the_crowd())
        await asyncio.sleep(0.05)
        assert not following.done()
        open_doors.set()
        async with asyncio.timeout(1.0):
            await asyncio.gather(*crowd, following)


async def test_a_crowd_that_stays_is_waited_for_a_moment_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    timings = AckTimings(budget_s=0.4, try_s=0.4, crowd_s=0.05)
    async with discord_that(monkeypatch, *[hangs] * CROWD, timings=timings) as (acknowledger, _):
        crowd = [
            asyncio.create_task(
                acknowledger.respond(interaction(), CallbackType.deferred_channel_message)
            )
            for _ in range(CROWD)
        ]
        await asyncio.sleep(0)
        began = time.monotonic()
        await acknowledger.after_the_crowd()
        assert time.monotonic() - began < 0.4
        await asyncio.gather(*crowd, return_exceptions=True)
