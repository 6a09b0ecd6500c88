"""What the database refuses reaches us as one error, with a reason, and passes by itself."""

from __future__ import annotations

import asyncio
import errno
import signal
import sqlite3
import sys
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection

from companion.db import engine as engine_module
from companion.db import migrations
from companion.db.engine import open_engines
from companion.db.failures import translated
from companion.db.keyring import KeyRing
from companion.db.sqlite_driver import OneVisitConnection
from companion.db.uow import SqlStore, open_store, utc_now
from companion.domain.actor import PersonId
from companion.domain.conversation import ConversationId
from companion.domain.errors import ConfigurationError, StorageUnavailable
from tests.db.postgres import PostgresServer
from tests.db.things import add_turn, new_turn


async def reason_of_opening(url: str, ring: KeyRing) -> str:
    with pytest.raises(StorageUnavailable) as refused:
        async with open_store(url, ring):
            pass
    return refused.value.reason


async def reason_of_ping(store: SqlStore) -> str:
    with pytest.raises(StorageUnavailable) as refused:
        await store.ping()
    return refused.value.reason


async def test_a_database_that_was_never_migrated_says_so(
    tmp_path: Path, postgres: PostgresServer, ring: KeyRing
) -> None:
    assert await reason_of_opening(f"sqlite:///{tmp_path}/none.db", ring) == "not_migrated"
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty.db").touch()
    assert await reason_of_opening(f"sqlite:///{tmp_path}/empty.db", ring) == "not_migrated"
    assert await reason_of_opening(await postgres.new_database(), ring) == "not_migrated"


async def test_a_file_that_was_taken_away_is_not_replaced_by_an_empty_one(
    database: Path, sqlite_url: str, ring: KeyRing
) -> None:
    async with open_engines(sqlite_url) as engines:
        database.rename(database.with_name("moved.db"))
        with pytest.raises(StorageUnavailable) as refused:
            async with engines.writing():
                pass
    assert refused.value.reason == "unreachable"
    assert not database.exists()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.ENOSPC, "full"),
        (errno.EROFS, "read_only"),
        (errno.ECONNREFUSED, "unreachable"),
        (errno.ETIMEDOUT, "unreachable"),
    ],
)
def test_errors_of_the_system_get_their_reason(code: int, reason: str) -> None:
    with pytest.raises(StorageUnavailable) as refused, translated():
        raise OSError(code, "…")
    assert refused.value.reason == reason


def test_a_mistake_of_ours_is_not_taken_for_the_database() -> None:
    with pytest.raises(ValueError, match="ours"), translated():
        raise ValueError("ours")


async def test_a_folder_that_is_not_there_is_unreachable(tmp_path: Path, ring: KeyRing) -> None:
    assert await reason_of_opening(f"sqlite:///{tmp_path}/no/such.db", ring) == "unreachable"


async def test_a_file_that_is_no_database_is_damaged(tmp_path: Path, ring: KeyRing) -> None:
    (tmp_path / "broken.db").write_bytes(b"this is not a database" * 100)
    assert await reason_of_opening(f"sqlite:///{tmp_path}/broken.db", ring) == "damaged"


@pytest.mark.parametrize("host", ["127.0.0.1:1", "?host=/no/such/socket"])
async def test_a_server_that_refuses_connections_is_unreachable(host: str, ring: KeyRing) -> None:
    query = host if host.startswith("?") else ""
    address = "" if query else host
    url = f"postgresql://postgres:hunter2@{address}/companion{query}"
    assert await reason_of_opening(url, ring) == "unreachable"


@pytest.mark.postgres
async def test_a_database_that_is_not_there_is_missing(
    postgres: PostgresServer, ring: KeyRing
) -> None:
    assert await reason_of_opening(postgres.url("nowhere"), ring) == "missing"


async def test_a_missing_driver_is_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch, ring: KeyRing
) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(ConfigurationError) as refused:
        async with open_store("postgresql://u:hunter2@h/db", ring):
            pass
    assert refused.value.fix == "install companion[postgres]"


async def test_a_full_disk_is_said_and_passes_without_a_restart(
    sqlite_url: str, ring: KeyRing
) -> None:
    async with open_engines(sqlite_url) as engines:
        opened: list[OneVisitConnection] = []
        event.listen(
            engines.writer.sync_engine,
            "connect",
            lambda raw, _: opened.append(raw.driver_connection),  # pyright: ignore[reportUnknownLambdaType, reportUnknownMemberType, reportUnknownArgumentType]
        )
        async with open_store(sqlite_url, ring) as other:
            store = SqlStore(engines, ring, other.fingerprints, utc_now)
            await add_turn(store)
            (writer,) = opened
            await writer.ask("PRAGMA max_page_count = 1", ())  # no smaller than the file is
            with pytest.raises(StorageUnavailable) as refused:
                await add_turn(store, answer="x" * 100_000)
            assert refused.value.reason == "full"
            await writer.ask(f"PRAGMA max_page_count = {2**30}", ())
            await add_turn(store, answer="x" * 100_000)


async def test_another_process_that_holds_the_lock_is_waited_for_and_then_reported(
    database: Path, sqlite_url: str, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = partial(engine_module.sqlite_engine, busy_timeout_s=0.2)
    monkeypatch.setattr(engine_module, "sqlite_engine", impatient)
    other = sqlite3.connect(database, isolation_level=None)
    try:
        async with open_store(sqlite_url, ring) as store:
            turn = await add_turn(store)
            other.execute("BEGIN IMMEDIATE")
            assert await reason_of_ping(store) == "locked"
            async with store.read() as unit:  # readers go on
                assert await unit.turns.find(turn.id) == turn
            asyncio.get_running_loop().call_later(0.05, other.rollback)
            await store.ping()
    finally:
        other.close()


async def test_a_row_that_breaks_a_rule_is_reported_and_rolled_back(store: SqlStore) -> None:
    turn = await add_turn(store)
    stranger = new_turn(turn.conversation_id, PersonId(uuid4()))
    nowhere = new_turn(ConversationId(uuid4()), turn.author_id)
    for broken in (stranger, nowhere):
        with pytest.raises(StorageUnavailable) as refused:
            async with store.write() as unit:
                await unit.turns.begin(broken)
        assert refused.value.reason == "constraint"
    async with store.write() as unit:
        after = await unit.turns.begin(new_turn(turn.conversation_id, turn.author_id))
    assert after is not None
    assert after.position == turn.position + 1


@pytest.mark.postgres
async def test_a_server_that_dropped_all_connections_is_used_again(
    postgres: PostgresServer, postgres_url: str, ring: KeyRing
) -> None:
    async with open_store(postgres_url, ring) as store:
        await store.ping()
        await postgres.run(  # and wait until they are gone
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = 'companion' AND pid <> pg_backend_pid()"
        )
        await store.ping()


@pytest.mark.postgres
@pytest.mark.parametrize(("idle_s", "asked"), [(10.0, 0), (0.0, 3)])
async def test_only_a_connection_that_was_idle_is_asked_whether_it_is_there(
    postgres_url: str,
    ring: KeyRing,
    monkeypatch: pytest.MonkeyPatch,
    idle_s: float,
    asked: int,
) -> None:
    monkeypatch.setattr(engine_module, "POSTGRES_IDLE_S", idle_s)
    async with open_engines(postgres_url) as engines:
        async with engines.writing():
            pass
        dialect, asks = engines.writer.dialect, list[DBAPIConnection]()
        ping = dialect.do_ping

        def asking(used: DBAPIConnection) -> bool:
            asks.append(used)
            return ping(used)

        monkeypatch.setattr(dialect, "do_ping", asking)
        for _ in range(3):
            async with engines.writing():
                pass
    assert len(asks) == asked


@pytest.mark.postgres
async def test_an_idle_connection_that_leads_nowhere_is_made_anew(
    postgres_url: str, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "POSTGRES_IDLE_S", 0.0)
    async with open_store(postgres_url, ring) as store:
        turn = await add_turn(store)
        dialect = store._engines.writer.dialect  # pyright: ignore[reportPrivateUsage]

        def lost(_used: object) -> bool:
            raise dialect.loaded_dbapi.Error("nobody answers")

        monkeypatch.setattr(dialect, "do_ping", lost)
        async with store.read() as unit:
            assert await unit.turns.find(turn.id) == turn


@pytest.mark.postgres
async def test_a_connection_lost_within_a_block_is_reported(
    postgres: PostgresServer, postgres_url: str, ring: KeyRing
) -> None:
    async with open_store(postgres_url, ring) as store:
        turn = await add_turn(store)
        with pytest.raises(StorageUnavailable) as refused:
            async with store.write() as unit:
                await unit.turns.remove(turn.id)
                await postgres.run(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = 'companion' AND state = 'idle in transaction'"
                )
                await unit.turns.find(turn.id)
        assert refused.value.reason == "unreachable"
        async with store.read() as unit:
            assert await unit.turns.find(turn.id) == turn


@pytest.mark.postgres
async def test_a_read_only_server_is_said(postgres: PostgresServer, ring: KeyRing) -> None:
    url = await postgres.new_database()
    name = url.split("/")[3].split("?")[0]
    await migrations.upgrade(url)
    async with open_store(url, ring) as store:
        await store.ping()
    await postgres.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    async with open_store(url, ring) as store:
        assert await reason_of_ping(store) == "read_only"


@pytest.mark.postgres
async def test_statement_caches_can_be_turned_off_for_a_pooler(
    postgres_url: str, ring: KeyRing
) -> None:
    async with open_store(f"{postgres_url}&prepared_statement_cache_size=0", ring) as store:
        turn = await add_turn(store)
        async with store.read() as unit:
            assert await unit.turns.find(turn.id) == turn


@pytest.mark.postgres
async def test_a_server_that_hangs_is_given_up_and_used_again(
    postgres: PostgresServer, postgres_url: str, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "POSTGRES_CONNECT_S", 0.2)
    monkeypatch.setattr(engine_module, "POSTGRES_STATEMENT_S", 0.2)
    async with open_store(postgres_url, ring) as store:
        postgres.send(signal.SIGSTOP)
        try:
            reasons = await asyncio.gather(*(reason_of_ping(store) for _ in range(3)))
        finally:
            postgres.send(signal.SIGCONT)
        assert reasons == ["unreachable"] * 3
        await store.ping()


@pytest.mark.postgres
async def test_a_pooler_that_forgets_our_statements_is_named_in_the_log(
    postgres_url: str, ring: KeyRing, caplog: pytest.LogCaptureFixture
) -> None:
    """PgBouncer hands the next transaction to another server, which never saw the statement."""
    async with open_store(postgres_url, ring) as store:

        async def forget() -> None:
            async with store._engines.writing() as run:  # pyright: ignore[reportPrivateUsage]
                connection = await run._session.connection()  # pyright: ignore[reportPrivateUsage]
                await connection.exec_driver_sql("DEALLOCATE ALL")

        await add_turn(store)
        await forget()
        with pytest.raises(StorageUnavailable) as refused:
            await add_turn(store)
    assert refused.value.reason == "pooler"
    assert [record.__dict__["reason"] for record in caplog.records] == ["pooler"]
