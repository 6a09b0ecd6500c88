"""Waiting for what nobody announces: what the other side of a socket saw, say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], object], within_s: float = 5.0) -> None:
    """Look every few milliseconds whether something has happened."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  there is no event for it
            await asyncio.sleep(0.01)
