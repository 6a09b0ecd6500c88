"""Storage of the HTTP API's tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from companion.domain.actor import DiscordUserId
from companion.domain.tokens import ApiToken, TokenId


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredToken:
    """A token and the keyed hash of its text (hexadecimal)."""

    token: ApiToken
    hash: str


class Tokens(Protocol):
    """Tokens, their texts stored as keyed hashes only."""

    async def add(self, stored: StoredToken) -> None:
        """Store a new token; a Discord person it belongs to was met before."""
        ...

    async def find(self, token_id: TokenId) -> StoredToken | None:
        """Return the token of that id, whatever its state."""
        ...

    async def listed(self, owner: DiscordUserId | None = None) -> Sequence[ApiToken]:
        """Return one person's tokens, or everyone's, oldest first; revoked ones too."""
        ...

    async def revoke(
        self, token_id: TokenId, now: datetime, owner: DiscordUserId | None = None
    ) -> bool:
        """End a token (of that owner); false when there is none in use."""
        ...

    async def any_usable(self, now: datetime) -> bool:
        """Say whether there is a token that may be used."""
        ...
