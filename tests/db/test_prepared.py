"""Statements that were translated once give and take what SQLAlchemy's own way does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Executable, bindparam, insert, select, update

from companion.db.engine import open_engines
from companion.db.rows import ConversationRow, PersonRow, TurnRow
from companion.db.sealed import Sealed
from companion.db.sqlite_driver import BRIEF
from companion.db.statements import Statements
from companion.domain.conversation import Finish

PEOPLE = PersonRow.metadata.tables[PersonRow.__tablename__]
CONVERSATIONS = ConversationRow.metadata.tables[ConversationRow.__tablename__]
TURNS = TurnRow.metadata.tables[TurnRow.__tablename__]
BY_ID = select(TURNS).where(TURNS.c.id == bindparam("turn"))
STARTED = datetime(2026, 5, 1, 14, 30, 0, 250, timezone(timedelta(hours=2)))


def turn(person: UUID, conversation: UUID) -> dict[str, Any]:
    return {
        "id": uuid4(),
        "conversation_id": conversation,
        "position": 1,
        "author_id": person,
        "interaction_id": 2**63 - 1,
        "speaker": Sealed("sealed:speaker"),
        "prompt": Sealed("sealed:prompt"),
        "answer": None,
        "model": "gpt-6-sol",
        "finish": Finish.LENGTH,
        "created_at": STARTED,
        "private": True,
    }


def plain(value: object) -> object:
    """Return what can be compared: a sealed text is like no other."""
    return value.text if isinstance(value, Sealed) else value


async def stored(run: Statements) -> dict[str, Any]:
    """Store someone, a conversation and a turn of every type of column; return the turn."""
    person, conversation = uuid4(), uuid4()
    await run.quick(insert(PEOPLE), {"id": person, "discord_user_id": 7, "created_at": STARTED})
    begun = {"id": conversation, "key": "c", "last_position": 1, "turn_count": 1, "revision": 0}
    await run.quick(insert(CONVERSATIONS), {**begun, "created_at": STARTED})
    values = turn(person, conversation)
    await run.quick(insert(TURNS), values)
    return values


async def test_every_type_of_column_comes_back_as_it_was_given(url: str) -> None:
    async with open_engines(url) as engines, engines.writing() as run:
        values = await stored(run)
        row = (await run.quick(BY_ID, {"turn": values["id"]})).first()
        assert [plain(getattr(row, name)) for name in values] == [*map(plain, values.values())]
        assert row.created_at.tzinfo is UTC


async def test_it_reads_what_row_objects_read(url: str) -> None:
    async with open_engines(url) as engines, engines.writing() as run:
        values = await stored(run)
        quick = (await run.quick(BY_ID, {"turn": values["id"]})).first()
        slow = await run.one(select(TurnRow).where(TurnRow.id == values["id"]))
        names = TURNS.columns.keys()
        assert [plain(getattr(quick, name)) for name in names] == [
            plain(getattr(slow, name)) for name in names
        ]


@pytest.mark.parametrize("names", [{"model": "one"}, {"model": "two", "answer": None}])
async def test_a_change_sets_the_columns_that_are_named(url: str, names: dict[str, Any]) -> None:
    change = update(TURNS).where(TURNS.c.id == bindparam("turn"))
    async with open_engines(url) as engines, engines.writing() as run:
        values = await stored(run)
        found = await run.quick(change, {"turn": values["id"], **names})
        assert (found.touched, found.first(), found.value()) == (1, None, None)
        row = (await run.quick(BY_ID, {"turn": values["id"]})).first()
        assert (row.model, plain(row.prompt)) == (names["model"], plain(values["prompt"]))
        assert (await run.quick(change, {"turn": uuid4(), **names})).touched == 0


async def test_what_is_returned_and_what_is_written_in_the_statement_itself(
    url: str,
) -> None:
    counting: Executable = (
        update(CONVERSATIONS)
        .where(CONVERSATIONS.c.key == "c")
        .values(turn_count=CONVERSATIONS.c.turn_count + 2)
        .returning(CONVERSATIONS.c.turn_count, CONVERSATIONS.c.id)
    )
    async with open_engines(url) as engines, engines.writing() as run:
        values = await stored(run)
        found = await run.quick(counting)
        assert found.value() == 3
        assert found.first().id == values["conversation_id"]


async def test_a_plain_string_is_no_sealed_text(url: str) -> None:
    async with open_engines(url) as engines, engines.writing() as run:
        values = await stored(run)
        with pytest.raises(Exception, match="sealed column takes a Sealed value"):
            await run.quick(insert(TURNS), {**values, "id": uuid4(), "prompt": "plain"})


async def test_a_value_that_is_missing_is_no_null(sqlite_url: str) -> None:
    async with open_engines(sqlite_url) as engines, engines.writing() as run:
        with pytest.raises(KeyError, match="turn"):
            await run.quick(BY_ID)


@pytest.mark.parametrize("many", [2, 2 * BRIEF])
async def test_a_change_runs_once_for_each_of_the_values(url: str, many: int) -> None:
    met = [{"id": uuid4(), "discord_user_id": n, "created_at": STARTED} for n in range(many)]
    async with open_engines(url) as engines, engines.writing() as run:
        await run.quick(select(PEOPLE.c.id).limit(1))
        await run.run_all(insert(PEOPLE), met)
        found = await run.rows(select(PEOPLE.c.discord_user_id).order_by(PEOPLE.c.discord_user_id))
        assert [row[0] for row in found] == list(range(many))
