"""Keys that people lend us for this session: in this process's memory and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from companion.domain.accounts import KeepFor, KeyId, KeyOwner, KeyState, StoredKey
from companion.domain.models import Credential, Payer


@dataclass(frozen=True, slots=True)
class _Held:
    stored: StoredKey
    credential: Credential


class SessionKeys:
    """What `Keys` is for the database, for keys that must never reach one."""

    def __init__(self) -> None:
        self._held: dict[KeyOwner, _Held] = {}

    def find(self, owner: KeyOwner) -> StoredKey | None:
        """Return what is held for that owner, without the key."""
        held = self._held.get(owner)
        return held.stored if held else None

    def reveal(self, stored: StoredKey, payer: Payer) -> Credential:
        """Return the key itself; only for a key that `find` returned in the same step."""
        return replace(self._held[stored.owner].credential, payer=payer)

    def hold(
        self,
        owner: KeyOwner,
        credential: Credential,
        *,
        state: KeyState,
        now: datetime,
        no_credit_until: datetime | None,
    ) -> StoredKey:
        """Hold a key, replacing any older one."""
        older = self.find(owner)
        stored = StoredKey(
            id=KeyId(uuid4()),
            owner=owner,
            base_url=credential.base_url,
            hint=credential.key.hint(),
            fingerprint=credential.fingerprint,
            state=state,
            keep_for=KeepFor.SESSION,
            saved_at=now,
            expires_at=None,
            no_credit_until=no_credit_until,
            version=older.version + 1 if older else 1,
        )
        self._held[owner] = _Held(stored, credential)
        return stored

    def mark(
        self, stored: StoredKey, state: KeyState, *, no_credit_until: datetime | None = None
    ) -> bool:
        """Note what was learned of a key; false when it was replaced meanwhile."""
        held = self._held.get(stored.owner)
        if held is None or (held.stored.id, held.stored.version) != (stored.id, stored.version):
            return False
        marked = replace(
            held.stored, state=state, no_credit_until=no_credit_until, version=stored.version + 1
        )
        self._held[stored.owner] = _Held(marked, held.credential)
        return True

    def remove(self, owner: KeyOwner) -> bool:
        """Forget the owner's key; false when there was none."""
        return self._held.pop(owner, None) is not None
