"""Tokens of the HTTP API: `cmp_<id>_<secret>`, for a person on Discord or for a program.

The id finds the row, the secret proves the right. Only a keyed hash of the whole text
is stored, so nobody who reads the database can use one.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from companion.domain.actor import Actor, DiscordUserId
from companion.domain.errors import NotYours
from companion.domain.secrets import Secret

TokenId = NewType("TokenId", UUID)

PREFIX: Final = "cmp"
SECRET_BYTES: Final = 32
LONGEST_TOKEN: Final = 200
LONGEST_USER_ID: Final = 128
SHORT_ID: Final = 8
RESERVED: Final = "token:"
"""How the ids of programs that speak for themselves begin; nobody may claim such an id."""


class TokenScope(StrEnum):
    """What a token may be used for."""

    CHAT = "chat"
    MODELS = "models"
    IMAGES = "images"
    AUDIO = "audio"


EVERY_SCOPE: Final = frozenset(TokenScope)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A token without its secret.

    It speaks for one Discord person, or for the listed `user_ids`, or (`act_as`) for
    any user of the HTTP API, and never for anyone on Discord besides its owner.
    """

    id: TokenId
    name: str
    discord_id: DiscordUserId | None = None
    user_ids: frozenset[str] = frozenset()
    act_as: bool = False
    scopes: frozenset[TokenScope] = EVERY_SCOPE
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def short_id(self) -> str:
        """The beginning of its id, enough to tell one's few tokens apart."""
        return self.id.hex[:SHORT_ID]

    def usable_at(self, now: datetime) -> bool:
        """Say whether it is neither revoked nor past its date."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def actor(self) -> Actor:
        """Return whoever it speaks for when a request names nobody."""
        if self.discord_id is not None:
            return Actor(name=self.name, discord_id=self.discord_id)
        if len(self.user_ids) == 1 and not self.act_as:
            (only,) = self.user_ids
            return Actor(name=only, http_id=only)
        return Actor(name=self.name, http_id=f"{RESERVED}{self.id.hex}")

    def actor_for(self, user_id: str) -> Actor:
        """Return the actor of that id; raises `NotYours`, whether or not somebody has it."""
        if self.discord_id is not None and user_id == str(self.discord_id):
            return self.actor()
        listed = user_id in self.user_ids or (self.act_as and not user_id.startswith(RESERVED))
        if self.discord_id is not None or not listed:
            raise NotYours
        return Actor(name=user_id, http_id=user_id)


def token_text(token_id: TokenId, secret: bytes) -> Secret:
    """Return the text that its owner keeps."""
    encoded = urlsafe_b64encode(secret).rstrip(b"=").decode()
    return Secret(f"{PREFIX}_{token_id.hex}_{encoded}")


def read_token_id(text: str) -> TokenId | None:
    """Return the id in a token's text; `None` when it is no token of ours."""
    prefix, _, rest = text.partition("_")
    found, _, secret = rest.partition("_")
    if prefix != PREFIX or not secret or len(text) > LONGEST_TOKEN:
        return None
    try:
        token_id = TokenId(UUID(hex=found))
    except ValueError:
        return None
    return token_id if token_id.hex == found else None  # one spelling only
