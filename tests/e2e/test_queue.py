"""What people see of the queue, and that nothing but answers ever waits in it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from companion.playground.interaction import Interaction
from tests.e2e.conftest import Opener
from tests.e2e.world import World, body, labels, only
from tests.support.provider_script import Answer

SLOW = Answer(text="tick " * 400, tokens_per_s=40)


@pytest.fixture
async def small(opener: Opener) -> AsyncGenerator[World]:
    """A world with room for one answer."""
    async with opener(at_once=1) as opened:
        yield opened


async def running(world: World) -> Interaction:
    world.provider.script(SLOW)
    asked = await world.start("ask", who="Ada", prompt="Tick.")
    return await asked.until(lambda seen: seen.original is not None and "tick" in seen.text)


async def queued(world: World) -> Interaction:
    asked = await world.start("ask", who="Grace", prompt="And me?")
    return await asked.until(lambda seen: seen.original is not None and "line" in seen.text)


async def test_who_waits_sees_their_place_and_then_the_answer(small: World) -> None:
    first = await running(small)
    second = await queued(small)
    assert "You're next in line. I should start <t:" in second.text
    assert labels(only(second)) == ["Cancel"]
    await small.discord.click("Ada", only(first), "Stop")
    await second.until(lambda seen: "Regenerate" in labels(only(seen)))
    assert body(second) == "Hello from the scripted provider."


async def test_cancel_gives_the_place_up_and_nothing_is_sent(small: World) -> None:
    first = await running(small)
    second = await queued(small)
    await small.discord.click("Grace", only(second), "Cancel")
    await second.until(lambda seen: "Stopped" in seen.text)
    await small.discord.click("Ada", only(first), "Stop")
    await small.settled(first)
    assert len(small.provider.chats) == 1


async def test_what_is_no_answer_never_waits(small: World) -> None:
    first = await running(small)
    await queued(small)
    for name in ("help", "clear"):
        command = await small.start(name, who="Grace")
        await command.until(lambda seen: bool(seen.text), timeout=3.0)
    form = await small.start("setkey", who="Grace")
    await form.until(lambda seen: seen.modal is not None, timeout=3.0)
    assert small.services.admission.waiting == 1
    await small.discord.click("Ada", only(first), "Stop")
    await small.settled(first)
