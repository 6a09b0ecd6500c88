"""The ring of encryption keys: the first one encrypts, all of them decrypt.

AES-256-GCM with a random 96-bit nonce. Every purpose has its own key, derived by
HKDF-SHA256, so a value sealed for one purpose does not open for another. A ring is
written `k2:<base64 of 32 bytes>,k1:<…>`; new keys go in front.
"""

from __future__ import annotations

import os
from base64 import b64encode, urlsafe_b64encode
from binascii import a2b_base64
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from companion.db.ring_file import read_or_write
from companion.db.ring_text import KEY_BYTES, parse_ring
from companion.db.sealed import Binding, Purpose, Sealed, sealed_under
from companion.domain.errors import Tampered, UnknownKeyId

NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
_STANDARD: Final = bytes.maketrans(b"-_+/", b"+/..")  # only the URL-safe alphabet is ours


def derive(secret: bytes, purpose: Purpose) -> bytes:
    """Return the key of one purpose, from 32 bytes that serve all of them."""
    info = f"companion/{purpose}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(secret)


class KeyRing:
    """Seals and opens values. Nothing of it shows in a `repr`."""

    __slots__ = ("_ciphers", "_keys")

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """Take the keys in order, the encrypting one first; at least one, 32 bytes each."""
        self._keys = dict(keys)
        self._ciphers: dict[tuple[str, Purpose], AESGCM] = {}

    @classmethod
    def parse(cls, text: str) -> KeyRing:
        """Read a ring. Raises `ConfigurationError` when it is misformed or guessable."""
        return cls(parse_ring(text))

    @classmethod
    def load_or_create(cls, path: Path) -> KeyRing:
        """Read the ring in a file, writing a new one (mode 0600) where there is no file.

        Raises `ConfigurationError` when the file cannot be used.
        """
        return cls.parse(read_or_write(path, cls.new_entry()))

    @staticmethod
    def new_entry(key_id: str = "k1") -> str:
        """Return a fresh random key as an entry of a ring: `k1:<base64>`."""
        return f"{key_id}:{b64encode(os.urandom(KEY_BYTES)).decode()}"

    @property
    def ids(self) -> tuple[str, ...]:
        """Return all key ids, the encrypting one first."""
        return tuple(self._keys)

    @property
    def primary(self) -> str:
        """Return the id of the encrypting key."""
        return self.ids[0]

    def seal(self, purpose: Purpose, plaintext: str, binding: Binding) -> Sealed:
        """Encrypt a text for one purpose and one place, under the first key."""
        nonce = os.urandom(NONCE_BYTES)
        # lone surrogates reach us from JSON; a text must come back as it was
        data = plaintext.encode("utf-8", "surrogatepass")
        cipher = self._cipher(self.primary, purpose)
        payload = nonce + cipher.encrypt(nonce, data, binding.as_bytes(purpose))
        return Sealed(sealed_under(self.primary) + _encode(payload))

    def open(self, purpose: Purpose, sealed: Sealed, binding: Binding) -> str:
        """Decrypt a value. Raises `UnknownKeyId` or `Tampered`; never returns anything else."""
        key_id, text = sealed.parts()
        if key_id not in self._keys:
            raise UnknownKeyId(key_id=key_id)
        payload = _decode(text)
        nonce, rest = payload[:NONCE_BYTES], payload[NONCE_BYTES:]
        try:
            data = self._cipher(key_id, purpose).decrypt(nonce, rest, binding.as_bytes(purpose))
        except InvalidTag as error:
            raise Tampered from error
        return data.decode("utf-8", "surrogatepass")

    def is_current(self, sealed: Sealed) -> bool:
        """Return whether the value is sealed under the first key."""
        return sealed.text.startswith(sealed_under(self.primary))

    def _cipher(self, key_id: str, purpose: Purpose) -> AESGCM:
        cipher = self._ciphers.get((key_id, purpose))
        if cipher is None:
            cipher = AESGCM(derive(self._keys[key_id], purpose))
            self._ciphers[key_id, purpose] = cipher
        return cipher

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self.ids)})"


def _encode(payload: bytes) -> str:
    return urlsafe_b64encode(payload).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        standard = text.encode("ascii").translate(_STANDARD) + b"=" * (-len(text) % 4)
        payload = a2b_base64(standard, strict_mode=True)
    except ValueError as error:
        raise Tampered from error
    # the last character may have unused bits: only one spelling of a value is accepted
    odd = len(payload) % 3
    respelled = odd and not text.endswith(_encode(payload[-odd:]))
    if respelled or len(payload) < NONCE_BYTES + TAG_BYTES:
        raise Tampered
    return payload
