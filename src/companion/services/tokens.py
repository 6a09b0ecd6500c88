"""Making, showing, ending and checking the HTTP API's tokens."""

from __future__ import annotations

import hmac
import os
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import uuid4

from companion.domain.actor import Actor, DiscordUserId, Place
from companion.domain.api_errors import TokenRejected, TokenUnknown, TooManyTokens
from companion.domain.errors import NotAllowed, OptionOutOfRange
from companion.domain.secrets import Secret
from companion.domain.tokens import (
    EVERY_SCOPE,
    LONGEST_USER_ID,
    RESERVED,
    SECRET_BYTES,
    ApiToken,
    TokenId,
    TokenScope,
    read_token_id,
    token_text,
)
from companion.ports.clock import Clock
from companion.ports.store import Store
from companion.ports.tokens import StoredToken
from companion.services.access import AccessGate, Purpose

LONGEST_NAME: Final = 80
MOST_PER_PERSON: Final = 10
REMEMBERED_S: Final = 3.0
"""How long a checked token is believed: a revoked one is refused within 5 seconds."""
MOST_REMEMBERED: Final = 10_000
_NO_HASH: Final = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token just made; `text` is shown once and never again."""

    token: ApiToken
    text: Secret


class TokensService:
    """Tokens of people and programs."""

    def __init__(self, *, store: Store, gate: AccessGate, clock: Clock) -> None:
        self._store = store
        self._gate = gate
        self._clock = clock
        self._checked: OrderedDict[str, tuple[ApiToken, float]] = OrderedDict()

    async def authenticate(self, text: str) -> ApiToken:
        """Return the token of that text.

        Raises `TokenRejected`, which never says why, or `StorageUnavailable`.
        """
        token_id = read_token_id(text)
        if token_id is None:
            raise TokenRejected
        # the whole token is hashed: two that share a beginning never share an entry
        hashed = self._store.fingerprints.of_token(Secret(text))
        token = self._remembered(hashed) or await self._checked_anew(token_id, hashed)
        if not token.usable_at(self._clock.now()):
            raise TokenRejected
        return token

    async def create(
        self,
        name: str,
        *,
        user_ids: Iterable[str] = (),
        act_as: bool = False,
        scopes: frozenset[TokenScope] = EVERY_SCOPE,
        expires_at: datetime | None = None,
    ) -> NewToken:
        """Make a program's token, for the operator.

        Without `user_ids` and `act_as` it speaks for the user id that is its own name.
        """
        name = _checked_name(name)
        given = frozenset(user_ids)
        speaks_for = given or (frozenset() if act_as else frozenset({name}))
        for user_id in speaks_for:
            if not 0 < len(user_id) <= LONGEST_USER_ID or user_id.startswith(RESERVED):
                raise OptionOutOfRange(option="user", minimum=1, maximum=LONGEST_USER_ID)
        token = ApiToken(
            id=TokenId(uuid4()),
            name=name,
            user_ids=speaks_for,
            act_as=act_as,
            scopes=scopes,
            created_at=self._clock.now(),
            expires_at=expires_at,
        )
        return await self._store_new(token)

    async def create_own(self, actor: Actor, place: Place, name: str) -> NewToken:
        """Make a Discord person's own token; raises `TooManyTokens`."""
        owner = self._owner(actor, place)
        name = _checked_name(name)
        now = self._clock.now()
        async with self._store.write() as unit:
            await unit.people.ensure(actor)
            in_use = [t for t in await unit.tokens.listed(owner) if t.usable_at(now)]
        if len(in_use) >= MOST_PER_PERSON:
            raise TooManyTokens(limit=MOST_PER_PERSON)
        token = ApiToken(id=TokenId(uuid4()), name=name, discord_id=owner, created_at=now)
        return await self._store_new(token)

    async def of_person(self, actor: Actor, place: Place) -> Sequence[ApiToken]:
        """Return the person's tokens that can be used."""
        owner, now = self._owner(actor, place), self._clock.now()
        async with self._store.read() as unit:
            return [token for token in await unit.tokens.listed(owner) if token.usable_at(now)]

    async def everyones(self) -> Sequence[ApiToken]:
        """Return all tokens, revoked and expired ones too, for the operator."""
        async with self._store.read() as unit:
            return await unit.tokens.listed()

    async def revoke(self, token_id: TokenId) -> None:
        """End any token, for the operator; raises `TokenUnknown`."""
        await self._revoke(token_id, None)

    async def revoke_own(self, actor: Actor, place: Place, token_id: TokenId) -> None:
        """End one of the person's tokens; raises `TokenUnknown`, also for someone else's."""
        await self._revoke(token_id, self._owner(actor, place))

    async def revoke_named(self, actor: Actor, place: Place, named: str) -> ApiToken:
        """End and return the person's token of that short id, id or text.

        Raises `TokenUnknown` like `revoke_own`.
        """
        read = read_token_id(named.strip())
        wanted = read.hex if read else named.strip().lower()
        for token in await self.of_person(actor, place):
            if wanted in {token.short_id, token.id.hex}:
                await self.revoke_own(actor, place, token.id)
                return token
        raise TokenUnknown

    async def any_usable(self) -> bool:
        """Say whether there is a token that lets anyone in."""
        async with self._store.read() as unit:
            return await unit.tokens.any_usable(self._clock.now())

    async def _revoke(self, token_id: TokenId, owner: DiscordUserId | None) -> None:
        async with self._store.write() as unit:
            if not await unit.tokens.revoke(token_id, self._clock.now(), owner):
                raise TokenUnknown
        for hashed, (token, _) in tuple(self._checked.items()):
            if token.id == token_id:
                del self._checked[hashed]

    def _owner(self, actor: Actor, place: Place) -> DiscordUserId:
        self._gate.check(actor, place, None, Purpose.OWN_DATA)
        if actor.discord_id is None:
            raise NotAllowed  # a token never makes another one
        return actor.discord_id

    async def _store_new(self, token: ApiToken) -> NewToken:
        text = token_text(token.id, os.urandom(SECRET_BYTES))
        stored = StoredToken(token=token, hash=self._store.fingerprints.of_token(text))
        async with self._store.write() as unit:
            await unit.tokens.add(stored)
        return NewToken(token=token, text=text)

    def _remembered(self, hashed: str) -> ApiToken | None:
        token, until = self._checked.get(hashed, (None, 0.0))
        return token if self._clock.monotonic() < until else None

    async def _checked_anew(self, token_id: TokenId, hashed: str) -> ApiToken:
        asked_at = self._clock.monotonic()
        async with self._store.read() as unit:
            stored = await unit.tokens.find(token_id)
        # compared in any case, so that an unknown id takes as long as a wrong secret
        same = hmac.compare_digest(hashed, stored.hash if stored else _NO_HASH)
        if stored is None or not same:
            raise TokenRejected
        self._checked[hashed] = (stored.token, asked_at + REMEMBERED_S)
        self._checked.move_to_end(hashed)
        if len(self._checked) > MOST_REMEMBERED:
            self._checked.popitem(last=False)
        return stored.token


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise OptionOutOfRange(option="name", minimum=1, maximum=LONGEST_NAME)
    return name
