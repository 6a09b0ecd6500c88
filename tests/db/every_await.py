"""Cancelling a coroutine at its first await, its second, and so on to its last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from itertools import count


class CancelledAt:
    """Runs a coroutine and cancels it where it suspends for the n-th time."""

    def __init__(self, work: Coroutine[object, None, None], nth: int) -> None:
        self._work = work
        self._nth = nth
        self.reached = False

    def __await__(self) -> Generator[object, None]:
        steps = self._work.__await__()
        failure: BaseException | None = None
        for number in count(1):
            try:
                waited = steps.send(None) if failure is None else steps.throw(failure)
            except StopIteration:
                return
            if number == self._nth:
                self.reached = True
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            failure = None
            try:
                yield waited
            except BaseException as error:  # noqa: BLE001 - handed to the work
                failure = error


async def cancelled_at_every_await(
    work: Callable[[int], Coroutine[object, None, None]],
) -> int:
    """Run `work(n)` for n = 1, 2, …, cancelling each at its n-th await; return the last n.

    The last one ends before it would be cancelled.
    """
    for nth in count(1):
        steps = CancelledAt(work(nth), nth)
        with suppress(asyncio.CancelledError):
            await asyncio.create_task(_run(steps))
        if not steps.reached:
            return nth
    raise AssertionError


async def _run(steps: CancelledAt) -> None:
    await steps
