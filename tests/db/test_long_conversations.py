"""A turn costs the database the same, however long the conversation is."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from companion.db.engine import open_engines
from companion.db.uow import SqlStore
from companion.domain.conversation import ConversationId
from tests.support.long_conversations import LongTalk, counted

LONG = 10_000
_COPIED = "conversation_id, author_id, speaker, prompt, answer, model, finish, created_at, private"
_NUMBERS = {
    "sqlite": "WITH RECURSIVE numbers(n) AS"
    " (SELECT 0 UNION ALL SELECT n - 1 FROM numbers WHERE n > -:many + 1)",
    "postgresql": "WITH numbers(n) AS (SELECT -generate_series(0, :many - 1))",
}
_ID = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "gen_random_uuid()"}


async def lengthen(url: str, conversation: ConversationId, turns: int) -> None:
    """Put copies of the first turn before it; that they do not open shows if one is read."""
    kind = "sqlite" if url.startswith("sqlite") else "postgresql"
    which: object = conversation.hex if kind == "sqlite" else conversation
    copy = (
        f"INSERT INTO turns (id, position, {_COPIED})"  # noqa: S608 - our own words
        f" {_NUMBERS[kind]} SELECT {_ID[kind]}, n, {_COPIED} FROM turns, numbers"
        " WHERE conversation_id = :conversation AND position = 1"
    )
    count = "UPDATE conversations SET turn_count = turn_count + :many WHERE id = :conversation"
    async with open_engines(url) as engines, engines.writer.begin() as connection:
        for statement in (copy, count):
            values = {"many": turns, "conversation": which}
            await connection.execute(text(statement), values)


async def cost_of_a_turn(talk: LongTalk) -> list[str]:
    await talk.ask()
    await talk.settle()
    with counted() as seen:
        await talk.ask()
    return seen.statements


@pytest.mark.parametrize("summarised", [False, True])
async def test_a_turn_of_ten_thousand_takes_the_statements_of_one_of_ten(
    url: str, store: SqlStore, *, summarised: bool
) -> None:
    short, long = LongTalk(store), LongTalk(store)
    await short.grow(8)
    conversation = await long.grow(60)
    await lengthen(url, conversation, LONG)
    if summarised:
        await long.ask()
        await long.settle()
    few, many = await cost_of_a_turn(short), await cost_of_a_turn(long)
    last = await long.ask()
    assert last.number > LONG
    assert last.dropped_turns > LONG
    assert many == few
    for talk in (short, long):
        await talk.settle()
        await talk.services.close()
