"""Answers under an idempotency key, sealed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, delete, or_, select, update

from companion.db.api_rows import IdempotentAnswerRow
from companion.db.keyring import KeyRing
from companion.db.sealed import Purpose
from companion.db.statements import Statements
from companion.ports.idempotency import IdempotencyId, Kept


class SqlIdempotentAnswers:
    """One row a key."""

    def __init__(self, run: Statements, ring: KeyRing) -> None:
        self._run = run
        self._ring = ring

    async def claim(
        self,
        key: IdempotencyId,
        body_hash: str,
        *,
        now: datetime,
        until: datetime,
        oldest: datetime,
    ) -> Kept | None:
        """Take the key until `until`, or return what is there."""
        row = IdempotentAnswerRow
        values = {
            "body_hash": body_hash,
            "answer": None,
            "claimed_until": until,
            "created_at": now,
        }
        # two that come at once meet in this one statement: only one of them gets the row
        over = or_(row.created_at < oldest, and_(row.answer.is_(None), row.claimed_until <= now))
        insert = self._run.insert(row).values(id=key, **values)
        taken = await self._run.one(
            insert.on_conflict_do_update(
                index_elements=[row.id], set_=values, where=over
            ).returning(row.id)
        )
        if taken is not None:
            return None
        found = await self._run.one(select(row).where(row.id == key))
        assert found is not None
        answer = found.answer and self._ring.open(
            Purpose.CONTENT, found.answer, found.binding("answer")
        )
        return Kept(body_hash=found.body_hash, answer=answer)

    async def keep(self, key: IdempotencyId, body_hash: str, answer: str) -> None:
        """Store the answer under a key that was claimed."""
        row = IdempotentAnswerRow
        sealed = self._ring.seal(Purpose.CONTENT, answer, row.place(key, body_hash))
        claimed = (row.id == key, row.body_hash == body_hash, row.answer.is_(None))
        await self._run.run(update(row).where(*claimed).values(answer=sealed))

    async def release(self, key: IdempotencyId) -> None:
        """Give an unanswered key back, so that the request may be made again."""
        row = IdempotentAnswerRow
        await self._run.run(delete(row).where(row.id == key, row.answer.is_(None)))

    async def drop_before(self, moment: datetime) -> int:
        """Delete what is older than `moment`; return how many."""
        row = IdempotentAnswerRow
        return await self._run.run(delete(row).where(row.created_at < moment))
