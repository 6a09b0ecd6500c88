"""Giving up a client that takes nothing of a long answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from starlette.types import Send

STALLED_S: Final = 60.0
"""How long a client may take no bytes while more wait for it."""
SendPart = Callable[[bytes], Awaitable[None]]


@asynccontextmanager
async def parts_for(send: Send, *, stalled_s: float = STALLED_S) -> AsyncGenerator[SendPart]:
    """Lend what sends a part of a body; the work inside is cancelled when one is not taken.

    One timer does for all parts: one for each takes a tenth of what an event costs.
    """
    loop = asyncio.get_running_loop()
    patience = asyncio.timeout(None)
    since: float | None = None
    timer: asyncio.TimerHandle | None = None

    async def send_part(data: bytes) -> None:
        nonlocal since, timer
        since = loop.time()
        if timer is None:
            timer = loop.call_at(since + stalled_s, look)
        await send({"type": "http.response.body", "body": data, "more_body": True})
        since = None

    def look() -> None:
        nonlocal timer
        timer = None
        if since is None:
            return
        if loop.time() < since + stalled_s:
            timer = loop.call_at(since + stalled_s, look)
        else:
            patience.reschedule(loop.time())

    try:
        async with patience:
            yield send_part
    except TimeoutError:
        if not patience.expired():
            raise
        raise asyncio.CancelledError from None
    finally:
        if timer is not None:
            timer.cancel()
