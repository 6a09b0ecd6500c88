"""Note which servers the app is in, and when it left others."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add the table, and what finds the conversations of a server."""
    op.create_table(
        "servers",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("guild_id", name=op.f("pk_servers")),
    )
    op.create_index(op.f("ix_conversations_guild_id"), "conversations", ["guild_id"])


def downgrade() -> None:
    """Take them away again."""
    op.drop_index(op.f("ix_conversations_guild_id"), table_name="conversations")
    op.drop_table("servers")
