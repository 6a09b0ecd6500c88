"""What goes wrong around waiting for a turn; the tree continues that of `domain.errors`.

TryLater      Overloaded
KeyUnavailable  PayerChanged
"""

from __future__ import annotations

from dataclasses import dataclass

from companion.domain.errors import KeyUnavailable, TryLater


@dataclass(kw_only=True, eq=False)
class Overloaded(TryLater):
    """The wait for a turn would be too long: `retry_after_s` is how long.

    `scope` is what is crowded: `user`, `guild`, `key` or `process`; at most `limit`
    replies run there at once.
    """

    scope: str
    limit: int


class PayerChanged(KeyUnavailable):
    """Another key would pay now than when this was asked: whoever waited is to ask again."""
