"""Writes at the same time share a transaction, and nothing else."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import aiosqlite
import pytest
from sqlalchemy import insert, select

from companion.db.engine import Engines, open_engines
from companion.db.grouped_writes import GroupedWrites
from companion.db.repositories.people import SqlPeople
from companion.db.rows import PersonRow
from companion.db.sqlite_driver import OneVisitConnection
from companion.db.statements import Statements
from companion.domain.actor import Actor, DiscordUserId
from companion.domain.errors import StorageUnavailable
from tests.db.conftest import HandClock

MANY = 20


class Commits(list[str | None]):
    """What each commit waits for; `failing` makes them fail."""

    failing = False


class Refused(Exception):
    """What a caller finds wrong in the middle of its part."""


@pytest.fixture
async def engines(database: Path) -> AsyncGenerator[Engines]:
    async with open_engines(f"sqlite:///{database}") as opened:
        yield opened


@pytest.fixture
def grouped(engines: Engines) -> GroupedWrites:
    return GroupedWrites(engines)


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> Commits:
    commits, commit = Commits(), aiosqlite.Connection.commit

    async def watched(self: OneVisitConnection) -> None:
        commits.append(self.synchronous)
        if commits.failing:
            raise sqlite3.OperationalError("database or disk is full")
        await commit(self)

    monkeypatch.setattr(aiosqlite.Connection, "commit", watched)
    return commits


async def meet(
    grouped: GroupedWrites, number: int, *, durable: bool = True, then: Exception | None = None
) -> None:
    async with grouped.part(durable=durable) as run:
        await SqlPeople(run, HandClock().now).ensure(actor(number))
        if then is not None:
            raise then


async def met(engines: Engines) -> set[int]:
    async with engines.reading() as run:
        people = SqlPeople(run, HandClock().now)
        return {n for n in range(MANY) if await people.find(actor(n)) is not None}


def actor(number: int) -> Actor:
    return Actor(discord_id=DiscordUserId(1000 + number), name=f"person {number}")


async def test_many_at_once_share_a_few_commits(
    grouped: GroupedWrites, engines: Engines, commits: Commits
) -> None:
    await asyncio.gather(*(meet(grouped, number) for number in range(MANY)))
    assert await met(engines) == set(range(MANY))
    assert len(commits) < MANY / 2


async def test_a_part_that_fails_takes_no_other_along(
    grouped: GroupedWrites, engines: Engines
) -> None:
    failing = {0, 7, MANY - 1}
    outcomes = await asyncio.gather(
        *(meet(grouped, n, then=Refused() if n in failing else None) for n in range(MANY)),
        return_exceptions=True,
    )
    assert {n for n, outcome in enumerate(outcomes) if isinstance(outcome, Refused)} == failing
    assert await met(engines) == set(range(MANY)) - failing


async def test_nobody_returns_before_the_commit(grouped: GroupedWrites, engines: Engines) -> None:
    async def then_look(number: int) -> bool:
        await meet(grouped, number)
        return number in await met(engines)

    assert all(await asyncio.gather(*map(then_look, range(MANY))))


async def test_a_commit_that_fails_fails_for_everyone(
    grouped: GroupedWrites, engines: Engines, commits: Commits
) -> None:
    commits.failing = True
    outcomes = await asyncio.gather(
        *(meet(grouped, number) for number in range(MANY)), return_exceptions=True
    )
    assert all(isinstance(outcome, StorageUnavailable) for outcome in outcomes)
    commits.failing = False
    assert await met(engines) == set()
    await meet(grouped, 3)
    assert await met(engines) == {3}


async def test_what_must_outlive_a_loss_of_power_joins_no_weaker_commit(
    grouped: GroupedWrites, engines: Engines, commits: Commits
) -> None:
    weak = (meet(grouped, number, durable=False) for number in range(5))
    strong = (meet(grouped, number) for number in range(5, 10))
    await asyncio.gather(*weak, *strong)
    assert await met(engines) == set(range(10))
    assert commits[0] == "NORMAL"
    assert commits[1] == "FULL"


async def test_who_gives_up_waiting_leaves_no_transaction_open(
    grouped: GroupedWrites, engines: Engines
) -> None:
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with grouped.part(durable=True) as run:
            await SqlPeople(run, HandClock().now).ensure(actor(0))
            inside.set()
            await go_on.wait()

    working = asyncio.create_task(slow())
    await inside.wait()
    waiting = [asyncio.create_task(meet(grouped, number)) for number in range(1, 4)]
    await asyncio.sleep(0)
    go_on.set()
    for task in waiting:
        task.cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(*waiting, return_exceptions=True)
        await working
        await meet(grouped, 9)
    assert {0, 9} <= await met(engines)


async def test_who_is_cancelled_inside_leaves_nothing_behind(
    grouped: GroupedWrites, engines: Engines
) -> None:
    inside = asyncio.Event()

    async def stuck() -> None:
        async with grouped.part(durable=True) as run:
            await SqlPeople(run, HandClock().now).ensure(actor(0))
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(stuck())
    await inside.wait()
    following = asyncio.create_task(meet(grouped, 1))
    await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(5):
        await following
    assert await met(engines) == {1}


async def cancelled_beside_another(
    grouped: GroupedWrites, work: Callable[[Statements], Awaitable[object]]
) -> None:
    """Let person 0 be met, and in the same transaction somebody be cancelled at that work."""
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with grouped.part(durable=True) as run:
            await SqlPeople(run, HandClock().now).ensure(actor(0))
            inside.set()
            await go_on.wait()

    async def joining() -> None:
        async with grouped.part(durable=True) as run:
            task = asyncio.current_task()
            assert task is not None
            asyncio.get_running_loop().call_soon(task.cancel)
            await work(run)

    working = asyncio.create_task(slow())
    await inside.wait()
    joined = asyncio.create_task(joining())
    await asyncio.sleep(0)
    go_on.set()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await joined
        await working


async def test_who_is_cancelled_during_a_statement_ends_as_cancelled(
    grouped: GroupedWrites, engines: Engines
) -> None:
    """SQLAlchemy closes a connection that this befalls, with all that is in it."""
    await cancelled_beside_another(grouped, lambda run: run.all(select(PersonRow)))
    async with asyncio.timeout(5):
        await meet(grouped, 9)
    assert {0, 9} <= await met(engines)


async def test_who_is_cancelled_during_many_statements_undoes_them_alone(
    grouped: GroupedWrites, engines: Engines
) -> None:
    crowd = [
        {"id": uuid4(), "http_user_id": f"{n}", "created_at": HandClock().now()}
        for n in range(20_000)  # too many for the event loop: they go to the thread
    ]
    await cancelled_beside_another(grouped, lambda run: run.run_all(insert(PersonRow), crowd))
    async with engines.reading() as run:
        assert await run.all(select(PersonRow.discord_user_id)) == [1000]
