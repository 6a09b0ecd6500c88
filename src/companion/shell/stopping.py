"""Signals: the first one asks to stop, the second one ends the process at once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
KILLED_BY: Final = 128
"""What shells add to a signal's number to make an exit code."""


class Stopping:
    """Tells the work that somebody wants it to end.

    Until the work says `from_now_on_politely`, a signal cancels it: there is nothing
    to finish yet, and a download need not be waited for.
    """

    def __init__(self) -> None:
        self.requested = asyncio.Event()
        self._polite = False
        self._work: asyncio.Task[None] | None = None

    def from_now_on_politely(self) -> None:
        """Let the work end by itself once `requested` is set."""
        self._polite = True

    async def watch(self, work: Callable[[Stopping], Coroutine[None, None, None]]) -> None:
        """Run `work` and listen to signals meanwhile."""
        self._work = asyncio.create_task(work(self))
        before = {number: signal.getsignal(number) for number in SIGNALS}
        self._listen()
        try:
            await self._work
        except asyncio.CancelledError:
            if not self.requested.is_set():
                raise
        finally:
            # a closed loop would swallow the signals of whatever comes after
            for number, handler in before.items():
                signal.signal(number, handler)

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            try:
                loop.add_signal_handler(number, self._asked, number)
            except NotImplementedError:  # Windows
                signal.signal(number, self._asked_on_windows)

    def _asked(self, number: int) -> None:
        if self.requested.is_set():
            os._exit(KILLED_BY + number)
        self.requested.set()
        if not self._polite and self._work is not None:
            self._work.cancel()

    def _asked_on_windows(self, number: int, _frame: FrameType | None) -> None:
        if self._work is not None:
            self._work.get_loop().call_soon_threadsafe(self._asked, number)


def run_until_stopped(work: Callable[[Stopping], Coroutine[None, None, None]]) -> None:
    """Run `work` in a new event loop, uvloop's where there is one."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(Stopping().watch(work))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 — not on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop
