"""What goes wrong around servers; the tree continues that of `domain.errors`.

NotAllowed  NotInServer
"""

from __future__ import annotations

from typing import ClassVar

from companion.domain.errors import NotAllowed


class NotInServer(NotAllowed):
    """The app is not a member of this server, or not any more."""

    rule: ClassVar[str] = "member"
