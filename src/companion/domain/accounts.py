"""Provider keys that people and servers leave with us."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType
from uuid import UUID

from companion.domain.actor import GuildId, PersonId
from companion.domain.models import KeyFingerprint, ModelId
from companion.domain.money import NO_CAPS, Caps

KeyId = NewType("KeyId", UUID)


class KeepFor(StrEnum):
    """How long a person lets us keep a key; `SESSION` lives in memory, never on disk."""

    SESSION = "session"
    DAY = "day"
    MONTH = "month"
    UNTIL_REMOVED = "until_removed"

    @property
    def lifetime(self) -> timedelta | None:
        """Return how long, or `None` when no date ends it."""
        return {KeepFor.DAY: timedelta(hours=24), KeepFor.MONTH: timedelta(days=30)}.get(self)


class KeyState(StrEnum):
    """What is known of a stored key."""

    GOOD = "good"
    UNCHECKED = "unchecked"
    RESTRICTED = "restricted"
    NO_CREDIT = "no_credit"
    REJECTED = "rejected"


class KeyScope(StrEnum):
    """Whom a key is for."""

    ME = "me"
    SERVER = "server"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOwner:
    """The owner of a stored key: exactly one of a person and a server."""

    person_id: PersonId | None = None
    guild_id: GuildId | None = None

    def __post_init__(self) -> None:
        if (self.person_id is None) == (self.guild_id is None):
            raise ValueError("a key has exactly one owner")

    def as_text(self) -> str:
        """Return the form that is bound into the ciphertext and indexed."""
        return f"person:{self.person_id.hex}" if self.person_id else f"guild:{self.guild_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """A stored key without the key. `hint` is `…abcd`. `version` grows with every write."""

    id: KeyId
    owner: KeyOwner
    base_url: str
    hint: str
    fingerprint: KeyFingerprint
    state: KeyState
    keep_for: KeepFor
    saved_at: datetime
    expires_at: datetime | None
    no_credit_until: datetime | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What a person or a server chose; `None` means the next wider choice applies.

    `caps` are a server's: what may be spent of its own key.
    """

    default_model: ModelId | None = None
    persona: str | None = None
    caps: Caps = NO_CAPS
