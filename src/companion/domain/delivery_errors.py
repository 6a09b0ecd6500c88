"""What goes wrong on an answer's way to who asked; the tree continues that of `domain.errors`.

TryLater  Restarted
"""

from __future__ import annotations

from companion.domain.errors import TryLater


class Restarted(TryLater):
    """The process that had taken this on ended before there was anything of an answer."""
