"""Provider keys, sealed for their owner and their endpoint."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Row, bindparam, delete, or_, select, update

from companion.db.fingerprints import RingFingerprints
from companion.db.keyring import KeyRing
from companion.db.rows import ProviderKeyRow
from companion.db.sealed import Purpose
from companion.db.statements import Insert, Statements
from companion.domain.accounts import KeepFor, KeyId, KeyOwner, KeyState, StoredKey
from companion.domain.errors import KeyMissing
from companion.domain.models import Credential, KeyFingerprint, Payer
from companion.domain.secrets import Secret

_TABLE: Final = ProviderKeyRow.metadata.tables[ProviderKeyRow.__tablename__]
_BY_ID: Final = select(_TABLE).where(_TABLE.c.id == bindparam("key"))
_UNEXPIRED: Final = select(_TABLE).where(
    _TABLE.c.owner == bindparam("whose"),
    or_(_TABLE.c.expires_at.is_(None), _TABLE.c.expires_at > bindparam("now")),
)


class SqlKeys:
    """One key per owner."""

    def __init__(
        self,
        run: Statements,
        ring: KeyRing,
        fingerprints: RingFingerprints,
        now: Callable[[], datetime],
    ) -> None:
        self._run = run
        self._ring = ring
        self._fingerprints = fingerprints
        self._now = now

    async def find(self, owner: KeyOwner) -> StoredKey | None:
        """Return what is stored for that owner, without the key; expired keys are not there."""
        values = {"whose": owner.as_text(), "now": self._now()}
        row = (await self._run.quick(_UNEXPIRED, values)).first()
        return None if row is None else _stored(row, owner)

    async def reveal(self, stored: StoredKey, payer: Payer) -> Credential:
        """Decrypt a stored key, for the owner it was found for and the endpoint in its row.

        Raises `SealError` when it does not open, `KeyMissing` when it was removed or
        replaced since it was found.
        """
        row = (await self._run.quick(_BY_ID, {"key": stored.id})).first()
        if row is None:
            raise KeyMissing
        place = ProviderKeyRow.place(row.id, stored.owner.as_text(), row.base_url)
        key = self._ring.open(Purpose.USER_API_KEY, row.sealed_key, place)
        return Credential(
            key=Secret(key),
            base_url=row.base_url,
            fingerprint=KeyFingerprint(row.fingerprint),
            payer=payer,
        )

    async def save(
        self,
        owner: KeyOwner,
        key: Secret,
        *,
        base_url: str,
        state: KeyState,
        keep_for: KeepFor,
        now: datetime,
    ) -> StoredKey:
        """Store the owner's key, sealed for this owner and endpoint, replacing any older one."""
        if keep_for is KeepFor.SESSION:
            raise ValueError("a session's key is never written down")
        # a new id each time: what was sealed for the old row opens in no other
        key_id = uuid4()
        place = ProviderKeyRow.place(key_id, owner.as_text(), base_url)
        lifetime = keep_for.lifetime
        insert = self._run.insert(ProviderKeyRow).values(
            id=key_id,
            owner=owner.as_text(),
            person_id=owner.person_id,
            guild_id=owner.guild_id,
            base_url=base_url,
            sealed_key=self._ring.seal(Purpose.USER_API_KEY, key.reveal(), place),
            hint=key.hint(),
            fingerprint=self._fingerprints.of_key(key),
            state=state,
            keep_for=keep_for,
            saved_at=now,
            expires_at=None if lifetime is None else now + lifetime,
            no_credit_until=None,
            version=1,
        )
        row = await self._run.one(_replacing(insert).returning(ProviderKeyRow))
        assert row is not None
        return _stored(row, owner)

    async def mark(
        self, stored: StoredKey, state: KeyState, *, no_credit_until: datetime | None = None
    ) -> bool:
        """Note what was learned of a key; false when it was replaced meanwhile (by `version`)."""
        unchanged = (ProviderKeyRow.id == stored.id, ProviderKeyRow.version == stored.version)
        change = update(ProviderKeyRow).where(*unchanged)
        marked = await self._run.run(
            change.values(
                state=state, no_credit_until=no_credit_until, version=ProviderKeyRow.version + 1
            )
        )
        return marked > 0

    async def remove(self, owner: KeyOwner) -> bool:
        """Delete the owner's key; false when there was none."""
        gone = delete(ProviderKeyRow).where(ProviderKeyRow.owner == owner.as_text())
        return await self._run.run(gone) > 0

    async def remove_expired(self, now: datetime) -> int:
        """Delete all keys past their date; return how many."""
        return await self._run.run(delete(ProviderKeyRow).where(ProviderKeyRow.expires_at <= now))


def _replacing(insert: Insert) -> Insert:
    """Let the insert take the place of the owner's older key; its version counts on."""
    values = {
        column.key: insert.excluded[column.key]
        for column in ProviderKeyRow.__table__.columns
        if column.key not in {"owner", "version"}
    }
    return insert.on_conflict_do_update(
        index_elements=[ProviderKeyRow.owner],
        set_={**values, "version": ProviderKeyRow.version + 1},
    )


def _stored(row: ProviderKeyRow | Row[Any], owner: KeyOwner) -> StoredKey:
    return StoredKey(
        id=KeyId(row.id),
        owner=owner,
        base_url=row.base_url,
        hint=row.hint,
        fingerprint=KeyFingerprint(row.fingerprint),
        state=row.state,
        keep_for=row.keep_for,
        saved_at=row.saved_at,
        expires_at=row.expires_at,
        no_credit_until=row.no_credit_until,
        version=row.version,
    )
