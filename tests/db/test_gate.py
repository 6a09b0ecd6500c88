"""Who waits for the database: in order, not for ever, and not for one that is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from companion.db import gate as gate_module
from companion.db.gate import AWAY_AFTER, Gate
from companion.domain.errors import StorageUnavailable

LOST = StorageUnavailable(reason="unreachable")


async def queue(gate: Gate, names: Sequence[str], done: list[str]) -> list[asyncio.Task[None]]:
    async def visit(name: str) -> None:
        async with gate.passing():
            await asyncio.sleep(0)
            done.append(name)

    waiting = [asyncio.create_task(visit(name)) for name in names]
    await asyncio.sleep(0)
    return waiting


async def test_those_who_wait_come_in_order_however_many_they_are() -> None:
    gate, done = Gate(2), list[str]()
    names = [f"{n:03}" for n in range(200)]
    await asyncio.gather(*await queue(gate, names, done))
    assert done == names


async def test_what_others_wait_for_goes_before_all_who_wait() -> None:
    gate, done = Gate(1), list[str]()

    async def renew() -> None:
        async with gate.passing(first=True):
            done.append("lease")

    async with gate.passing():
        crowd = await queue(gate, ["a", "b"], done)
        renewing = asyncio.create_task(renew())
        await asyncio.sleep(0)
    await asyncio.gather(renewing, *crowd)
    assert done == ["lease", "a", "b"]


async def test_who_leaves_the_queue_takes_no_place_along() -> None:
    gate, done = Gate(1), list[str]()
    async with gate.passing():
        waiting = await queue(gate, ["a", "b", "c"], done)
        waiting[1].cancel()
    waiting[0].cancel()  # its turn has just come
    await asyncio.gather(*waiting, return_exceptions=True)
    await asyncio.gather(*await queue(gate, ["d"], done))
    assert done == ["c", "d"]


async def test_a_turn_that_does_not_come_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_module, "QUEUE_S", 0.01)
    gate = Gate(1)
    async with gate.passing():
        with pytest.raises(StorageUnavailable) as refused:
            async with gate.passing():
                pass
    assert refused.value.reason == "busy"
    async with gate.passing():
        pass


async def test_nobody_waits_to_find_out_that_the_database_is_lost() -> None:
    gate, done = Gate(AWAY_AFTER), list[str]()
    found_out = asyncio.Event()

    async def lose() -> None:
        async with gate.passing():
            await found_out.wait()
            raise LOST

    losing = [asyncio.create_task(lose()) for _ in range(AWAY_AFTER)]
    await asyncio.sleep(0)
    waiting = await queue(gate, ["a", "b", "c", "d"], done)
    found_out.set()  # the first two losses each let one more try
    assert await asyncio.gather(*losing, return_exceptions=True) == [LOST] * AWAY_AFTER
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert done == ["a", "b"]
    assert [isinstance(end, StorageUnavailable) for end in ends] == [False, False, True, True]
    await asyncio.gather(*await queue(gate, ["e"], done))
    assert done == ["a", "b", "e"]
