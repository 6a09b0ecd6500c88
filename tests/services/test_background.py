from __future__ import annotations

import asyncio
import logging

import pytest

from companion.services.background import BackgroundTasks


async def fails() -> None:
    raise RuntimeError("broken")


async def test_a_failure_is_reported_by_the_tasks_name(caplog: pytest.LogCaptureFixture) -> None:
    tasks = BackgroundTasks()
    await asyncio.wait({tasks.start("counting", fails())})
    (record,) = caplog.records
    assert (record.levelno, record.message) == (logging.ERROR, "task_failed")
    assert vars(record)["task"] == "counting"
    assert not tasks.runs("counting")


async def test_closing_cancels_what_runs_and_waits_for_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cleaned_up: list[bool] = []

    async def works() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned_up.append(True)

    tasks = BackgroundTasks()
    tasks.start("working", works())
    await asyncio.sleep(0)
    assert tasks.runs("working")
    await tasks.close()
    assert cleaned_up == [True]
    assert not tasks.runs("working")
    assert not caplog.records


async def test_closing_with_nothing_running_is_fine() -> None:
    await BackgroundTasks().close()


async def test_a_task_that_has_ended_runs_no_more() -> None:
    """Also in the moment before anybody was told: whoever starts another one must not miss it."""

    async def nothing() -> None: ...

    tasks = BackgroundTasks()
    task = tasks.start("brief", nothing())
    await asyncio.sleep(0)
    assert task.done()
    assert not tasks.runs("brief")
