"""What a thief of the database sees, and what happens to rows that were moved or changed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Table, text

from companion.db import canary
from companion.db.engine import open_engines
from companion.db.keyring import KeyRing
from companion.db.rows import Row
from companion.db.statements import Statements
from companion.db.uow import SqlStore, open_store
from companion.domain.accounts import KeepFor, KeyOwner, KeyState, Preferences, StoredKey
from companion.domain.actor import ChannelId, GuildId, MessageId, PersonId
from companion.domain.conversation import Finish, Summary
from companion.domain.errors import SealError, Tampered, UnknownKeyId, WrongKeyRing
from companion.domain.models import Payer
from companion.domain.money import ReservationId
from companion.domain.secrets import Secret
from companion.domain.usage import Micros
from companion.ports.store import UnitOfWork
from tests.db.test_store_contract_money import DAY
from tests.db.things import (
    API_URL,
    NOON,
    add_turn,
    call_end,
    call_start,
    delivery,
    keep_answer,
    new_conversation,
    new_person,
    new_turn,
    stored_token,
)

CANARIES = {
    name: f"canary-{name}-{uuid4().hex}"
    for name in (
        *(
            "prompt",
            "answer",
            "persona",
            "request",
            "response",
            "speaker",
            "kept",
            "summary",
            "ticket",
        ),
    )
}
KEY = Secret(f"sk-proj-{uuid4().hex}{uuid4().hex}")
TOKEN = Secret(f"cmp_{uuid4().hex}_{uuid4().hex}")
TOKEN_START = TOKEN.reveal()[:12]
"""Enough to know it by; `cmp_` alone turns up by chance in 200 KB of sealed text."""


async def plant(store: SqlStore) -> None:
    """Write a canary through every door that takes text, and change each once."""
    async with store.write() as unit:
        person = await new_person(unit)
        conversation = await new_conversation(unit, person)
        turn = await unit.turns.begin(
            new_turn(conversation, person, CANARIES["prompt"], speaker=CANARIES["speaker"])
        )
        assert turn is not None
        for answer in (CANARIES["answer"], CANARIES["answer"] * 500):
            await unit.turns.finish(turn, answer=answer, finish=Finish.COMPLETE, usage=None)
        call = call_start(person, turn=turn.id, text=CANARIES["request"])
        await unit.provider_log.start(call)
        await unit.provider_log.end(call.id, call_end(text=CANARIES["response"]))
        preferences = Preferences(persona=CANARIES["persona"])
        await unit.preferences.save_person(person, preferences)
        await unit.preferences.save_guild(GuildId(1), preferences)
        await save_key(unit, KeyOwner(person_id=person))
        await save_key(unit, KeyOwner(guild_id=GuildId(1)))
        await unit.tokens.add(stored_token(store.fingerprints.of_token(TOKEN)))
        await keep_answer(unit, CANARIES["kept"])
        await unit.replies.arrive([delivery(token=CANARIES["ticket"])], "a", NOON)
        await unit.ledger.reserve(ReservationId(uuid4()), [DAY], Micros(1), NOON)
        await unit.answer_messages.note(turn.id, ChannelId(1), [MessageId(2)])
        await unit.chat_channels.save(GuildId(1), frozenset({ChannelId(1)}))
        await unit.servers.note_in([GuildId(1)])
        for told in (CANARIES["summary"], CANARIES["summary"] * 50):
            summary = Summary(conversation_id=conversation, upto_position=1, text=told)
            assert await unit.summaries.save(summary, 0)


async def save_key(unit: UnitOfWork, owner: KeyOwner, base_url: str = API_URL) -> StoredKey:
    return await unit.keys.save(
        owner,
        KEY,
        base_url=base_url,
        state=KeyState.GOOD,
        keep_for=KeepFor.UNTIL_REMOVED,
        now=NOON,
    )


async def change(url: str, statement: str, **values: object) -> None:
    """Change the database behind the program's back."""
    async with open_engines(url) as engines, engines.writer.begin() as connection:
        assert (await connection.execute(text(statement), values)).rowcount == 1


def readable(data: bytes) -> list[str]:
    return [name for name, song in CANARIES.items() if song.encode() in data] + [
        part for part in (KEY.reveal(), "sk-proj", TOKEN_START) if part.encode() in data
    ]


async def test_no_byte_of_the_sqlite_files_is_readable(
    database: Path, sqlite_url: str, ring: KeyRing
) -> None:
    async with open_store(sqlite_url, ring) as store:
        await plant(store)
        files = sorted(database.parent.glob("companion.db*"))
        assert [file.suffix for file in files] == [".db", ".db-shm", ".db-wal"]
        assert {file.name: readable(file.read_bytes()) for file in files} == {
            file.name: [] for file in files
        }
        assert b"c1.k1." in files[2].read_bytes()
    assert readable(database.read_bytes()) == []


async def test_no_value_of_any_row_is_readable(url: str, ring: KeyRing) -> None:
    async with open_store(url, ring) as store:
        await plant(store)
    async with open_engines(url) as engines, engines.reader.connect() as connection:
        for table in Row.metadata.sorted_tables:
            rows = (await connection.execute(text(f"SELECT * FROM {table.name}"))).all()  # noqa: S608
            assert rows, f"no row planted in {table.name}"
            assert readable(repr(rows).encode()) == []


async def test_no_log_line_at_any_level_is_readable(
    url: str, ring: KeyRing, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with open_store(url, ring) as store:
        await plant(store)
    assert readable(caplog.text.encode()) == []


async def test_errors_of_the_database_hold_no_values(store: SqlStore) -> None:
    turn = await add_turn(store, prompt=CANARIES["prompt"])
    with pytest.raises(Exception, match="storage_unavailable") as failed:
        async with store.write() as unit:
            again = new_turn(turn.conversation_id, turn.author_id, CANARIES["prompt"])
            await unit.turns.begin(again)
            await unit.turns.begin(again)
    shown = f"{failed.value!r}{failed.value.__cause__!r}{failed.value.__cause__}"
    assert "unique" in shown.casefold()  # it is the database that speaks
    assert turn.author_id.hex not in shown
    assert readable(shown.encode()) == []


# Rows that were moved or changed


async def moved_turn(url: str, ring: KeyRing, statement: str) -> type[Exception] | None:
    """Change one of two turns by `statement`, and return what reading it raises."""
    async with open_store(url, ring) as store:
        mine, theirs = await add_turn(store, prompt="mine"), await add_turn(store, prompt="theirs")
    values = {
        "mine": sql_id(url, mine.id),
        "theirs": sql_id(url, theirs.id),
        "conversation": sql_id(url, theirs.conversation_id),
        "author": sql_id(url, theirs.author_id),
    }
    used = {name: value for name, value in values.items() if f":{name}" in statement}
    await change(url, statement, **used)
    async with open_store(url, ring) as store, store.read() as unit:
        try:
            await unit.turns.find(mine.id)
        except SealError as error:
            return type(error)
    return None


def sql_id(url: str, found: UUID) -> object:
    return found.hex if url.startswith("sqlite") else found


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE turns SET prompt = (SELECT prompt FROM turns WHERE id = :theirs) WHERE id = :mine",
        "UPDATE turns SET prompt = answer WHERE id = :mine",
        "UPDATE turns SET conversation_id = :conversation, position = 99 WHERE id = :mine",
        "UPDATE turns SET author_id = :author WHERE id = :mine",
        "UPDATE turns SET prompt = 'sk-plaintext' WHERE id = :mine",
        "UPDATE turns SET prompt = '' WHERE id = :mine",
        "UPDATE turns SET prompt = substr(prompt, 1, 40) WHERE id = :mine",
        "UPDATE turns SET prompt = replace(prompt, 'c1.k1.', 'c0.k1.') WHERE id = :mine",
    ],
)
async def test_a_moved_or_changed_turn_does_not_open(
    url: str, ring: KeyRing, statement: str
) -> None:
    assert await moved_turn(url, ring, statement) is Tampered


async def test_a_summary_given_to_another_conversation_does_not_open(
    url: str, ring: KeyRing
) -> None:
    async with open_store(url, ring) as store:
        mine, theirs = await add_turn(store), await add_turn(store)
        async with store.write() as unit:
            told = Summary(conversation_id=theirs.conversation_id, upto_position=1, text="theirs")
            assert await unit.summaries.save(told, 0)
    moved = "UPDATE summaries SET conversation_id = :mine"
    await change(url, moved, mine=sql_id(url, mine.conversation_id))
    async with open_store(url, ring) as store, store.read() as unit:
        with pytest.raises(Tampered):
            await unit.conversations.lineage(mine.conversation_id, 4)


async def test_a_turn_under_an_unknown_key_says_so(url: str, ring: KeyRing) -> None:
    statement = "UPDATE turns SET prompt = replace(prompt, 'c1.k1.', 'c1.k9.') WHERE id = :mine"
    assert await moved_turn(url, ring, statement) is UnknownKeyId


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE provider_keys SET base_url = 'https://evil.example/v1' WHERE guild_id = 1",
        "UPDATE provider_keys SET sealed_key ="
        " (SELECT sealed_key FROM provider_keys WHERE guild_id = 2) WHERE guild_id = 1",
    ],
)
async def test_a_key_for_another_endpoint_or_row_does_not_open(
    url: str, ring: KeyRing, statement: str
) -> None:
    owners = [KeyOwner(guild_id=GuildId(number)) for number in (1, 2)]
    async with open_store(url, ring) as store, store.write() as unit:
        for owner in owners:
            await save_key(unit, owner)
    await change(url, statement)
    assert await revealing(url, ring, owners[0]) is Tampered
    assert await revealing(url, ring, owners[1]) is None


async def test_a_key_given_to_another_owner_does_not_open(url: str, ring: KeyRing) -> None:
    thief = KeyOwner(guild_id=GuildId(2))
    async with open_store(url, ring) as store, store.write() as unit:
        await save_key(unit, KeyOwner(guild_id=GuildId(1)))
    await change(url, "UPDATE provider_keys SET owner = 'guild:2', guild_id = 2")
    assert await revealing(url, ring, thief) is Tampered


async def revealing(url: str, ring: KeyRing, owner: KeyOwner) -> type[Exception] | None:
    async with open_store(url, ring) as store, store.read() as unit:
        stored = await unit.keys.find(owner)
        assert stored is not None
        try:
            await unit.keys.reveal(stored, Payer.SERVER)
        except SealError as error:
            return type(error)
    return None


# The ring at start


async def contents(url: str) -> dict[str, object]:
    async with open_engines(url) as engines, engines.reader.connect() as connection:
        tables: list[Table] = Row.metadata.sorted_tables
        return {
            table.name: (await connection.execute(text(f"SELECT * FROM {table.name}"))).all()  # noqa: S608
            for table in tables
        }


WRONG_RINGS: dict[str, Callable[[], KeyRing]] = {
    "another key under the same id": lambda: KeyRing.parse(KeyRing.new_entry("k1")),
    "another id": lambda: KeyRing.parse(KeyRing.new_entry("k2")),
    "a new key and a wrong old one": lambda: KeyRing.parse(
        f"{KeyRing.new_entry('k2')},{KeyRing.new_entry('k1')}"
    ),
}


@pytest.mark.parametrize("wrong", WRONG_RINGS.values(), ids=WRONG_RINGS)
async def test_a_wrong_ring_is_refused_and_nothing_is_written(
    url: str, ring: KeyRing, wrong: Callable[[], KeyRing]
) -> None:
    async with open_store(url, ring) as store:
        await plant(store)
    before = await contents(url)
    with pytest.raises(WrongKeyRing):
        async with open_store(url, wrong()):
            pass
    assert await contents(url) == before


async def test_a_lost_canary_is_not_sung_again_over_sealed_rows(url: str, ring: KeyRing) -> None:
    async with open_store(url, ring) as store:
        await plant(store)
    await change(url, "DELETE FROM canary")
    with pytest.raises(WrongKeyRing):
        async with open_store(url, ring):
            pass
    assert (await contents(url))["canary"] == []


@pytest.mark.postgres
async def test_processes_that_begin_at_once_in_an_empty_database_share_its_canary(
    postgres_url: str, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = canary.holds_sealed_rows
    fingerprints: list[str] = []

    async def outrun(run: Statements) -> bool:
        monkeypatch.setattr(canary, "holds_sealed_rows", look)
        async with open_store(postgres_url, ring) as other:
            await add_turn(other)
            fingerprints.append(other.fingerprints.of_key(Secret("sk-1")))
        return await look(run)

    monkeypatch.setattr(canary, "holds_sealed_rows", outrun)
    async with open_store(postgres_url, ring) as store:
        assert store.fingerprints.of_key(Secret("sk-1")) == fingerprints[0]


async def test_fingerprints_are_the_same_after_a_restart(url: str, ring: KeyRing) -> None:
    seen: set[str] = set()
    person = UUID(int=7)
    for _ in range(2):
        async with open_store(url, ring) as store:
            seen.add(store.fingerprints.of_key(KEY))
            seen.add(store.fingerprints.safety_id(PersonId(person)))
    assert len(seen) == 2
    assert {len(one) for one in seen} == {32}
