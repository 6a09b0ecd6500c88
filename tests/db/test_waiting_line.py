"""Who writes next: whoever is waited for, and still everyone in the end."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from companion.db.grouped_writes import IN_A_ROW
from companion.db.waiting_line import WaitingLine


class Writers:
    """People in the line, and the order in which they wrote."""

    def __init__(self) -> None:
        self.line = WaitingLine(1, in_a_row=IN_A_ROW)
        self.order: list[str] = []

    async def write(self, name: str, *, first: bool = False) -> None:
        await self.line.acquire(first=first)
        self.order.append(name)
        await asyncio.sleep(0)
        self.line.release()

    def come(self, *names: str, first: bool = False) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(self.write(name, first=first)) for name in names]


@pytest.fixture
async def writers() -> Writers:
    return Writers()


async def test_whoever_is_first_goes_before_others_who_came_before(writers: Writers) -> None:
    await writers.line.acquire(first=False)
    waiting = writers.come("one", "two") + writers.come("now", first=True)
    await asyncio.sleep(0)
    writers.line.release()
    await asyncio.gather(*waiting)
    assert writers.order == ["now", "one", "two"]
    assert not writers.line.is_full


async def test_the_rest_has_its_turn_however_many_are_first(writers: Writers) -> None:
    await writers.line.acquire(first=False)
    waiting = writers.come("patient") + writers.come(*"abcdef", first=True)
    await asyncio.sleep(0)
    writers.line.release()
    await asyncio.gather(*waiting)
    assert writers.order.index("patient") == IN_A_ROW


async def test_who_gave_up_holds_up_nobody(writers: Writers) -> None:
    await writers.line.acquire(first=False)
    gone, stays = writers.come("gone", "stays")
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    writers.line.release()
    await stays
    assert writers.order == ["stays"]
    assert not writers.line.is_full


async def test_who_gives_up_as_the_turn_comes_hands_it_on(writers: Writers) -> None:
    await writers.line.acquire(first=False)
    gone, stays = writers.come("gone", "stays")
    await asyncio.sleep(0)
    writers.line.release()
    gone.cancel()
    with suppress(asyncio.CancelledError):
        await gone
    await stays
    assert writers.order == ["stays"]
    assert not writers.line.is_full
