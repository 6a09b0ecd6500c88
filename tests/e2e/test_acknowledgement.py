from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator

import pytest

from companion.domain.chat import ChatEvent, Failed
from companion.domain.errors import AlreadyAnswered, StorageUnavailable
from companion.playground.api_errors import Problem
from companion.playground.events import Dispatch
from companion.playground.faults import ORIGINAL, FaultKind
from companion.playground.interaction import Interaction
from companion.playground.interaction_payloads import interaction_create
from tests.e2e.conftest import Opener
from tests.e2e.world import World, body, until

CALLBACK = "/interactions/{interaction_id}/{interaction_token}/callback"


async def test_fifty_at_once_are_acknowledged_while_the_database_is_stuck(world: World) -> None:
    lock = sqlite3.connect(world.database, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        asked = [await world.start("ask", prompt=f"Question {n}") for n in range(50)]
        await asyncio.gather(*(interaction.acknowledged(2.9) for interaction in asked))
        assert not world.provider.chats
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    await asyncio.gather(*(world.settled(interaction) for interaction in asked))
    assert all(body(interaction) for interaction in asked)
    # besides them, titles of threads may have been asked for
    sent = [chat.body["messages"][-1]["content"] for chat in world.provider.chats]
    assert sorted(text for text in sent if text.startswith("Question ")) == sorted(
        f"Question {n}" for n in range(50)
    )


@pytest.mark.parametrize("how", [500, FaultKind.LOSE_ANSWER, FaultKind.RESET])
async def test_lost_acknowledgement_is_sent_again(world: World, how: int | FaultKind) -> None:
    world.discord.faults.fail_callback(how)
    asked = await world.ask("Hi.")
    assert body(asked) == "Hello from the scripted provider."
    assert len(world.provider.chats) == 1


@pytest.mark.parametrize("how", [500, Problem.UNKNOWN_INTERACTION])
async def test_unacknowledged_question_costs_nothing(world: World, how: int | Problem) -> None:
    world.discord.faults.fail_callback(how, times=10)
    before = len(world.discord.requests)
    await world.start("ask", prompt="Hi.")
    await until(lambda: len(callbacks(world, before)) >= (2 if how == 500 else 1))
    world.discord.faults.clear()
    await until(lambda: not world.door.busy)
    assert len(callbacks(world, before)) <= 2
    assert world.provider.chats == []


async def test_same_interaction_delivered_twice_is_answered_once(world: World) -> None:
    asked = await world.start("ask", prompt="Hi.")
    redeliver(world, asked)
    await world.settled(asked)
    await until(lambda: not world.door.busy)
    assert body(asked) == "Hello from the scripted provider."
    assert len(asked.messages) == 1
    redeliver(world, asked)
    await until(lambda: len(callbacks(world)) == 3)
    await until(lambda: not world.door.busy)
    assert len(world.provider.chats) == 1
    assert len(asked.messages) == 1


async def test_answer_of_another_delivery_is_left_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answered(*_: object) -> AsyncGenerator[ChatEvent]:
        yield Failed(error=AlreadyAnswered())

    monkeypatch.setattr(type(world.services.chat), "ask", answered)
    asked = await (await world.start("ask", prompt="Hi.")).acknowledged()
    await until(lambda: not world.door.busy)
    assert [message.thinking for message in asked.messages] == [True]


async def test_refusal_arrives_although_its_placeholder_stays(opener: Opener) -> None:
    async with opener(operator_key=None) as world:
        world.discord.faults.fail("DELETE", ORIGINAL, Problem.UNKNOWN_MESSAGE)
        asked = await world.start("ask", prompt="Hi.")
        await until(lambda: "*Set key*" in asked.text)


async def test_help_works_while_the_database_does_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreachable(*_: object) -> None:
        raise StorageUnavailable

    monkeypatch.setattr(type(world.services.accounts), "status", unreachable)
    helped = await world.run("help")
    assert "`/ask`" in helped.text
    assert "can't look it up right now" in helped.text


async def test_suggestions_come_while_the_database_is_stuck(world: World) -> None:
    lock = sqlite3.connect(world.database, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    try:
        found = await world.discord.autocomplete(
            "Ada", "general", "ask", {"model": "g"}, "model", timeout=1.0
        )
        assert found
    finally:
        lock.execute("ROLLBACK")
        lock.close()


async def test_suggestions_never_fail_visibly(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no list today")

    monkeypatch.setattr(type(world.services.models), "suggest", broken)
    found = await world.discord.autocomplete("Ada", "general", "ask", {"model": "g"}, "model")
    assert found == []


async def test_unforeseen_error_gives_a_reference_and_nothing_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> int:
        raise RuntimeError("sk-leaked-through-an-exception")

    monkeypatch.setattr(type(world.services.conversations), "clear_here", broken)
    cleared = await world.run("clear")
    assert "on our side" in cleared.text
    assert "sk-leaked" not in cleared.text


def callbacks(world: World, since: int = 0) -> list[object]:
    return [r for r in world.discord.requests[since:] if r.template == CALLBACK]


def redeliver(world: World, interaction: Interaction) -> None:
    payload = interaction_create(world.discord.world, interaction, None)
    event = Dispatch(name="INTERACTION_CREATE", data=payload, guild_id=interaction.channel.guild_id)
    world.discord.world.bus.dispatch(event)
