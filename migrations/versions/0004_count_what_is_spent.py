"""Count what is spent: budgets, what is held of them, and the caps of servers."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

CAPS = ("person_day_micros", "server_month_micros")


def upgrade() -> None:
    """Add the tables and the caps."""
    op.create_table(
        "budgets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("limit_micros", sa.BigInteger(), nullable=False),
        sa.Column("spent_micros", sa.BigInteger(), nullable=False),
        sa.Column("held_micros", sa.BigInteger(), nullable=False),
        sa.Column("resets_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_budgets")),
    )
    op.create_index(op.f("ix_budgets_resets_at"), "budgets", ["resets_at"])
    op.create_table(
        "reservations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("budget", sa.Text(), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", "budget", name=op.f("pk_reservations")),
    )
    op.create_index(op.f("ix_reservations_created_at"), "reservations", ["created_at"])
    for cap in CAPS:
        op.add_column("guild_preferences", sa.Column(cap, sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Take them away again."""
    for cap in CAPS:
        op.drop_column("guild_preferences", cap)
    for table in ("reservations", "budgets"):
        op.drop_table(table)
