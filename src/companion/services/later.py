"""Writing what the database did not take: again, a few times, each later than the one before."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from companion.domain.errors import StorageError
from companion.ports.clock import Clock

AGAIN_AFTER_S: Final = (1.0, 5.0, 30.0, 120.0)
_log = logging.getLogger(__name__)


async def written_later(write: Callable[[], Awaitable[object]], clock: Clock, event: str) -> bool:
    """Say whether `write` succeeded in the end; each failure is logged as `event`."""
    for pause_s in AGAIN_AFTER_S:
        await clock.sleep(pause_s)
        try:
            await write()
        except StorageError as error:
            _log.warning(event, extra={"reason": error.code})
        else:
            return True
    return False
