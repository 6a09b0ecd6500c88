"""Ending work that nobody waits for any more."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Final, TypeVar

from starlette.types import Receive

from companion.api.errors import Problem

T = TypeVar("T")

HUNG_UP: Final = 499
"""What logs and metrics of web servers call it; the client sees nothing of it."""


class HungUp(Problem):
    """The client is gone: nobody will read this."""

    def __init__(self) -> None:
        super().__init__(HUNG_UP, "The client hung up.")


async def unless_hung_up(receive: Receive, work: Coroutine[None, None, T]) -> T:
    """Return what `work` returns, and cancel it when the client hangs up first: `HungUp`.

    The request's body must have been read.
    """
    working = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(_hung_up(receive))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if working.done() and not working.cancelled():
            return working.result()
        raise HungUp
    finally:
        for task in (working, watching):
            task.cancel()
        await asyncio.wait({working, watching})


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
