"""Keyed hashes of keys and people.

They are derived from the database's own index secret and not from the ring: they
must stay the same when a ring key is added, rotated away and dropped.
"""

from __future__ import annotations

import hmac
from typing import Final

from companion.db.keyring import derive
from companion.db.sealed import Purpose
from companion.domain.actor import PersonId
from companion.domain.models import KeyFingerprint
from companion.domain.secrets import Secret

SHOWN: Final = 32
"""Hexadecimal characters kept of a hash: 128 bits."""


class RingFingerprints:
    """The `Fingerprints` of one database."""

    __slots__ = ("_key_hash", "_person_hash", "_request_hash", "_token_hash")

    def __init__(self, index_secret: bytes) -> None:
        self._key_hash = derive(index_secret, Purpose.FINGERPRINT)
        self._person_hash = derive(index_secret, Purpose.SAFETY_ID)
        self._token_hash = derive(index_secret, Purpose.API_TOKEN)
        self._request_hash = derive(index_secret, Purpose.REQUEST)

    def of_key(self, key: Secret) -> KeyFingerprint:
        """Return the fingerprint of a provider key."""
        typed = key.reveal().encode("utf-8", "surrogatepass")
        return KeyFingerprint(_hash(self._key_hash, typed))

    def safety_id(self, person: PersonId) -> str:
        """Return the 32-character id of a person that providers may see."""
        return _hash(self._person_hash, person.bytes)

    def of_token(self, text: Secret) -> str:
        """Return the keyed hash of a token's whole text: 64 hexadecimal characters."""
        typed = text.reveal().encode("utf-8", "surrogatepass")
        return hmac.digest(self._token_hash, typed, "sha256").hex()

    def of_request(self, data: bytes) -> str:
        """Return the keyed hash of what a client sent: 64 hexadecimal characters."""
        return hmac.digest(self._request_hash, data, "sha256").hex()

    def __repr__(self) -> str:
        return "RingFingerprints(…)"


def _hash(key: bytes, data: bytes) -> str:
    return hmac.digest(key, data, "sha256").hex()[:SHOWN]
