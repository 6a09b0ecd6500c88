"""When the next edit of a reply may go out. One per process, shared by all replies."""

from __future__ import annotations

from companion.ports.clock import Clock


class OutputPacing:
    """Decides how often each running reply may be edited."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
