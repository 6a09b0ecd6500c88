from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from companion.domain.actor import DiscordUserId
from companion.domain.tokens import ApiToken, TokenId
from companion.ports import idempotency, tokens
from companion.ports.idempotency import IdempotencyId, Kept
from companion.ports.tokens import StoredToken
from tests.fakes.tables import KeptAnswer, Tables


class FakeTokens(tokens.Tokens):
    def __init__(self, tables: Tables) -> None:
        self._tokens = tables.tokens

    async def add(self, stored: StoredToken) -> None:
        self._tokens[stored.token.id] = stored

    async def find(self, token_id: TokenId) -> StoredToken | None:
        return self._tokens.get(token_id)

    async def listed(self, owner: DiscordUserId | None = None) -> Sequence[ApiToken]:
        found = [s.token for s in self._tokens.values() if owner in {None, s.token.discord_id}]
        return sorted(found, key=lambda token: (token.created_at, token.id))

    async def revoke(
        self, token_id: TokenId, now: datetime, owner: DiscordUserId | None = None
    ) -> bool:
        stored = self._tokens.get(token_id)
        if stored is None or stored.token.revoked_at is not None:
            return False
        if owner not in {None, stored.token.discord_id}:
            return False
        self._tokens[token_id] = replace(stored, token=replace(stored.token, revoked_at=now))
        return True

    async def any_usable(self, now: datetime) -> bool:
        return any(stored.token.usable_at(now) for stored in self._tokens.values())


class FakeIdempotentAnswers(idempotency.IdempotentAnswers):
    def __init__(self, tables: Tables) -> None:
        self._kept = tables.kept_answers

    async def claim(
        self,
        key: IdempotencyId,
        body_hash: str,
        *,
        now: datetime,
        until: datetime,
        oldest: datetime,
    ) -> Kept | None:
        found = self._kept.get(key)
        if found is not None and not (
            found.created_at < oldest or (found.answer is None and found.claimed_until <= now)
        ):
            return Kept(body_hash=found.body_hash, answer=found.answer)
        self._kept[key] = KeptAnswer(
            body_hash=body_hash, answer=None, claimed_until=until, created_at=now
        )
        return None

    async def keep(self, key: IdempotencyId, body_hash: str, answer: str) -> None:
        found = self._kept.get(key)
        if found is not None and found.answer is None and found.body_hash == body_hash:
            self._kept[key] = replace(found, answer=answer)

    async def release(self, key: IdempotencyId) -> None:
        found = self._kept.get(key)
        if found is not None and found.answer is None:
            del self._kept[key]

    async def drop_before(self, moment: datetime) -> int:
        old = [key for key, kept in self._kept.items() if kept.created_at < moment]
        for key in old:
            del self._kept[key]
        return len(old)
