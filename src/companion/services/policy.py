"""What the operator decided; the services obey it and never change it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Self

from companion.domain.actor import Actor, Place
from companion.domain.models import Credential, ModelId
from companion.domain.money import NO_CAPS, Caps

_SNOWFLAKE = re.compile(r"\d{1,20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorKeyRule:
    """Who may spend the operator's key: everyone, or these users and everyone in these servers."""

    everyone: bool = False
    ids: frozenset[int] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `everyone`, `nobody`, or ids between commas or blanks; raises `ValueError`."""
        words = re.split(r"[\s,;]+", text.strip(" \t\n,;").lower())
        if words == ["everyone"]:
            return cls(everyone=True)
        if words == ["nobody"]:
            return cls()
        if not all(_SNOWFLAKE.fullmatch(word) for word in words):
            raise ValueError("neither everyone, nobody, nor a list of server and user ids")
        return cls(ids=frozenset(map(int, words)))

    @property
    def nobody(self) -> bool:
        """Whether nobody may spend it, so that there might as well be none."""
        return not self.everyone and not self.ids

    def allows(self, actor: Actor, place: Place) -> bool:
        """Say whether this person may spend it here."""
        return self.everyone or actor.discord_id in self.ids or place.guild_id in self.ids


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePolicy:
    """The operator's settings, as far as the services need them.

    `base_url` is the one endpoint that keys are entered for and sent to. With
    `retention_days` 0 no contents of requests are written at all. `caps` are on the operator's key.
    """

    base_url: str
    default_model: ModelId
    system_prompt: str
    operator: Credential | None = None
    operator_key_for: OperatorKeyRule = field(
        default_factory=lambda: OperatorKeyRule(everyone=True)
    )
    caps: Caps = NO_CAPS
    retention_days: int = 30

    def pays_for(self, actor: Actor, place: Place) -> bool:
        """Say whether the operator's key may be spent by this person here."""
        return self.operator is not None and self.operator_key_for.allows(actor, place)
