"""Credentials in a text that is about to be sent to a model provider.

Only what is one beyond doubt counts: a person who asks *about* keys gets an answer.
"""

from __future__ import annotations

import re
from typing import Final

from companion.domain.errors import SecretInPrompt

_API_KEY: Final = re.compile(r"(?<![\w-])sk-[A-Za-z0-9_-]{20,}")
_RUN: Final = re.compile(r"[A-Za-z0-9]{16,}")
_DISCORD_TOKEN: Final = re.compile(
    r"(?<![\w-])[MNO][A-Za-z0-9_-]{22,28}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,45}(?![\w-])"
)
_PRIVATE_KEY: Final = re.compile(
    # the header alone is what people ask about; the key's text follows it
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----\s.{0,400}?[A-Za-z0-9+/=]{16}",
    re.DOTALL,
)


def check(text: str) -> None:
    """Raise `SecretInPrompt` when the text holds a credential."""
    if any(_is_real(found) for found in _API_KEY.findall(text)):
        raise SecretInPrompt(kind="API key")
    if _DISCORD_TOKEN.search(text):
        raise SecretInPrompt(kind="Discord bot token")
    if _PRIVATE_KEY.search(text):
        raise SecretInPrompt(kind="private key")


def _is_real(candidate: str) -> bool:
    """Tell a key from a hyphenated name and from a placeholder such as `sk-xxxx…`."""
    runs = [run for run in _RUN.findall(candidate) if set(run.lower()) != {"x"}]
    mixed = any(c.isdigit() for c in candidate) and any(c.isupper() for c in candidate)
    return bool(runs) or mixed
