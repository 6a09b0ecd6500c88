"""Let conversations branch, be shared, be summarised, and be found by their messages."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

COUNT = """
UPDATE conversations SET turn_count =
(SELECT count(*) FROM turns WHERE turns.conversation_id = conversations.id)
"""


def upgrade() -> None:
    """Add columns in place (a table made anew would take its turns along) and tables."""
    for column in (
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("parent_position", sa.BigInteger(), nullable=True),
        sa.Column("started_by", sa.Uuid(), nullable=True),
        sa.Column("turn_count", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("revision", sa.BigInteger(), nullable=False, server_default="0"),
    ):
        op.add_column("conversations", column)
    op.execute(COUNT)
    op.create_index(op.f("ix_conversations_channel_id"), "conversations", ["channel_id"])
    op.create_index(op.f("ix_conversations_parent_id"), "conversations", ["parent_id"])
    op.add_column(
        "turns", sa.Column("private", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        "answer_messages",
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("turn_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["turn_id"],
            ["turns.id"],
            name=op.f("fk_answer_messages_turn_id_turns"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_answer_messages")),
    )
    op.create_index(op.f("ix_answer_messages_turn_id"), "answer_messages", ["turn_id"])
    op.create_table(
        "summaries",
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("upto_position", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_summaries_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("conversation_id", name=op.f("pk_summaries")),
    )
    op.create_table(
        "chat_channels",
        sa.Column("channel_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("channel_id", name=op.f("pk_chat_channels")),
    )
    op.create_index(op.f("ix_chat_channels_guild_id"), "chat_channels", ["guild_id"])


def downgrade() -> None:
    """Take them away again."""
    for table in ("chat_channels", "summaries", "answer_messages"):
        op.drop_table(table)
    op.drop_column("turns", "private")
    for index in ("ix_conversations_parent_id", "ix_conversations_channel_id"):
        op.drop_index(op.f(index), "conversations")
    for column in ("revision", "turn_count", "started_by", "parent_position", "parent_id"):
        op.drop_column("conversations", column)
