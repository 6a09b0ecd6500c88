"""Whatever happens to a reply, and at whichever step: slots come free, and turns end."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from companion.domain.chat import ChatEvent, Failed, Finished
from companion.domain.conversation import Finish
from companion.domain.errors import ButtonExpired
from tests.services.house import ADA, House, collected, request, until

STEPS = 50
"""More steps of the event loop than a whole reply takes."""


async def started(house: House, steps: int) -> asyncio.Task[list[ChatEvent]]:
    """Ask, and let the event loop make so many steps."""
    door = asyncio.ensure_future(collected(house.services.chat.ask(request("Why?"))))
    for _ in range(steps):
        await asyncio.sleep(0)
    return door


def assert_all_has_ended(house: House) -> None:
    """Check that nothing is open, running or unaccounted for."""
    assert house.services.chat.running == 0
    assert house.provider.open == house.store.in_transaction == 0
    assert all(turn.finish is not None for turn in house.turns)
    assert all(call.end is not None for call in house.log)
    assert len(house.provider.calls) <= len(house.log) == len(house.turns)
    assert house.queue.running == house.queue.waiting == 0


async def assert_all_is_well(house: House) -> None:
    """Check that everything has ended, and that whoever asks next is served."""
    await until(lambda: not house.services.chat.running)
    assert_all_has_ended(house)
    for _ in range(3):
        assert (await house.answer()).finish is Finish.COMPLETE
    await house.services.close()


async def test_the_steps_cover_a_whole_reply(house: House) -> None:
    door = await started(house, STEPS)
    assert door.done()
    await door


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_the_door_is_cancelled(times: int) -> None:
    for step in range(STEPS):
        house = House()
        door = await started(house, step)
        for _ in range(times):
            door.cancel()
            await asyncio.sleep(0)
        await asyncio.wait({door})
        await assert_all_is_well(house)


async def test_stop_is_pressed() -> None:
    for step in range(STEPS):
        house = House()
        door = await started(house, step)
        for turn in house.turns:
            with suppress(ButtonExpired):
                await house.services.chat.stop(turn.id, ADA)
        await door
        await assert_all_is_well(house)


async def test_the_house_closes() -> None:
    for step in range(STEPS):
        house = House()
        door = await started(house, step)
        await house.services.close()
        await door
        assert_all_has_ended(house)
        if not house.provider.calls:  # what was not sent has used nothing
            assert all(turn.usage and not turn.usage.total_tokens for turn in house.turns)


async def test_the_work_itself_is_cancelled() -> None:
    for step in range(STEPS):
        house = House()
        door = await started(house, step)
        await house.services.tasks.close()
        events = await door
        assert house.services.chat.running == house.provider.open == house.store.in_transaction == 0
        assert isinstance(events[-1], Finished | Failed)


@pytest.mark.parametrize("commit", [1, 2])
async def test_the_database_fails_at_a_commit_and_comes_back(commit: int) -> None:
    for step in range(STEPS):
        house = House()
        door = await started(house, step)
        house.store.failing_commits = commit
        await door
        house.store.failing_commits = 0
        while house.clock.sleeping:
            house.clock.advance(hours=1)
            await asyncio.sleep(0)
        await until(lambda house=house: not house.services.tasks.runs("store an ended turn"))
        await assert_all_is_well(house)
