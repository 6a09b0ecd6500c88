"""What can go wrong with the HTTP API's tokens and keys; part of the tree in `errors`.

InvalidInput  TooManyTokens KeyReused
NotAllowed    TokenRejected ScopeMissing
TryLater      RequestRunning
Gone          TokenUnknown
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from companion.domain.errors import Gone, InvalidInput, NotAllowed, TryLater


@dataclass(kw_only=True, eq=False)
class TooManyTokens(InvalidInput):
    """This person has as many tokens in use as one may have."""

    limit: int


class KeyReused(InvalidInput):
    """An idempotency key that came before, with another request."""


class TokenRejected(NotAllowed):
    """No token of the HTTP API, or an unknown, expired or revoked one; which is not told."""

    rule: ClassVar[str] = "token"


@dataclass(kw_only=True, eq=False)
class ScopeMissing(NotAllowed):
    """The token is good, but not made for this."""

    rule: ClassVar[str] = "scope"
    scope: str


class RequestRunning(TryLater):
    """A request with the same idempotency key is being answered right now."""


class TokenUnknown(Gone):
    """There is no such token in use, or it is someone else's."""
