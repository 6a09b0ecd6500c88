"""Whose key pays: the person's, else the server's, else the operator's.

A key that is there but cannot be used (refused, out of credit, unreadable) ends the
search with an error that says so. The next payer never steps in silently.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from companion.domain.accounts import KeyOwner, KeyState, StoredKey
from companion.domain.actor import Actor, PersonId, Place
from companion.domain.errors import (
    CompanionError,
    CredentialRejected,
    CreditExhausted,
    KeyMissing,
    KeyOutOfCredit,
    KeyRejected,
    KeyUnreadable,
    OperatorKeyNotForYou,
    SealError,
)
from companion.domain.models import Credential, Payer
from companion.domain.money import NO_CAPS, Caps
from companion.ports.clock import Clock
from companion.ports.store import UnitOfWork
from companion.services.access import may_manage
from companion.services.policy import ServicePolicy
from companion.services.session_keys import SessionKeys

NO_CREDIT_PAUSE: Final = timedelta(minutes=10)
"""How long a key without credit is not tried again."""

_UNSHOWN: Final = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paying:
    """The key that pays; `stored` is `None` for the operator's, which is not ours to keep.

    `caps` are what its owner lets others spend of it.
    """

    credential: Credential
    stored: StoredKey | None
    caps: Caps = NO_CAPS


class Payers:
    """Finds the key that pays, and remembers what the provider said of it."""

    def __init__(self, *, policy: ServicePolicy, session_keys: SessionKeys, clock: Clock) -> None:
        self._policy = policy
        self._session_keys = session_keys
        self._clock = clock
        self._operator_pause: datetime | None = None

    async def choose(
        self, unit: UnitOfWork, actor: Actor, place: Place, person: PersonId | None
    ) -> Paying:
        """Return the key that pays for this person here, and its caps.

        Raises a `KeyUnavailable`, or `OperatorKeyNotForYou`.
        """
        if person is not None:
            owner = KeyOwner(person_id=person)
            if found := await self._stored(unit, owner, Payer.PERSON, shows_hint=True):
                return found
        if (server := place.server) is not None:
            owner, manages = KeyOwner(guild_id=server), may_manage(actor, server)
            if found := await self._stored(unit, owner, Payer.SERVER, shows_hint=manages):
                of_server = await unit.preferences.of_guild(server)
                return replace(found, caps=of_server.caps)
        return self._operator(actor, place)

    async def learn(self, unit: UnitOfWork, paying: Paying, error: CompanionError | None) -> None:
        """Note what an answer of the provider (`error`, or success) says of the key."""
        stored = paying.stored
        until = self._clock.now() + NO_CREDIT_PAUSE
        if stored is None:
            if isinstance(error, CreditExhausted):
                self._operator_pause = until
        elif isinstance(error, CredentialRejected):
            await self._mark(unit, stored, KeyState.REJECTED)
        elif isinstance(error, CreditExhausted):
            await self._mark(unit, stored, KeyState.NO_CREDIT, until)
        elif error is None and stored.state in {KeyState.UNCHECKED, KeyState.NO_CREDIT}:
            await self._mark(unit, stored, KeyState.GOOD)

    async def _stored(
        self, unit: UnitOfWork, owner: KeyOwner, payer: Payer, *, shows_hint: bool
    ) -> Paying | None:
        session = self._session_keys.find(owner)
        stored = session or await unit.keys.find(owner)
        if stored is None:
            return None
        self._check(stored, stored.hint if shows_hint else _UNSHOWN)
        if session:
            return Paying(credential=self._session_keys.reveal(session, payer), stored=session)
        try:
            credential = await unit.keys.reveal(stored, payer)
        except SealError as error:
            raise KeyUnreadable from error
        return Paying(credential=credential, stored=stored)

    def _check(self, stored: StoredKey, hint: str) -> None:
        """Raise when this key must not be sent anywhere now."""
        if stored.base_url != self._policy.base_url:
            raise KeyUnreadable  # entered for another endpoint, and never sent to this one
        if stored.state is KeyState.REJECTED:
            raise KeyRejected(hint=hint)
        until = stored.no_credit_until
        if stored.state is KeyState.NO_CREDIT and until and self._clock.now() < until:
            raise KeyOutOfCredit(hint=hint, until=until)

    def _operator(self, actor: Actor, place: Place) -> Paying:
        credential, rule = self._policy.operator, self._policy.operator_key_for
        if credential is None or rule.nobody:
            raise KeyMissing(may_set_server_key=may_manage(actor, place.server))
        if not rule.allows(actor, place):
            raise OperatorKeyNotForYou
        if self._operator_pause and self._clock.now() < self._operator_pause:
            raise KeyOutOfCredit(hint=_UNSHOWN, until=self._operator_pause)
        return Paying(credential=credential, stored=None, caps=self._policy.caps)

    async def _mark(
        self, unit: UnitOfWork, stored: StoredKey, state: KeyState, until: datetime | None = None
    ) -> None:
        if not self._session_keys.mark(stored, state, no_credit_until=until):
            await unit.keys.mark(stored, state, no_credit_until=until)
