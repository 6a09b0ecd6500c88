from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from companion.bot.identify_gate import KEPT, BotGateway, IdentifyGate
from companion.bot.identify_record import MOST_WASTED, PAUSE_S, WINDOW_S, IdentifyRecord
from companion.domain.gateway_errors import ConnectionsUsedUp
from tests.bot.rest_client import SkippingClock
from tests.bot.virtual_time import LoopClock, in_virtual_time
from tests.fakes.clock import FakeClock


def known(*, left: int = 1000, concurrency: int = 1) -> BotGateway:
    return BotGateway(
        url="ws://gateway", shards=1, left=left, reset_s=7200.0, concurrency=concurrency
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.json"


async def begin(path: Path | None, clock: FakeClock, times: int, shard: int = 0) -> None:
    """Begin sessions as that many processes would, each ended by a crash."""
    for _ in range(times):
        await IdentifyRecord(path, clock).note(shard)
        clock.advance(1.0)


async def test_crash_loop_waits_five_minutes_over_restarts(path: Path) -> None:
    clock = FakeClock()
    await begin(path, clock, MOST_WASTED - 1)
    assert await IdentifyRecord(path, clock).wait_s(0) == 0
    await begin(path, clock, 1)
    assert await IdentifyRecord(path, clock).wait_s(0) == PAUSE_S - 1.0
    assert await IdentifyRecord(path, clock).wait_s(1) == 0
    clock.advance(PAUSE_S)
    assert await IdentifyRecord(path, clock).wait_s(0) == 0
    await begin(path, clock, 1)
    assert await IdentifyRecord(path, clock).wait_s(0) == PAUSE_S - 1.0
    clock.advance(WINDOW_S)
    assert await IdentifyRecord(path, clock).wait_s(0) == 0


async def test_sessions_that_were_of_use_are_no_crash_loop(path: Path) -> None:
    clock = FakeClock()
    for _ in range(2 * MOST_WASTED):
        record = IdentifyRecord(path, clock)
        await record.note(0)
        await record.note_use()
    assert await IdentifyRecord(path, clock).wait_s(0) == 0


@pytest.mark.parametrize("content", [b"", b"{", b'[{"shard": "x"}]'])
async def test_damaged_record_is_as_good_as_none(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    record = IdentifyRecord(path, FakeClock())
    assert await record.wait_s(0) == 0
    await record.note(0)
    assert b'"shard":0' in path.read_bytes()


async def test_record_that_cannot_be_written_keeps_nobody_out(tmp_path: Path) -> None:
    record = IdentifyRecord(tmp_path / "missing" / "sessions.json", FakeClock())
    await record.note(0)
    assert await record.wait_s(0) == 0


async def test_times_in_the_future_mean_nothing(path: Path) -> None:
    clock = FakeClock()
    clock.advance(86_400)
    await begin(path, clock, MOST_WASTED)
    assert await IdentifyRecord(path, FakeClock()).wait_s(0) == 0


@in_virtual_time
async def test_shards_begin_in_the_order_of_their_keys() -> None:
    clock = LoopClock()
    began: list[tuple[float, int]] = []
    zero = clock.monotonic()

    async def ask() -> BotGateway:
        return known(concurrency=2)

    gate = IdentifyGate(ask, IdentifyRecord(None, clock), clock)

    async def begins(shard: int) -> None:
        await gate.pass_through(shard)
        began.append((clock.monotonic() - zero, shard))

    await asyncio.gather(*(begins(shard) for shard in range(6)))
    assert sorted(began) == [(0, 0), (0, 1), (5, 2), (5, 3), (10, 4), (10, 5)]


async def test_session_after_session_for_nobody_is_slowed_down() -> None:
    clock = SkippingClock()

    async def ask() -> BotGateway:
        return known()

    gate = IdentifyGate(ask, IdentifyRecord(None, clock), clock)
    for _ in range(MOST_WASTED):
        await gate.pass_through(0)
    assert max(clock.slept) <= 5.0
    await gate.pass_through(0)
    assert max(clock.slept) == PAUSE_S


async def test_last_sessions_of_the_day_are_kept_at_the_start_and_later() -> None:
    clock, left = SkippingClock(), [KEPT - 1, KEPT - 1, 1000]

    async def ask() -> BotGateway:
        return known(left=left.pop(0))

    gate = IdentifyGate(ask, IdentifyRecord(None, clock), clock)
    with pytest.raises(ConnectionsUsedUp) as used_up:
        await gate.check()
    assert (used_up.value.left, used_up.value.reset_s) == (KEPT - 1, 7200.0)
    clock.advance(60.0)
    await gate.pass_through(0)
    assert 3600.0 in clock.slept
    assert left == []
