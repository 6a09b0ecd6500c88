from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from companion.db.keyring import KeyRing
from tests.api.world import World, open_world
from tests.support.provider_script import Answer, Status

SLOW = Answer(text="Because of the air.", ttft_s=0.5)


def key(value: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": value or uuid4().hex}


async def test_fifty_equal_posts_make_one_upstream_call(world: World) -> None:
    world.provider.default = SLOW
    headers = key()
    answers = await asyncio.gather(*(world.ask(headers=headers) for _ in range(50)))
    assert len(world.provider.chats) == 1
    by_status = [status for status, _, _ in answers]
    assert by_status.count(200) == 1
    assert by_status.count(409) == 49
    late = [await world.ask(headers=headers) for _ in range(50)]
    first = next(body for status, body, _ in answers if status == 200)
    assert [(status, body) for status, body, _ in late] == [(200, first)] * 50
    assert len(world.provider.chats) == 1
    assert all(headers["Idempotent-Replayed"] == "true" for _, _, headers in late)
    assert len({headers["X-Request-ID"] for _, _, headers in late}) == 50


async def test_in_flight_says_when_to_come_back(world: World) -> None:
    world.provider.default = SLOW
    headers = key()
    first = asyncio.create_task(world.ask(headers=headers))
    await asyncio.sleep(0.2)
    status, body, answered = await world.ask(headers=headers)
    assert (status, body.keys(), answered["Retry-After"]) == (409, {"error"}, "1")
    assert (await first)[0] == 200


async def test_another_body_under_the_same_key_is_refused(world: World) -> None:
    headers = key()
    await world.ask("ada", "Why?", headers=headers)
    status, body, _ = await world.ask("ada", "How?", headers=headers)
    assert status == 422
    assert "Idempotency-Key" in body["error"]


async def test_a_key_belongs_to_its_token(world: World) -> None:
    headers = key()
    await world.ask("ada", headers=headers)
    await world.ask("ada", headers=headers, token=world.only_ada)
    assert len(world.provider.chats) == 2


async def test_a_failure_is_not_kept(world: World) -> None:
    headers = key()
    world.provider.script(Status(status=400))
    assert (await world.ask(headers=headers))[0] == 400
    assert (await world.ask(headers=headers))[0] == 200


async def test_an_answer_outlives_the_process_and_is_sealed(database: Path, ring: KeyRing) -> None:
    headers = key("chosen-by-the-client")
    async with open_world(database, ring) as before:
        before.provider.script(Answer(text="canary-answer"))
        token = before.act_as
        first = await before.ask(headers=headers)
        stored = b"".join(file.read_bytes() for file in database.parent.glob("companion.db*"))
    assert b"canary-answer" not in stored
    assert b"chosen-by-the-client" not in stored
    async with open_world(database, ring) as after:
        assert (await after.ask(headers=headers, token=token))[:2] == first[:2]
        assert after.provider.chats == []


@pytest.mark.parametrize("value", ["x" * 256, "caf\u00e9", ""])
async def test_a_key_is_short_and_plain(world: World, value: str) -> None:
    status, _, _ = await world.ask(headers={"Idempotency-Key": value})
    assert status == 400


async def test_a_stranger_learns_nothing_from_a_key(world: World) -> None:
    headers = key()
    await world.ask(headers=headers)
    assert (await world.ask(headers=headers, token="cmp_1_2"))[0] == 401
