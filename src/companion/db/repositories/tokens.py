"""Tokens of the HTTP API, found by their id and proved by their hash."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select, update

from companion.db.api_rows import ApiTokenRow
from companion.db.statements import Statements
from companion.domain.actor import DiscordUserId
from companion.domain.tokens import ApiToken, TokenId, TokenScope
from companion.ports.tokens import StoredToken


class SqlTokens:
    """One row a token; a revoked one stays, to be shown."""

    def __init__(self, run: Statements) -> None:
        self._run = run

    async def add(self, stored: StoredToken) -> None:
        """Store a new token."""
        token = stored.token
        insert = self._run.insert(ApiTokenRow).values(
            id=token.id,
            name=token.name,
            hash=stored.hash,
            discord_user_id=token.discord_id,
            user_ids=json.dumps(sorted(token.user_ids)),
            act_as=token.act_as,
            scopes=" ".join(sorted(token.scopes)),
            created_at=token.created_at,
            expires_at=token.expires_at,
        )
        await self._run.run(insert)

    async def find(self, token_id: TokenId) -> StoredToken | None:
        """Return the token of that id, whatever its state."""
        row = await self._run.one(select(ApiTokenRow).where(ApiTokenRow.id == token_id))
        return None if row is None else StoredToken(token=_token(row), hash=row.hash)

    async def listed(self, owner: DiscordUserId | None = None) -> Sequence[ApiToken]:
        """Return one person's tokens, or everyone's, oldest first; revoked ones too."""
        query = select(ApiTokenRow).order_by(ApiTokenRow.created_at, ApiTokenRow.id)
        if owner is not None:
            query = query.where(ApiTokenRow.discord_user_id == owner)
        return [_token(row) for row in await self._run.all(query)]

    async def revoke(
        self, token_id: TokenId, now: datetime, owner: DiscordUserId | None = None
    ) -> bool:
        """End a token (of that owner); false when there is none in use."""
        change = update(ApiTokenRow).where(
            ApiTokenRow.id == token_id, ApiTokenRow.revoked_at.is_(None)
        )
        if owner is not None:
            change = change.where(ApiTokenRow.discord_user_id == owner)
        return await self._run.run(change.values(revoked_at=now)) > 0

    async def any_usable(self, now: datetime) -> bool:
        """Say whether there is a token that may be used."""
        unexpired = or_(ApiTokenRow.expires_at.is_(None), ApiTokenRow.expires_at > now)
        query = select(ApiTokenRow.id).where(ApiTokenRow.revoked_at.is_(None), unexpired).limit(1)
        return await self._run.one(query) is not None


def _token(row: ApiTokenRow) -> ApiToken:
    discord_id = row.discord_user_id
    return ApiToken(
        id=TokenId(row.id),
        name=row.name,
        discord_id=None if discord_id is None else DiscordUserId(discord_id),
        user_ids=frozenset(map(str, json.loads(row.user_ids))),
        act_as=row.act_as,
        scopes=frozenset(map(TokenScope, row.scopes.split())),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
