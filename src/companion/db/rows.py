"""The tables. Rows stay inside `db`; repositories hand out domain values.

Ids of our own rows are UUIDs, Discord's are 64-bit integers, times are UTC, money
is whole micro-dollars. The log (`provider_calls`) has no foreign keys: it outlives
what it tells of, and a deletion elsewhere never waits for it.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    MetaData,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.orm import registry as orm_registry

from companion.db.sealed import Binding, Purpose, Sealed
from companion.db.types import OneOf, SealedText, UtcDateTime
from companion.db.usage_columns import WithUsage
from companion.domain.accounts import KeepFor, KeyState
from companion.domain.actor import Door
from companion.domain.conversation import Finish
from companion.domain.models import Payer
from companion.ports.store import CallStatus

CONVENTION = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
CONTENT = SealedText(Purpose.CONTENT)


class Row(DeclarativeBase):
    """A row of ours."""

    metadata = MetaData(naming_convention=CONVENTION)
    registry: ClassVar[orm_registry] = orm_registry(
        metadata=metadata,
        type_annotation_map={
            UUID: Uuid(),
            datetime: UtcDateTime(),
            int: BigInteger(),
            str: Text(),
            KeyState: OneOf(KeyState),
            KeepFor: OneOf(KeepFor),
            Door: OneOf(Door),
            Finish: OneOf(Finish),
            Payer: OneOf(Payer),
            CallStatus: OneOf(CallStatus),
            Sealed: CONTENT,
        },
    )


class SealedRow(Row):
    """A row with sealed columns, which knows the place each of them is bound to."""

    __abstract__ = True

    def binding(self, column: str) -> Binding:
        """Return the place that the sealed value in `column` belongs to."""
        raise NotImplementedError


class PersonRow(Row):
    """Someone we met, on Discord or over HTTP."""

    __tablename__ = "people"
    __table_args__ = (
        CheckConstraint("(discord_user_id IS NULL) <> (http_user_id IS NULL)", name="one_identity"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    discord_user_id: Mapped[int | None] = mapped_column(unique=True)
    http_user_id: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class ProviderKeyRow(SealedRow):
    """A provider key. `owner` is the text form of exactly one of person and guild."""

    __tablename__ = "provider_keys"
    __table_args__ = (
        CheckConstraint("(person_id IS NULL) <> (guild_id IS NULL)", name="one_owner"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    guild_id: Mapped[int | None]
    base_url: Mapped[str]
    sealed_key: Mapped[Sealed] = mapped_column(SealedText(Purpose.USER_API_KEY))
    hint: Mapped[str]
    fingerprint: Mapped[str]
    state: Mapped[KeyState]
    keep_for: Mapped[KeepFor]
    saved_at: Mapped[datetime]
    expires_at: Mapped[datetime | None] = mapped_column(index=True)
    no_credit_until: Mapped[datetime | None]
    version: Mapped[int]

    @staticmethod
    def place(key_id: UUID, owner: str, base_url: str) -> Binding:
        """Return the place of a key: its row, its owner, and the one endpoint it is for."""
        return Binding(
            table="provider_keys",
            row_id=key_id.hex,
            column="sealed_key",
            owner=owner,
            base_url=base_url,
        )

    def binding(self, column: str) -> Binding:
        """Return the place of the key."""
        return self.place(self.id, self.owner, self.base_url)


class ConversationRow(Row):
    """A conversation. `last_position` only grows, so positions are never used twice.

    `parent_id` is what it was forked from, no foreign key: a parent that is gone is
    just the end of the line. `revision` grows whenever something is taken back.
    """

    __tablename__ = "conversations"
    __table_args__ = (Index(None, "channel_id"), Index(None, "guild_id"), Index(None, "parent_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    owner_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), index=True
    )
    channel_id: Mapped[int | None]
    guild_id: Mapped[int | None]
    last_position: Mapped[int]
    created_at: Mapped[datetime]
    parent_id: Mapped[UUID | None]
    parent_position: Mapped[int | None]
    started_by: Mapped[UUID | None]
    turn_count: Mapped[int]
    revision: Mapped[int]


class TurnRow(WithUsage, SealedRow):
    """A prompt and its answer. `finish` is null while it runs, `answer` when it has none."""

    __tablename__ = "turns"
    # read newest first: the unique index on (conversation, position), walked backwards
    __table_args__ = (UniqueConstraint("conversation_id", "position"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE")
    )
    position: Mapped[int]
    author_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    interaction_id: Mapped[int | None] = mapped_column(unique=True)
    speaker: Mapped[Sealed]
    prompt: Mapped[Sealed]
    answer: Mapped[Sealed | None]
    model: Mapped[str]
    finish: Mapped[Finish | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    private: Mapped[bool]

    @staticmethod
    def place(column: str, turn: UUID, conversation: UUID, author: UUID) -> Binding:
        """Return the place of a text: its turn, in that conversation, of that person."""
        owner = f"{conversation.hex}/{author.hex}"
        return Binding(table="turns", row_id=turn.hex, column=column, owner=owner)

    def binding(self, column: str) -> Binding:
        """Return the place of one text of this turn."""
        return self.place(column, self.id, self.conversation_id, self.author_id)


class AnswerMessageRow(Row):
    """A Discord message that shows a part of a turn's answer."""

    __tablename__ = "answer_messages"

    message_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    channel_id: Mapped[int]
    turn_id: Mapped[UUID] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"), index=True)
    part: Mapped[int]


class SummaryRow(SealedRow):
    """What a conversation came to, up to a position."""

    __tablename__ = "summaries"

    conversation_id: Mapped[UUID] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    )
    upto_position: Mapped[int]
    text: Mapped[Sealed]
    created_at: Mapped[datetime]

    @staticmethod
    def place(conversation: UUID) -> Binding:
        """Return the place of a summary: its conversation."""
        return Binding(table="summaries", row_id=conversation.hex, column="text")

    def binding(self, column: str) -> Binding:
        """Return the place of the summary."""
        return self.place(self.conversation_id)


class ChatChannelRow(Row):
    """A channel where every message is a question."""

    __tablename__ = "chat_channels"
    __table_args__ = (Index(None, "guild_id"),)

    channel_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    guild_id: Mapped[int]


class PersonPreferencesRow(SealedRow):
    """What a person chose."""

    __tablename__ = "person_preferences"

    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    default_model: Mapped[str | None]
    persona: Mapped[Sealed | None]
    updated_at: Mapped[datetime]

    @staticmethod
    def place(person: UUID) -> Binding:
        """Return the place of a person's persona."""
        return Binding(table="person_preferences", row_id=person.hex, column="persona")

    def binding(self, column: str) -> Binding:
        """Return the place of the persona."""
        return self.place(self.person_id)


class GuildPreferencesRow(SealedRow):
    """What a server chose."""

    __tablename__ = "guild_preferences"

    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    default_model: Mapped[str | None]
    persona: Mapped[Sealed | None]
    person_day_micros: Mapped[int | None]
    server_month_micros: Mapped[int | None]
    updated_at: Mapped[datetime]

    @staticmethod
    def place(guild: int) -> Binding:
        """Return the place of a server's persona."""
        return Binding(table="guild_preferences", row_id=str(guild), column="persona")

    def binding(self, column: str) -> Binding:
        """Return the place of the persona."""
        return self.place(self.guild_id)


class ProviderCallRow(WithUsage, SealedRow):
    """One request to a provider.

    `keeps_contents` turns false when what was said is cleared, so that an answer
    that ends later leaves no text behind.
    """

    __tablename__ = "provider_calls"
    __table_args__ = (
        Index(None, "person_id", "started_at"),
        Index(None, "guild_id", "started_at"),
        # of rows with contents only: the migration says so, because saying it here for
        # PostgreSQL would load its dialect, 2 MB, into a process that uses SQLite
        Index("ix_provider_calls_with_contents", "started_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    turn_id: Mapped[UUID | None]
    conversation_id: Mapped[UUID | None] = mapped_column(index=True)
    person_id: Mapped[UUID]
    guild_id: Mapped[int | None]
    channel_id: Mapped[int | None]
    door: Mapped[Door]
    endpoint: Mapped[str]
    model: Mapped[str]
    payer: Mapped[Payer]
    fingerprint: Mapped[str]
    status: Mapped[CallStatus]
    started_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    latency_ms: Mapped[int | None]
    first_token_ms: Mapped[int | None]
    cost_micros: Mapped[int | None]
    finish: Mapped[Finish | None]
    error_code: Mapped[str | None]
    http_status: Mapped[int | None]
    request_id: Mapped[str | None]
    keeps_contents: Mapped[bool]
    request: Mapped[Sealed | None]
    response: Mapped[Sealed | None]

    @staticmethod
    def place(column: str, call: UUID, person: UUID) -> Binding:
        """Return the place of a logged text: its call, of that person."""
        return Binding(table="provider_calls", row_id=call.hex, column=column, owner=person.hex)

    def binding(self, column: str) -> Binding:
        """Return the place of one text of this call."""
        return self.place(column, self.id, self.person_id)


class CanaryRow(SealedRow):
    """The one row that shows whether a ring is this database's own.

    It also holds the index secret, from which fingerprints and safety ids are
    derived: they must outlive every key of the ring. `writes` counts health checks.
    """

    __tablename__ = "canary"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    canary: Mapped[Sealed] = mapped_column(SealedText(Purpose.CANARY))
    index_secret: Mapped[Sealed] = mapped_column(SealedText(Purpose.INDEX_SECRET))
    writes: Mapped[int]
    created_at: Mapped[datetime]

    @staticmethod
    def place(column: str) -> Binding:
        """Return the place of one value of the row."""
        return Binding(table="canary", row_id="1", column=column)

    def binding(self, column: str) -> Binding:
        """Return the place of one value of the row."""
        return self.place(column)
