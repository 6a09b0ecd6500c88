from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from companion.db.keyring import KeyRing
from companion.domain.actor import Actor, DiscordUserId, Place, PlaceKind
from companion.domain.tokens import TokenScope
from companion.limits.memory import BucketSize
from tests.api.world import World, open_world
from tests.support.provider_script import RATE_LIMITED, WRONG_KEY, Answer, Status

BROKEN = Status(status=500, body=b"UPSTREAM TEXT", content_type="text/plain")


async def test_a_prompt_is_answered(world: World) -> None:
    world.provider.script(Answer(text="Because of the air."))
    status, body, headers = await world.ask("ada", "Why is the sky blue?", temperature=1)
    assert (status, body) == (200, {"user_id": "ada", "completion": "Because of the air."})
    assert headers["X-Request-ID"]
    assert world.prompts()[-1] == "Why is the sky blue?"
    assert world.provider.chats[-1].body["temperature"] == 1


async def test_a_user_continues_their_own_conversation_only(world: World) -> None:
    await world.ask("ada", "My number is 7.")
    await world.ask("grace", "My number is 8.")
    await world.ask("ada", "Which number?")
    assert "My number is 7." in world.prompts()
    assert "My number is 8." not in world.prompts()


async def test_a_restart_keeps_the_conversation(database: Path, ring: KeyRing) -> None:
    async with open_world(database, ring) as before:
        await before.ask("ada", "My number is 7.")
    async with open_world(database, ring) as after:
        await after.ask("ada", "Which number?")
        assert "My number is 7." in after.prompts()


async def test_a_conversation_can_be_forgotten(world: World) -> None:
    await world.ask("ada/of london", "My number is 7.")
    path = "/openai-completion/ada%2Fof%20london/"
    forgotten = {"user_id": "ada/of london", "forgotten": 1}
    assert (await world.send("DELETE", path, world.act_as))[:2] == (200, forgotten)
    await world.ask("ada/of london", "Which number?")
    assert "My number is 7." not in world.prompts()


async def test_a_trailing_slash_is_optional(world: World) -> None:
    body = {"user_id": "ada", "prompt": "Why?"}
    status, _, _ = await world.send("POST", "/openai-completion/", world.act_as, json=body)
    assert status == 200


# Who may


@pytest.mark.parametrize("token", [None, "", "cmp_1_2", "sk-operator"])
async def test_without_a_token_nothing_is_asked(world: World, token: str | None) -> None:
    status, body, headers = await world.ask(token=token)
    assert status == 401
    assert body.keys() == {"error"}
    assert headers["WWW-Authenticate"] == "Bearer"
    assert world.provider.chats == []


async def test_known_and_unknown_strangers_get_the_same_403(world: World) -> None:
    await world.ask("grace", "Hello.")
    known = await world.ask("grace", token=world.only_ada)
    unknown = await world.ask("nobody", token=world.only_ada)
    assert known[:2] == unknown[:2]
    assert known[0] == 403
    for user_id in ("grace", "nobody"):
        path = f"/openai-completion/{user_id}"
        assert (await world.send("DELETE", path, world.only_ada))[:2] == known[:2]
    assert (await world.ask("ada", token=world.only_ada))[0] == 200


async def test_a_discord_persons_token_is_that_person(world: World) -> None:
    person = Actor(name="Ada", discord_id=DiscordUserId(42))
    made = await world.services.tokens.create_own(person, Place(kind=PlaceKind.HTTP), "laptop")
    assert (await world.ask("42", token=made.text.reveal()))[0] == 200
    assert (await world.ask("43", token=made.text.reveal()))[0] == 403


async def test_a_token_without_the_scope_is_refused(world: World) -> None:
    scopes = frozenset({TokenScope.MODELS})
    made = await world.services.tokens.create("models", act_as=True, scopes=scopes)
    status, body, _ = await world.ask(token=made.text.reveal())
    assert status == 403
    assert "chat" in body["error"]


async def test_a_revoked_token_is_refused(world: World) -> None:
    made = await world.services.tokens.create("short", act_as=True)
    assert (await world.ask(token=made.text.reveal()))[0] == 200
    await world.services.tokens.revoke(made.token.id)
    assert (await world.ask(token=made.text.reveal()))[0] == 401


# What is wrong


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": "x" * 6001}, "prompt"),
        ({"prompt": 7}, "prompt"),
        ({"user_id": ""}, "user_id"),
        ({"user_id": "a\u0000b"}, "user_id"),
        ({"user_id": "\ud800"}, "user_id"),
        ({"user_id": None}, "user_id"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"base_url": "https://evil.example"}, "base_url"),
        ({"act_as": True}, "act_as"),
        ({"prompt": "my key is sk-proj-" + "aB3" * 20}, "text"),
    ],
)
async def test_wrong_fields_are_named(world: World, change: dict[str, Any], field: str) -> None:
    status, body, _ = await world.ask(**{"user_id": "ada", "prompt": "Why?", **change})
    assert status == 422, body
    assert field in body["error"]
    assert world.provider.chats == []


@pytest.mark.parametrize(
    ("data", "status"), [(b"{", 400), (b"", 422), (b"[]", 422), (b"\xff", 400), (b"nan", 400)]
)
async def test_what_is_no_request_is_refused(world: World, data: bytes, status: int) -> None:
    headers = {"Content-Type": "application/json"}
    answered = await world.send(
        "POST", "/openai-completion", world.act_as, data=data, headers=headers
    )
    assert answered[0] == status
    assert answered[1].keys() == {"error"}


async def test_an_unknown_model_is_not_found(world: World) -> None:
    assert (await world.ask(model="gpt-nonsense"))[0] == 404


@pytest.mark.parametrize(("method", "status"), [("GET", 405), ("PUT", 405)])
async def test_other_methods_are_refused_in_json(world: World, method: str, status: int) -> None:
    answered = await world.send(method, "/openai-completion", world.act_as)
    assert answered[0] == status
    assert answered[1].keys() == {"error"}


@pytest.mark.parametrize(
    ("upstream", "status"),
    [(WRONG_KEY, 403), (BROKEN, 502), (Answer(text="a b", finish=None, done=False), 502)],
)
async def test_failures_of_the_provider_are_told_in_our_words(
    world: World, upstream: Any, status: int
) -> None:
    world.provider.script(*[upstream] * 4)
    answered = await world.ask()
    assert answered[0] == status, answered
    assert "UPSTREAM" not in answered[1]["error"]


async def test_limits_are_told_before_and_when_they_strike(database: Path, ring: KeyRing) -> None:
    bucket = BucketSize(capacity=2, period_s=60)
    async with open_world(database, ring, user_bucket=bucket) as world:
        headers = [(await world.ask())[2] for _ in range(2)]
        assert [h["X-RateLimit-Remaining"] for h in headers] == ["1", "0"]
        assert headers[0]["X-RateLimit-Limit"] == "2"
        assert headers[0]["X-RateLimit-Reset"] == "30"
        status, body, refused = await world.ask()
        assert (status, body.keys()) == (429, {"error"})
        assert 1 <= int(refused["Retry-After"]) <= 30
        assert (await world.ask("grace"))[0] == 200


async def test_the_providers_limit_is_passed_on(world: World) -> None:
    world.provider.default = RATE_LIMITED
    status, _, headers = await world.ask()
    assert status == 429
    assert int(headers["Retry-After"]) >= 1


async def test_a_draining_process_sends_clients_elsewhere(world: World) -> None:
    world.ready.draining = True
    status, body, headers = await world.ask()
    assert (status, body.keys()) == (503, {"error"})
    assert headers["Retry-After"] == "1"
    assert (await world.send("GET", "/livez"))[0] == 200
