"""Storage of which servers the app is in, and since when it is no longer in others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from companion.domain.actor import GuildId


class Servers(Protocol):
    """Servers that the app is in, or was in and whose data is still there."""

    async def known(self) -> Mapping[GuildId, datetime | None]:
        """Return all of them, each with when the app was found to have left it."""
        ...

    async def left_at(self, guild: GuildId) -> datetime | None:
        """Return when the app was found to have left that server; `None` when it did not."""
        ...

    async def note_in(self, guilds: Sequence[GuildId]) -> None:
        """Note that the app is in these servers, whatever was noted of them before."""
        ...

    async def note_left(self, guilds: Sequence[GuildId], now: datetime) -> None:
        """Note that the app is not in these servers; an earlier note of that stays."""
        ...

    async def left_before(self, moment: datetime) -> Sequence[GuildId]:
        """Return the servers that the app left before then."""
        ...

    async def hold_left_before(self, guild: GuildId, moment: datetime) -> datetime | None:
        """Return when the app left, if that was before `moment`, and keep it so until the end.

        Whoever notes that the app is back waits for this transaction.
        """
        ...

    async def forget(self, guild: GuildId) -> None:
        """Delete what is noted of a server."""
        ...
