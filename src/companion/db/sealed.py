"""What a sealed value is: its purpose, the place it is bound to, and its text.

A `Sealed` never decrypts itself and never shows itself; opening one is an explicit
call on the key ring, with the very place the value was read from. A value that
was moved to another row, owner or endpoint therefore does not open.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from companion.domain.errors import Tampered

FORMAT: Final = "c1"
"""Version of the form `c1.<key id>.<base64url(nonce‖ciphertext‖tag)>`."""


class Purpose(StrEnum):
    """What a derived key is for. Each has its own key, so one never opens another's values."""

    USER_API_KEY = "user-api-key"
    CONTENT = "content"
    INTERACTION_TOKEN = "interaction-token"  # noqa: S105 - a name
    API_TOKEN = "api-token"  # noqa: S105 - a name
    SAFETY_ID = "safety-id"
    FINGERPRINT = "fingerprint"
    REQUEST = "request"
    INDEX_SECRET = "index-secret"  # noqa: S105 - a name
    CANARY = "canary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """The place a sealed value belongs to; all of it is authenticated with the value.

    `owner` is whoever the row is about, `base_url` the one endpoint a key may go to.
    """

    table: str
    row_id: str
    column: str
    owner: str = ""
    base_url: str = ""

    def as_bytes(self, purpose: Purpose) -> bytes:
        """Return the associated data; lengths go first, so no two places share one form."""
        parts = (FORMAT, purpose, self.table, self.row_id, self.column, self.owner, self.base_url)
        return "".join([f"{len(part)}:{part}" for part in parts]).encode("utf-8", "surrogatepass")


class Sealed:
    """An encrypted value as the database holds it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    @property
    def text(self) -> str:
        """Return the stored form."""
        return self._text

    @property
    def key_id(self) -> str:
        """Return the id of the ring key it was sealed under. Raises `Tampered`."""
        return self.parts()[0]

    def parts(self) -> tuple[str, str]:
        """Return key id and payload. Raises `Tampered` when the form is none of ours."""
        match self._text.split("."):
            case [version, key_id, payload] if version == FORMAT and key_id and payload:
                return key_id, payload
            case _:
                raise Tampered

    def __repr__(self) -> str:
        return "Sealed(…)"

    __str__ = __repr__


def sealed_under(key_id: str) -> str:
    """Return how the text of every value sealed under that key begins."""
    return f"{FORMAT}.{key_id}."
