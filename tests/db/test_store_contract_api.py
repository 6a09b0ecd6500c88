"""What every store does with the HTTP API's tokens and kept answers."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from companion.domain.actor import Actor, DiscordUserId
from companion.domain.tokens import TokenId
from companion.ports.idempotency import IdempotencyId, Kept
from companion.ports.store import Store
from tests.db.things import NOON, keep_answer, stored_token

DAY = timedelta(days=1)
ADA = Actor(name="Ada", discord_id=DiscordUserId(2**63 - 1))
GRACE = Actor(name="Grace", discord_id=DiscordUserId(7))


@pytest.fixture
def store(any_store: Store) -> Store:
    return any_store


# Tokens


async def test_a_token_comes_back_as_it_was(store: Store) -> None:
    stored = stored_token("a" * 64, expires_at=NOON + DAY)
    async with store.write() as unit:
        await unit.tokens.add(stored)
    async with store.read() as unit:
        assert await unit.tokens.find(stored.token.id) == stored
        assert await unit.tokens.find(TokenId(uuid4())) is None


async def test_a_person_sees_only_their_own_tokens(store: Store) -> None:
    async with store.write() as unit:
        for person in (ADA, GRACE):
            await unit.people.ensure(person)
        mine = stored_token(discord_id=ADA.discord_id, at=NOON + DAY)
        older = stored_token(discord_id=ADA.discord_id)
        others = [stored_token(), stored_token(discord_id=GRACE.discord_id)]
        for stored in (mine, older, *others):
            await unit.tokens.add(stored)
        assert await unit.tokens.listed(ADA.discord_id) == [older.token, mine.token]
        assert len(await unit.tokens.listed()) == 4


async def test_a_token_is_revoked_once_and_by_its_owner(store: Store) -> None:
    stored = stored_token(discord_id=ADA.discord_id)
    async with store.write() as unit:
        await unit.people.ensure(ADA)
        await unit.tokens.add(stored)
        assert not await unit.tokens.revoke(stored.token.id, NOON, GRACE.discord_id)
        assert await unit.tokens.revoke(stored.token.id, NOON, ADA.discord_id)
        assert not await unit.tokens.revoke(stored.token.id, NOON + DAY)
        found = await unit.tokens.find(stored.token.id)
    assert found is not None
    assert found.token.revoked_at == NOON


async def test_only_tokens_in_use_are_usable(store: Store) -> None:
    short, revoked = stored_token(expires_at=NOON + DAY), stored_token()
    async with store.write() as unit:
        assert not await unit.tokens.any_usable(NOON)
        await unit.tokens.add(revoked)
        await unit.tokens.revoke(revoked.token.id, NOON)
        assert not await unit.tokens.any_usable(NOON)
        await unit.tokens.add(short)
        assert await unit.tokens.any_usable(NOON)
        assert not await unit.tokens.any_usable(NOON + DAY)


# Answers under a key


async def claimed(
    store: Store, key: IdempotencyId, body: str = "b", *, after: timedelta = timedelta()
) -> Kept | None:
    now = NOON + after
    async with store.write() as unit:
        return await unit.idempotent_answers.claim(
            key, body, now=now, until=now + timedelta(minutes=1), oldest=now - DAY
        )


async def test_a_key_is_claimed_by_one_of_many(store: Store) -> None:
    key = IdempotencyId(uuid4())
    got = await asyncio.gather(*(claimed(store, key) for _ in range(5)))
    assert got.count(None) == 1
    assert got.count(Kept(body_hash="b", answer=None)) == 4


async def test_a_kept_answer_is_given_again_for_a_day(store: Store) -> None:
    async with store.write() as unit:
        key = await keep_answer(unit, "answered \ud83d")
    assert await claimed(store, key, after=DAY) == Kept(body_hash="b", answer="answered \ud83d")
    assert await claimed(store, key, after=DAY + timedelta(seconds=1)) is None
    assert await claimed(store, key, "other", after=DAY) == Kept(body_hash="b", answer=None)


async def test_a_claim_left_behind_runs_out(store: Store) -> None:
    key = IdempotencyId(uuid4())
    assert await claimed(store, key) is None
    assert await claimed(store, key, after=timedelta(seconds=59)) is not None
    assert await claimed(store, key, "other", after=timedelta(minutes=1)) is None


async def test_a_late_answer_to_another_body_is_not_kept(store: Store) -> None:
    key = IdempotencyId(uuid4())
    await claimed(store, key)
    await claimed(store, key, "other", after=timedelta(minutes=1))
    async with store.write() as unit:
        await unit.idempotent_answers.keep(key, "b", "late")
    kept = await claimed(store, key, after=timedelta(minutes=1))
    assert kept == Kept(body_hash="other", answer=None)


async def test_only_an_unanswered_key_is_given_back(store: Store) -> None:
    async with store.write() as unit:
        answered = await keep_answer(unit, "answer")
    running = IdempotencyId(uuid4())
    await claimed(store, running)
    async with store.write() as unit:
        for key in (answered, running):
            await unit.idempotent_answers.release(key)
    assert await claimed(store, running) is None
    assert await claimed(store, answered) is not None


async def test_old_answers_are_dropped(store: Store) -> None:
    async with store.write() as unit:
        await keep_answer(unit, "answer")
        assert await unit.idempotent_answers.drop_before(NOON) == 0
        assert await unit.idempotent_answers.drop_before(NOON + DAY) == 1
