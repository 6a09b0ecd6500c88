"""A string that does not show itself."""

from __future__ import annotations

import hmac
from typing import Final, NoReturn

LAST_SHOWN: Final = 4
"""How many trailing characters of a key a person may see again."""


class Secret:
    """Hold a secret so that no `repr`, log line, traceback or pickle shows it.

    Reading it is an explicit, greppable call: `reveal()`.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    def hint(self) -> str:
        """Return `…abcd`, the most of it that may be shown to its owner."""
        return f"…{self._value[-LAST_SHOWN:]}" if len(self._value) > 2 * LAST_SHOWN else "…"

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    __hash__ = None  # type: ignore[assignment]  # a secret is not a dictionary key

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled")
