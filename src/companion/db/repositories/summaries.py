"""Summaries of conversations, sealed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import update

from companion.db.keyring import KeyRing
from companion.db.rows import ConversationRow, SummaryRow
from companion.db.sealed import Purpose
from companion.db.statements import Statements
from companion.domain.conversation import Summary


class SqlSummaries:
    """One summary a conversation."""

    def __init__(self, run: Statements, ring: KeyRing, now: Callable[[], datetime]) -> None:
        self._run = run
        self._ring = ring
        self._now = now

    async def save(self, summary: Summary, revision: int) -> bool:
        """Store a summary, unless something was taken back since `revision`."""
        same = (
            ConversationRow.id == summary.conversation_id,
            ConversationRow.revision == revision,
        )
        # a change that changes nothing holds the row: who takes back meanwhile comes after
        held = update(ConversationRow).where(*same).values(revision=revision)
        if not await self._run.run(held):
            return False
        place = SummaryRow.place(summary.conversation_id)
        insert = self._run.insert(SummaryRow).values(
            conversation_id=summary.conversation_id,
            upto_position=summary.upto_position,
            text=self._ring.seal(Purpose.CONTENT, summary.text, place),
            created_at=self._now(),
        )
        columns = ("upto_position", "text", "created_at")
        anew = {column: insert.excluded[column] for column in columns}
        await self._run.run(
            insert.on_conflict_do_update(index_elements=["conversation_id"], set_=anew)
        )
        return True
