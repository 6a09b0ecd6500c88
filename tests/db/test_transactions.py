"""Transactions under load, cancellation, and from other processes."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from contextlib import AsyncExitStack, closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, select, text

from companion.db import migrations
from companion.db.engine import (
    POSTGRES_OVERFLOW,
    POSTGRES_POOL,
    POSTGRES_POOL_WAIT_S,
    POSTGRES_WORKING,
    Engines,
    open_engines,
)
from companion.db.keyring import KeyRing
from companion.db.repositories.people import SqlPeople
from companion.db.sqlite_driver import OneVisitConnection
from companion.db.uow import SqlStore, open_store, utc_now
from companion.domain.actor import Actor, InteractionId
from companion.domain.conversation import Finish
from companion.domain.errors import StorageUnavailable
from tests.db.every_await import cancelled_at_every_await
from tests.db.things import (
    NOON,
    add_turn,
    call_start,
    new_actor,
    new_conversation,
    new_turn,
)

AT_ONCE = 320
"""With a deferred BEGIN, most of this many fail as `locked` at once."""


async def test_hundreds_of_reading_then_writing_transactions_all_pass(
    sqlite_url: str, ring: KeyRing
) -> None:
    async with open_store(sqlite_url, ring) as store:
        turn = await add_turn(store)

        async def read_then_write() -> int:
            async with store.write() as unit:
                await unit.turns.before(turn.conversation_id, None, 1)
                begun = await unit.turns.begin(new_turn(turn.conversation_id, turn.author_id))
                assert begun is not None
                return begun.position

        async def read() -> None:
            async with store.read() as unit:
                assert await unit.turns.find(turn.id) == turn

        async with asyncio.TaskGroup() as group:
            writing = [group.create_task(read_then_write()) for _ in range(AT_ONCE)]
            for _ in range(100):
                group.create_task(read())
        positions = [task.result() for task in writing]
    assert sorted(positions) == list(range(2, AT_ONCE + 2))


async def test_turns_begun_at_once_get_positions_of_their_own(store: SqlStore) -> None:
    turn = await add_turn(store)

    async def begin() -> int:
        async with store.write() as unit:
            begun = await unit.turns.begin(new_turn(turn.conversation_id, turn.author_id))
            assert begun is not None
            return begun.position

    assert sorted(await asyncio.gather(*(begin() for _ in range(30)))) == list(range(2, 32))


async def test_an_interaction_delivered_to_two_processes_begins_one_turn(
    url: str, ring: KeyRing
) -> None:
    async with open_store(url, ring) as store, open_store(url, ring) as other:
        turn = await add_turn(store)

        async def begin(process: SqlStore) -> bool:
            async with process.write() as unit:
                again = new_turn(
                    turn.conversation_id, turn.author_id, interaction_id=InteractionId(7)
                )
                return await unit.turns.begin(again) is not None

        begun = await asyncio.gather(*(begin(process) for process in (store, other) * 5))
    assert begun.count(True) == 1


async def test_someone_met_by_many_requests_at_once_is_one_person(store: SqlStore) -> None:
    actor = new_actor()

    async def meet() -> object:
        async with store.write() as unit:
            person = await unit.people.ensure(actor)
            return person, await new_conversation(unit, person)

    assert len(set(await asyncio.gather(*(meet() for _ in range(20))))) == 1


async def test_a_call_that_starts_while_its_turn_is_cleared_leaves_no_contents(
    store: SqlStore,
) -> None:
    """Whichever of the two comes first, no text survives."""
    turns = [await add_turn(store) for _ in range(20)]

    async def clear(number: int) -> None:
        async with store.write() as unit:
            await unit.conversations.clear(turns[number].conversation_id)

    async def start(number: int) -> None:
        turn = turns[number]
        async with store.write() as unit:
            await unit.provider_log.start(
                call_start(turn.author_id, turn=turn.id, conversation=turn.conversation_id)
            )

    for number in range(20):
        await asyncio.gather(*(clear(number), start(number))[:: 1 if number % 2 else -1])
    async with store.write() as unit:
        assert await unit.provider_log.drop_contents_before(NOON + timedelta(days=1)) == 0


async def test_a_cancelled_block_leaves_nothing_and_blocks_nobody(store: SqlStore) -> None:
    actors = [new_actor() for _ in range(40)]

    async def meet(number: int) -> None:
        async with store.write() as unit:
            await unit.people.ensure(actors[number])
            if number % 2:
                await asyncio.Event().wait()

    tasks = [asyncio.create_task(meet(number)) for number in range(6)]
    while not all(task.done() for task in tasks[::2]):
        await asyncio.sleep(0)
        for task in tasks[1::2]:
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with store.write() as unit:
        found = [await unit.people.find(actor) is not None for actor in actors[:6]]
    assert not any(found[1::2])
    assert [task.cancelled() for task in tasks[1::2]] == [True] * 3


async def test_cancelling_at_any_await_neither_tears_nor_blocks(store: SqlStore) -> None:
    pairs: list[tuple[Actor, Actor]] = []

    async def meet_both(_nth: int) -> None:
        pairs.append((new_actor(), new_actor()))
        async with store.write() as unit:
            for actor in pairs[-1]:
                await unit.people.ensure(actor)
                await asyncio.sleep(0)

    awaits = await cancelled_at_every_await(meet_both)
    await store.ping()
    async with store.read() as unit:
        met = [[await unit.people.find(actor) is not None for actor in pair] for pair in pairs]
    assert awaits > 3  # ours, the commit and who waits for it; on PostgreSQL each statement
    assert met[0] == [False, False]
    assert met[-1] == [True, True]
    assert all(first == second for first, second in met)


async def test_a_reading_block_sees_one_moment(store: SqlStore) -> None:
    actor = new_actor()
    async with store.read() as unit:
        assert await unit.people.find(actor) is None
        async with store.write() as other:
            await other.people.ensure(actor)
        assert await unit.people.find(actor) is None


async def test_a_reading_block_cannot_write(store: SqlStore) -> None:
    with pytest.raises(StorageUnavailable) as refused:
        async with store.read() as unit:
            await unit.people.ensure(new_actor())
    assert refused.value.reason == "read_only"


async def test_what_a_block_changed_is_what_it_reads_next(store: SqlStore) -> None:
    turn = await add_turn(store)
    async with store.write() as unit:
        assert await unit.turns.find(turn.id) == turn
        await unit.turns.finish(turn, answer="anew", finish=Finish.LENGTH, usage=None)
        changed = await unit.turns.find(turn.id)
    assert changed is not None
    assert (changed.answer, changed.finish, changed.usage) == ("anew", Finish.LENGTH, None)


# SQLite


async def test_the_sqlite_file_is_private_durable_and_complete_after_closing(
    tmp_path: Path,
) -> None:
    path = tmp_path / "new.db"
    await migrations.upgrade(f"sqlite:///{path}")
    async with open_engines(f"sqlite:///{path}") as engines, engines.writer.connect() as writer:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        pragmas = {
            name: (await writer.exec_driver_sql(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 5000,
    }
    assert [file.name for file in tmp_path.iterdir()] == ["new.db"]


async def test_closing_moves_the_log_into_the_file_even_while_others_have_it_open(
    database: Path, sqlite_url: str, ring: KeyRing
) -> None:
    onlooker = sqlite3.connect(database)
    try:
        assert onlooker.execute("SELECT count(*) FROM turns").fetchone() == (0,)
        async with open_store(sqlite_url, ring) as store:
            await add_turn(store)
            log = database.with_name(database.name + "-wal")
            assert log.stat().st_size > 0
        assert log.stat().st_size == 0
        assert onlooker.execute("SELECT count(*) FROM turns").fetchone() == (1,)
    finally:
        onlooker.close()


async def test_closing_waits_for_a_connection_that_is_being_given_back(sqlite_url: str) -> None:
    """A pool closes what lies in it; what comes back later would stay open for good."""
    opened: list[OneVisitConnection] = []
    inside, leave = asyncio.Event(), asyncio.Event()

    def noticed(raw: object, _record: object) -> None:
        found = getattr(raw, "driver_connection", None)
        assert isinstance(found, OneVisitConnection)
        opened.append(found)

    async def read(engines: Engines) -> None:
        async with engines.reading() as run:
            await run.rows(select(text("1")))
            inside.set()
            await leave.wait()

    async with open_engines(sqlite_url) as engines:
        event.listen(engines.reader.sync_engine, "connect", noticed)
        reading = asyncio.create_task(read(engines))
        await inside.wait()
        leave.set()  # it has not heard of it yet
    await reading
    (connection,) = opened
    connection.worker.join(5)
    assert not connection.worker.is_alive()


async def test_a_write_given_up_while_it_waits_for_the_lock_leaves_nothing_open(
    database: Path, sqlite_url: str
) -> None:
    """The connection's thread begins the transaction later, when nobody wants it any more."""
    other = sqlite3.connect(database, isolation_level=None)
    try:
        async with open_engines(sqlite_url) as engines:
            other.execute("BEGIN IMMEDIATE")
            giving_up = asyncio.create_task(meet(engines, "somebody"))
            await asyncio.sleep(0.05)
            giving_up.cancel()
            asyncio.get_running_loop().call_later(0.05, other.rollback)
            assert await asyncio.gather(giving_up, return_exceptions=True) != [None]
            await meet(engines, "somebody else")
    finally:
        other.close()
    with closing(sqlite3.connect(database)) as onlooker:
        found = onlooker.execute("SELECT http_user_id FROM people").fetchall()
    assert found == [("somebody else",)]


async def meet(engines: Engines, name: str) -> None:
    async with engines.writing() as run:
        await SqlPeople(run, utc_now).ensure(Actor(name=name, http_id=name))


async def test_history_is_read_through_the_index(database: Path) -> None:
    connection = sqlite3.connect(database)
    try:
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT * FROM turns WHERE conversation_id = 'x' AND position < 9"
            " AND finish IS NOT NULL AND answer IS NOT NULL ORDER BY position DESC LIMIT 20"
        ).fetchall()
    finally:
        connection.close()
    (step,) = [str(row[3]) for row in plan]
    assert "USING INDEX" in step
    assert "conversation_id=? AND position<?" in step


# PostgreSQL


@pytest.mark.postgres
async def test_a_full_pool_is_said_within_its_time(postgres_url: str) -> None:
    size = POSTGRES_POOL + POSTGRES_OVERFLOW
    async with open_engines(postgres_url) as engines, AsyncExitStack() as holding:
        for _ in range(size):
            await holding.enter_async_context(engines.reading())
        async with asyncio.timeout(POSTGRES_POOL_WAIT_S + 3):
            with pytest.raises(StorageUnavailable) as refused:
                async with engines.writing():
                    pass
        assert refused.value.reason == "busy"


@pytest.mark.postgres
async def test_who_finds_all_connections_busy_waits_and_the_probe_does_not(
    postgres_url: str, ring: KeyRing
) -> None:
    async with open_store(postgres_url, ring) as store:
        release, full, served = asyncio.Event(), asyncio.Event(), list[int]()

        async def hold(number: int) -> None:
            async with store.read():
                served.append(number)
                if len(served) == POSTGRES_WORKING:
                    full.set()
                await release.wait()

        holding = [asyncio.create_task(hold(n)) for n in range(POSTGRES_WORKING + 5)]
        try:
            await full.wait()
            await store.ping()
            assert len(served) == POSTGRES_WORKING
        finally:
            release.set()
            await asyncio.gather(*holding)
        assert len(served) == POSTGRES_WORKING + 5
