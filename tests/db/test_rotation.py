"""A new encryption key: online, interrupted, resumed, and then the old one is dropped."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from companion.db.engine import open_engines
from companion.db.keyring import KeyRing
from companion.db.rotation import BATCH, RotationReport, key_usage, rotate
from companion.db.uow import SqlStore, open_store
from companion.domain.accounts import KeepFor, KeyOwner, KeyState, Preferences
from companion.domain.actor import GuildId
from companion.domain.conversation import Finish, Summary, Turn
from companion.domain.errors import WrongKeyRing
from companion.domain.models import Payer
from companion.domain.secrets import Secret
from tests.db.things import (
    API_URL,
    NOON,
    call_end,
    call_start,
    keep_answer,
    new_conversation,
    new_person,
    new_turn,
)
from tests.db.things import add_turn as add_lone_turn

OLD, NEW = KeyRing.new_entry("k1"), KeyRing.new_entry("k2")
ONLY_OLD, BOTH, ONLY_NEW = KeyRing.parse(OLD), KeyRing.parse(f"{NEW},{OLD}"), KeyRing.parse(NEW)
OTHERS = 6
"""Rows in the tables that come before the turns: kept answer, key, call, two preferences,
and a summary."""
TURNS = BATCH + 10
SERVER = KeyOwner(guild_id=GuildId(1))


def secret(number: int) -> Secret:
    return Secret(f"sk-proj-{number:030}")


async def save_key(store: SqlStore, key: Secret, owner: KeyOwner = SERVER) -> None:
    async with store.write() as unit:
        await unit.keys.save(
            owner,
            key,
            base_url=API_URL,
            state=KeyState.GOOD,
            keep_for=KeepFor.UNTIL_REMOVED,
            now=NOON,
        )


async def fill(store: SqlStore, turns: int = TURNS) -> list[Turn]:
    """Store something in every sealed column; return the turns, newest first."""
    async with store.write() as unit:
        person = await new_person(unit)
        conversation = await new_conversation(unit, person)
        for number in range(turns):
            begun = await unit.turns.begin(new_turn(conversation, person, f"prompt {number}"))
            assert begun is not None
            answer = f"answer {number}"
            await unit.turns.finish(begun, answer=answer, finish=Finish.COMPLETE, usage=None)
        call = call_start(person)
        await unit.provider_log.start(call)
        await unit.provider_log.end(call.id, call_end())
        await unit.preferences.save_person(person, Preferences(persona="Be brief."))
        await unit.preferences.save_guild(GuildId(1), Preferences(persona="Be kind."))
        await keep_answer(unit, "kept")
        summary = Summary(conversation_id=conversation, upto_position=1, text="They met.")
        await unit.summaries.save(summary, 0)
    await save_key(store, secret(1))
    async with store.read() as unit:
        return list(await unit.turns.before(conversation, None, turns))


async def assert_all_there(store: SqlStore, turns: list[Turn]) -> None:
    async with store.read() as unit:
        history = await unit.turns.before(turns[0].conversation_id, None, len(turns))
        assert list(history) == turns
        stored = await unit.keys.find(SERVER)
        assert stored is not None
        assert (await unit.keys.reveal(stored, Payer.SERVER)).key == secret(1)
        person = await unit.preferences.of_person(turns[0].author_id)
        guild = await unit.preferences.of_guild(GuildId(1))
        assert (person.persona, guild.persona) == ("Be brief.", "Be kind.")
        (level,) = await unit.conversations.lineage(turns[0].conversation_id, 1)
        assert level.summary is not None
        assert level.summary.text == "They met."


@pytest.fixture
async def filled(url: str) -> AsyncIterator[list[Turn]]:
    async with open_store(url, ONLY_OLD) as store:
        turns = await fill(store)
    yield turns


async def test_everything_moves_to_the_first_key_and_the_old_one_can_go(
    url: str, filled: list[Turn]
) -> None:
    async with open_store(url, BOTH) as store:
        fingerprint = store.fingerprints.of_key(secret(1))
        safety_id = store.fingerprints.safety_id(filled[0].author_id)
    seen: list[tuple[int, int]] = []
    rows = TURNS + OTHERS + 1  # the canary
    assert await key_usage(url) == {"k1": rows}
    report = await rotate(url, BOTH, lambda done, total: seen.append((done, total)))
    assert report == RotationReport(resealed=rows, remaining=0, unreadable=0)
    assert seen[-1] == (rows, rows)
    assert await key_usage(url) == {"k2": rows}
    async with open_store(url, ONLY_NEW) as store:
        await assert_all_there(store, filled)
        assert store.fingerprints.of_key(secret(1)) == fingerprint
        assert store.fingerprints.safety_id(filled[0].author_id) == safety_id


async def test_rotating_again_changes_nothing(url: str, filled: list[Turn]) -> None:
    await rotate(url, BOTH)
    assert (await rotate(url, BOTH)).resealed == 0
    assert (await rotate(url, ONLY_NEW)).resealed == 0


async def test_a_wrong_ring_does_not_rotate(url: str, filled: list[Turn]) -> None:
    before = await key_usage(url)
    with pytest.raises(WrongKeyRing):
        await rotate(url, KeyRing.parse(f"{NEW},{KeyRing.new_entry('k1')}"))
    assert await key_usage(url) == before


@pytest.mark.parametrize(("where", "done"), [("between", OTHERS + BATCH), ("within", OTHERS)])
async def test_a_killed_rotation_loses_nothing_and_is_resumed(
    url: str, filled: list[Turn], where: str, done: int
) -> None:
    await run_and_kill_a_rotation(url, where)
    assert await key_usage(url) == {"k2": done, "k1": TURNS + OTHERS + 1 - done}
    with pytest.raises(WrongKeyRing):  # the canary still needs the old key, as rows do
        async with open_store(url, ONLY_NEW):
            pass
    async with open_store(url, BOTH) as store:
        await assert_all_there(store, filled)
    assert (await rotate(url, BOTH)).remaining == 0
    async with open_store(url, ONLY_NEW) as store:
        await assert_all_there(store, filled)


async def run_and_kill_a_rotation(url: str, where: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.db.rotating", url, f"{NEW},{OLD}", where),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        assert await asyncio.wait_for(process.stdout.readline(), 20) == b"stopped\n"
    finally:
        process.kill()
        await process.wait()


async def test_writers_and_readers_notice_nothing(url: str, filled: list[Turn]) -> None:
    rotated = asyncio.Event()
    last = 0

    async def keep_writing(store: SqlStore) -> list[Turn]:
        nonlocal last
        written: list[Turn] = []
        while not rotated.is_set() or last < 20:
            last += 1
            await save_key(store, secret(last))
            async with store.read() as unit:
                stored = await unit.keys.find(SERVER)
                assert stored is not None
                assert (await unit.keys.reveal(stored, Payer.SERVER)).key == secret(last)
            written.append(await add_lone_turn(store, answer=f"meanwhile {last}"))
        return written

    async with open_store(url, BOTH) as store:
        writing = asyncio.create_task(keep_writing(store))
        report = await rotate(url, BOTH)
        rotated.set()
        meanwhile = await writing
    assert (report.remaining, report.unreadable) == (0, 0)
    assert set(await key_usage(url)) == {"k2"}
    async with open_store(url, ONLY_NEW) as store, store.read() as unit:
        for turn in meanwhile + filled:
            assert await unit.turns.find(turn.id) == turn
        stored = await unit.keys.find(SERVER)
        assert stored is not None
        assert (await unit.keys.reveal(stored, Payer.SERVER)).key == secret(last)


async def test_rows_that_an_old_process_still_writes_are_caught_up_with(
    url: str, filled: list[Turn]
) -> None:
    """A process that was not restarted yet seals under the old key behind the rotation."""
    late: list[Turn] = []

    async with open_store(url, ONLY_OLD) as old_store:
        loop = asyncio.get_running_loop()
        writing: list[asyncio.Task[Turn]] = []

        def write_behind(_done: int, _total: int) -> None:
            if len(writing) < 3:
                writing.append(loop.create_task(add_lone_turn(old_store)))

        report = await rotate(url, BOTH, write_behind)
        late += await asyncio.gather(*writing)
    if report.remaining:  # written after the last pass: said so, and the old key is kept
        report = await rotate(url, BOTH)
    assert report.remaining == 0
    async with open_store(url, ONLY_NEW) as store, store.read() as unit:
        for turn in late:
            assert await unit.turns.find(turn.id) == turn


async def test_a_row_that_opens_under_no_key_is_reported_and_left(
    url: str, filled: list[Turn]
) -> None:
    async with open_engines(url) as engines, engines.writer.begin() as connection:
        await connection.execute(
            text("UPDATE turns SET prompt = replace(prompt, 'c1.k1.', 'c1.k0.') WHERE position = 7")
        )
        await connection.execute(
            text("UPDATE turns SET prompt = 'c1.k1.AAAA' WHERE position = 8"),
        )
    report = await rotate(url, BOTH)
    assert (report.remaining, report.unreadable) == (0, 2)
    assert set(await key_usage(url)) == {"k0", "k1", "k2"}
    async with open_store(url, ONLY_NEW) as store, store.read() as unit:
        assert await unit.turns.find(filled[0].id) == filled[0]


@pytest.mark.postgres
async def test_rows_that_others_hold_are_not_waited_for(postgres_url: str) -> None:
    async with open_store(postgres_url, ONLY_OLD) as old_store:
        held = await add_lone_turn(old_store)
    async with open_store(postgres_url, BOTH) as store:
        async with store.write() as unit, asyncio.timeout(10):
            await unit.turns.remove(held.id)
            report = await rotate(postgres_url, BOTH)
            assert report.remaining == 2  # that row, and the canary that waits for it
        assert (await rotate(postgres_url, BOTH)).remaining == 0
    assert await key_usage(postgres_url) == {"k2": 1}
