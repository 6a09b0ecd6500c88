"""Ending work that nobody waits for any more."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Final, TypeVar

from starlette.requests import Request

from companion.api.errors import Problem

T = TypeVar("T")

HUNG_UP: Final = 499
"""What logs and metrics of web servers call it; the client sees nothing of it."""


async def unless_hung_up(request: Request, work: Coroutine[None, None, T]) -> T:
    """Return what `work` returns, and cancel it when the client hangs up first.

    The request's body must have been read. Raises a `Problem` that nobody will read.
    """
    working = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(_hung_up(request))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise Problem(HUNG_UP, "The client hung up.")
    finally:
        for task in (working, watching):
            task.cancel()
        await asyncio.wait({working, watching})


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
