"""The table of replies on their way to Discord."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from companion.db.rows import SealedRow
from companion.db.sealed import Binding, Purpose, Sealed
from companion.db.types import OneOf, SealedText
from companion.domain.delivery import ReplyState


class ReplyRow(SealedRow):
    """A reply, leased to its owner. `turn_id` is no foreign key: a cleared turn stops nobody.

    The table holds only what runs at the moment, so it is read whole. `route`, `terms`,
    `shown` and `ending` are JSON of ids and numbers.
    """

    __tablename__ = "replies"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    turn_id: Mapped[UUID | None]
    state: Mapped[ReplyState] = mapped_column(OneOf(ReplyState))
    owner: Mapped[str]
    fence: Mapped[int]
    leased_until: Mapped[datetime]
    attempts: Mapped[int]
    token: Mapped[Sealed | None] = mapped_column(SealedText(Purpose.INTERACTION_TOKEN))
    route: Mapped[str]
    terms: Mapped[str | None]
    shown: Mapped[str | None]
    ending: Mapped[str | None]

    @staticmethod
    def place(reply: UUID) -> Binding:
        """Return the place of an interaction's token: its reply."""
        return Binding(table="replies", row_id=reply.hex, column="token")

    def binding(self, column: str) -> Binding:
        """Return the place of the token."""
        return self.place(self.id)
