"""The tables of the HTTP API."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from companion.db.rows import Row, SealedRow
from companion.db.sealed import Binding, Sealed


class ApiTokenRow(Row):
    """A token. `hash` is a keyed hash of its whole text; `user_ids` is a JSON array."""

    __tablename__ = "api_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    hash: Mapped[str]
    discord_user_id: Mapped[int | None] = mapped_column(
        ForeignKey("people.discord_user_id", ondelete="CASCADE"), index=True
    )
    user_ids: Mapped[str]
    act_as: Mapped[bool]
    scopes: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class IdempotentAnswerRow(SealedRow):
    """What was answered under an `Idempotency-Key`; `answer` is null while it is being made.

    The id is a keyed hash of token, route and key: nothing a client chose is stored.
    """

    __tablename__ = "idempotent_answers"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    body_hash: Mapped[str]
    answer: Mapped[Sealed | None]
    claimed_until: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(index=True)

    @staticmethod
    def place(row_id: UUID, body_hash: str) -> Binding:
        """Return the place of an answer: its key, and the body it answers."""
        return Binding(
            table="idempotent_answers", row_id=row_id.hex, column="answer", owner=body_hash
        )

    def binding(self, column: str) -> Binding:
        """Return the place of the answer."""
        return self.place(self.id, self.body_hash)
