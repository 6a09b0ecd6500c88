"""What a door handed in, checked: it may come from anyone, whatever the client offered."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from typing import Final

from companion.domain.errors import OptionOutOfRange, PromptEmpty, PromptTooLong

PROMPT_LIMIT: Final = 6000
"""Characters of a prompt; Discord allows as many in a string option."""

HOTTEST: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of a request, within their ranges; `None` leaves it to the model."""

    temperature: float | None = None
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        """Raise `OptionOutOfRange`."""
        heat = self.temperature
        if heat is not None and not (math.isfinite(heat) and 0 <= heat <= HOTTEST):
            raise OptionOutOfRange(option="temperature", minimum=0, maximum=HOTTEST)
        if self.max_tokens is not None and self.max_tokens < 1:
            raise OptionOutOfRange(option="max_tokens", minimum=1, maximum=None)


def checked_prompt(typed: str) -> str:
    """Return the prompt without blanks around it; raises `PromptEmpty` or `PromptTooLong`."""
    prompt = well_formed(typed).strip()
    if all(unicodedata.category(char) in {"Cf", "Cc", "Zs"} for char in prompt):
        raise PromptEmpty
    if len(prompt) > PROMPT_LIMIT:
        raise PromptTooLong(length=len(prompt), limit=PROMPT_LIMIT)
    return prompt


def well_formed(text: str) -> str:
    """Replace lone surrogates, which JSON can carry and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode("utf-8")
