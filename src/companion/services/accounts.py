"""Keys of people and servers: saving, looking at and removing them."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

from companion.domain.accounts import KeepFor, KeyOwner, KeyScope, KeyState, StoredKey
from companion.domain.actor import Actor, PersonId, Place
from companion.domain.errors import (
    CredentialRejected,
    CredentialRestricted,
    CreditExhausted,
    ProviderError,
)
from companion.domain.models import Credential, Payer
from companion.domain.server_errors import NotInServer
from companion.ports.clock import Clock
from companion.ports.llm import ChatProvider
from companion.ports.store import Store, UnitOfWork
from companion.services import key_intake
from companion.services.access import AccessGate, Purpose
from companion.services.models import ModelsService
from companion.services.payer_memory import PayerMemory
from companion.services.payers import NO_CREDIT_PAUSE
from companion.services.policy import ServicePolicy
from companion.services.session_keys import SessionKeys

CHECK_S: Final = 15.0
"""How long a person waits for the provider's word on a key before it is saved unchecked."""


class AccountsService:
    """Provider keys."""

    def __init__(
        self,
        *,
        store: Store,
        provider: ChatProvider,
        session_keys: SessionKeys,
        models: ModelsService,
        payer_memory: PayerMemory,
        gate: AccessGate,
        clock: Clock,
        policy: ServicePolicy,
    ) -> None:
        self._store = store
        self._provider = provider
        self._session_keys = session_keys
        self._models = models
        self._payer_memory = payer_memory
        self._gate = gate
        self._clock = clock
        self._policy = policy

    async def save_key(
        self, actor: Actor, place: Place, *, scope: KeyScope, typed: str, keep_for: KeepFor
    ) -> StoredKey:
        """Check a key with the provider and save it in place of any older one.

        Asks the provider, so acknowledge first. When the provider cannot be asked the
        key is saved as `UNCHECKED`. Raises `KeyEmpty`, `KeyMalformed`, `ManagerOnly`,
        `NotInServer`, or `CredentialRejected`; then nothing is saved and an older key stays.
        """
        self._gate.check(actor, place, None, Purpose.of_key(scope))
        if scope is KeyScope.SERVER and place.server is None:
            raise NotInServer  # it would never pay: see `Payers`
        key = key_intake.clean(typed)
        credential = Credential(
            key=key,
            base_url=self._policy.base_url,
            fingerprint=self._store.fingerprints.of_key(key),
            payer=Payer.PERSON if scope is KeyScope.ME else Payer.SERVER,
        )
        state = await self._checked(credential)
        saved = await self._save(actor, place, scope, credential, state=state, keep_for=keep_for)
        self._models.refresh(actor, place, credential)
        self._payer_memory.forget(actor)
        return saved

    async def status(self, actor: Actor, place: Place, scope: KeyScope) -> StoredKey | None:
        """Return what is stored, without the key; raises `ManagerOnly`. Asks no provider."""
        self._gate.check(actor, place, None, Purpose.of_key(scope))
        async with self._store.read() as unit:
            owner = await _known_owner(unit, actor, place, scope)
            if owner is None:
                return None
            return self._session_keys.find(owner) or await unit.keys.find(owner)

    async def is_provided_for(self, actor: Actor, place: Place) -> bool:
        """Say whether someone else's key pays for this person here while they have none."""
        if self._policy.pays_for(actor, place):
            return True
        if place.guild_id is None:
            return False
        async with self._store.read() as unit:
            owner = KeyOwner(guild_id=place.guild_id)
            return bool(self._session_keys.find(owner) or await unit.keys.find(owner))

    async def remove_key(self, actor: Actor, place: Place, scope: KeyScope) -> bool:
        """Remove the key; false when there was none. Raises `ManagerOnly`. Asks no provider."""
        self._gate.check(actor, place, None, Purpose.of_key(scope))
        async with self._store.write() as unit:
            owner = await _known_owner(unit, actor, place, scope)
            if owner is None:
                return False
            held = self._session_keys.remove(owner)
            stored = await unit.keys.remove(owner)
        self._models.forget(actor, place)
        self._payer_memory.forget(actor)
        return held or stored

    async def _checked(self, credential: Credential) -> KeyState:
        """Return what the provider says of a key; raises `CredentialRejected`."""
        try:
            async with asyncio.timeout(CHECK_S):
                await self._provider.check_key(credential)
        except CredentialRejected:
            raise
        except CredentialRestricted:
            return KeyState.RESTRICTED
        except CreditExhausted:
            return KeyState.NO_CREDIT
        except (ProviderError, TimeoutError):
            return KeyState.UNCHECKED
        return KeyState.GOOD

    async def _save(
        self,
        actor: Actor,
        place: Place,
        scope: KeyScope,
        credential: Credential,
        *,
        state: KeyState,
        keep_for: KeepFor,
    ) -> StoredKey:
        async with self._store.write() as unit:
            owner = _owner(await unit.people.ensure(actor), place, scope)
            if keep_for is KeepFor.SESSION:
                stored = None
                await unit.keys.remove(owner)
            else:
                stored = await self._write(unit, owner, credential, state, keep_for)
        # memory changes only once the database has
        if stored is None:
            return self._hold(owner, credential, state)
        self._session_keys.remove(owner)
        return stored

    def _hold(self, owner: KeyOwner, credential: Credential, state: KeyState) -> StoredKey:
        return self._session_keys.hold(
            owner,
            credential,
            state=state,
            now=self._clock.now(),
            no_credit_until=self._no_credit_until(state),
        )

    async def _write(
        self,
        unit: UnitOfWork,
        owner: KeyOwner,
        credential: Credential,
        state: KeyState,
        keep_for: KeepFor,
    ) -> StoredKey:
        stored = await unit.keys.save(
            owner,
            credential.key,
            base_url=credential.base_url,
            state=state,
            keep_for=keep_for,
            now=self._clock.now(),
        )
        until = self._no_credit_until(state)
        if until is None:
            return stored
        await unit.keys.mark(stored, state, no_credit_until=until)
        return await unit.keys.find(owner) or stored

    def _no_credit_until(self, state: KeyState) -> datetime | None:
        return self._clock.now() + NO_CREDIT_PAUSE if state is KeyState.NO_CREDIT else None


def _owner(person: PersonId, place: Place, scope: KeyScope) -> KeyOwner:
    if scope is KeyScope.ME:
        return KeyOwner(person_id=person)
    return KeyOwner(guild_id=place.guild_id)


async def _known_owner(
    unit: UnitOfWork, actor: Actor, place: Place, scope: KeyScope
) -> KeyOwner | None:
    """Return whose key it is, or `None` for a person we never met."""
    if scope is KeyScope.SERVER:
        return KeyOwner(guild_id=place.guild_id)
    person = await unit.people.find(actor)
    return None if person is None else KeyOwner(person_id=person)
