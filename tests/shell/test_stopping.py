from __future__ import annotations

import asyncio
import os
import signal

import pytest

from companion.shell.stopping import SIGNALS, Stopping, run_until_stopped

EACH_SIGNAL = pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)


@EACH_SIGNAL
def test_start_is_given_up_at_once(number: signal.Signals) -> None:
    reached: list[str] = []

    async def work(stopping: Stopping) -> None:
        os.kill(os.getpid(), number)
        try:
            await asyncio.sleep(60)  # a download, say
        finally:
            reached.append("cleaned up")
        reached.append("went on")

    run_until_stopped(work)
    assert reached == ["cleaned up"]


@EACH_SIGNAL
def test_running_work_ends_in_its_own_time(number: signal.Signals) -> None:
    reached: list[str] = []

    async def work(stopping: Stopping) -> None:
        stopping.from_now_on_politely()
        os.kill(os.getpid(), number)
        await stopping.requested.wait()
        await asyncio.sleep(0)
        reached.append("drained")

    run_until_stopped(work)
    assert reached == ["drained"]


def test_failure_of_the_work_comes_through() -> None:
    async def work(stopping: Stopping) -> None:
        await asyncio.sleep(0)
        raise ConnectionError("Discord cannot be reached")

    with pytest.raises(ConnectionError):
        run_until_stopped(work)


def test_handlers_are_put_back() -> None:
    before = {number: signal.getsignal(number) for number in SIGNALS}

    async def work(stopping: Stopping) -> None:
        await asyncio.sleep(0)

    run_until_stopped(work)
    assert {number: signal.getsignal(number) for number in SIGNALS} == before
