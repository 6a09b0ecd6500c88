"""Fifty conversations at once: nothing mixed, lost or doubled, and no limit of Discord's hit."""

from __future__ import annotations

import asyncio
from typing import Any

from companion.playground.state import Channel, Message
from companion.playground.threads import new_thread
from tests.e2e.world import World, body, until
from tests.support.provider_script import Answer

CHANNELS, THREADS, ROUNDS = 10, 40, 2


def echo(request: dict[str, Any]) -> Answer:
    """Answer with the marks of all that was asked before."""
    asked = [m["content"] for m in request["messages"] if m["role"] == "user"]
    marks = [word for text in asked for word in str(text).split() if word.startswith("mark-")]
    return Answer(text="I heard " + " ".join(marks), tokens_per_s=40)


async def test_fifty_conversations_at_once(world: World) -> None:
    world.provider.default = echo
    places = world.discord.world
    guild = places.guild("Playground")
    rooms = [places.add_channel(guild, f"room-{number}") for number in range(CHANNELS)]
    threads = [
        new_thread(places, rooms[number % CHANNELS], places.person("Ada"), f"Talk {number}")
        for number in range(THREADS)
    ]
    everywhere = [*rooms, *threads]
    for number in range(ROUNDS):
        asked = await asyncio.gather(
            *(say(world, place, f"mark-{index}-{number}") for index, place in enumerate(everywhere))
        )
        await until(lambda: len(answers(world, asked)) == len(asked), 60.0)  # noqa: B023
        await until(lambda: not world.door.busy, 60.0)
        for index, message in enumerate(asked):
            (answer,) = answers(world, [message])
            marks = [f"mark-{index}-{earlier}" for earlier in range(number + 1)]
            assert body(answer) == "I heard " + " ".join(marks)
    assert len(world.provider.chats) == len(everywhere) * ROUNDS
    assert world.discord.rate_limit_hits == 0


async def say(world: World, place: Channel, mark: str) -> Message:
    return await world.say(f"<@{world.discord.application_id}> {mark}", where=place)


def answers(world: World, asked: list[Message]) -> list[Message]:
    return [
        answer for message in asked for answer in world.below(message) if answer.reply_to is message
    ]
