"""Models one can choose, and whose key pays for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NewType

from companion.domain.secrets import Secret

ModelId = NewType("ModelId", str)
KeyFingerprint = NewType("KeyFingerprint", str)
"""Keyed hash of a provider key: the same key gives the same value, the value gives no key."""


class Payer(StrEnum):
    """Whose key pays."""

    PERSON = "person"
    SERVER = "server"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A key, bound to the one endpoint it may be sent to."""

    key: Secret
    base_url: str
    fingerprint: KeyFingerprint
    payer: Payer


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model of a provider. `ends_on` is the provider's announced shutdown date."""

    id: ModelId
    ends_on: date | None = None
    context_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The chat models one key may use.

    `complete` is false when the key may not list models and this is a built-in
    list: a name that is not in it may still work.
    """

    models: tuple[Model, ...]
    complete: bool

    def find(self, model_id: str) -> Model | None:
        """Return the model of that id, or nothing."""
        return next((model for model in self.models if model.id == model_id), None)
