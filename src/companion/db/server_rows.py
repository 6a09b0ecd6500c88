"""The table of servers that the app is in, or was in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from companion.db.rows import Row


class ServerRow(Row):
    """A server that has the app, or had it until `left_at`.

    A place that only some person brought the app to has no row: nothing there is the server's.
    """

    __tablename__ = "servers"

    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    left_at: Mapped[datetime | None]
