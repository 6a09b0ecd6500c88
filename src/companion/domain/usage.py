"""What a call used and what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

Micros = NewType("Micros", int)
"""Micro-dollars: 1 USD is 1,000,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Token counts of one call; `estimated` when the provider did not report them."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    estimated: bool = False

    @property
    def total_tokens(self) -> int:
        """Prompt and completion together (reasoning is part of the completion)."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUse:
    """What requests to one model took together.

    `estimated` of them are counted by estimate, `unpriced` of them have no known price.
    """

    model: str
    requests: int
    tokens: int
    cost_micros: Micros
    estimated: int = 0
    unpriced: int = 0
