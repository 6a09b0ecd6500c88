"""Replies that are being generated in this process: what *Stop* and a shutdown act on.

The work of a reply is a task of its own. The door only looks on: when it dies, the
reply is cut in an orderly way, and what must be stored and released still is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Final

from companion.domain.actor import GuildId, Place
from companion.domain.chat import ChatEvent, Delta, Failed, Finished
from companion.domain.conversation import TurnId
from companion.domain.errors import AlreadyRunning, Draining
from companion.services.background import BackgroundTasks

_LAST_WORDS_S: Final = 5.0
"""How long a reply that was cut may take to store what it has."""


class Cut(StrEnum):
    """Why we ended a reply ourselves."""

    STOPPED = "stopped"
    UNSEEN = "unseen"
    """Nobody can see any more of it."""
    DOOR_GONE = "door_gone"
    DRAINING = "draining"
    LEFT = "left"
    """The app is not in that server any more."""


class Running:
    """One reply: its events for the door, and the ways to end it early."""

    def __init__(self, *, owner: str, place: Place, turn_ids: Iterable[TurnId] = ()) -> None:
        self.owner = owner
        self.place = place
        self.turn_ids = set(turn_ids)
        """The turn itself, and the one it replaces or continues."""
        self.cut_by: Cut | None = None
        self.is_over = False
        """Whether the terminal event was told."""
        self._scope: asyncio.Timeout | None = None
        self._events: list[ChatEvent] = []
        self._news = asyncio.Event()
        self._closed = False

    def tell(self, event: ChatEvent) -> None:
        """Pass an event on."""
        self.is_over = self.is_over or isinstance(event, Finished | Failed)
        self._events.append(event)
        self._news.set()

    def close(self) -> None:
        """Say that no more events come."""
        self._closed = True
        self._news.set()

    async def events(self) -> AsyncIterator[ChatEvent]:
        """Yield events until `close`; text that has gathered meanwhile comes as one `Delta`."""
        while True:
            await self._news.wait()
            self._news.clear()
            events, self._events = self._events, []
            for event in _merged(events):
                yield event
            if self._closed and not self._events:
                return

    def cut(self, reason: Cut) -> None:
        """End the reply as soon as it can be; only the first reason counts."""
        if self.cut_by is not None:
            return
        self.cut_by = reason
        if self._scope is not None:
            self._scope.reschedule(asyncio.get_running_loop().time())

    @asynccontextmanager
    async def interruptible(self) -> AsyncGenerator[None]:
        """Let `cut` end the block early and silently, also one from before the block.

        A timeout that strikes at once interrupts exactly this block: a plain
        `Task.cancel()` could still hit the transaction that comes after it.
        """
        scope = asyncio.timeout(None if self.cut_by is None else 0)
        try:
            async with scope:
                self._scope = scope
                try:
                    yield
                finally:
                    self._scope = None
        except TimeoutError:
            if not scope.expired():
                raise


def _merged(events: Iterable[ChatEvent]) -> Iterator[ChatEvent]:
    texts: list[str] = []
    for event in events:
        if isinstance(event, Delta):
            texts.append(event.text)
            continue
        if texts:
            yield Delta(text="".join(texts))
            texts = []
        yield event
    if texts:
        yield Delta(text="".join(texts))


class RunningTurns:
    """All replies of this process."""

    def __init__(self, tasks: BackgroundTasks) -> None:
        self._tasks = tasks
        self._running: dict[asyncio.Task[None], Running] = {}
        self._draining = False

    def __len__(self) -> int:
        return len(self._running)

    def start(
        self, running: Running, work: Callable[[Running], Coroutine[None, None, None]]
    ) -> asyncio.Task[None]:
        """Run a reply's work.

        Raises `Draining`, or `AlreadyRunning` when a turn of it is being worked on.
        """
        if self._draining:
            raise Draining
        ids = running.turn_ids
        if ids and any(ids & other.turn_ids for other in self._running.values()):
            raise AlreadyRunning
        task = self._tasks.start("reply", work(running))
        self._running[task] = running
        # a task that is cancelled before its first step ends without running any of its code
        task.add_done_callback(self._ended)
        return task

    def find(self, turn_id: TurnId) -> Running | None:
        """Return the reply that this turn belongs to, while it runs."""
        return next((r for r in self._running.values() if turn_id in r.turn_ids), None)

    def leave(self, guild: GuildId) -> int:
        """Cut all replies of a server that the app was removed from; return how many."""
        there = [r for r in self._running.values() if r.place.server == guild]
        for running in there:
            running.cut(Cut.LEFT)
        return len(there)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task).close()

    async def drain(self, timeout_s: float) -> int:
        """Refuse new replies, let the running ones finish, cut the late; return how many."""
        self._draining = True
        late = await _wait(self._running, timeout_s)
        for task in late:
            self._running[task].cut(Cut.DRAINING)
        await _wait(late, _LAST_WORDS_S)
        return len(late)


async def _wait(tasks: Iterable[asyncio.Task[None]], timeout_s: float) -> set[asyncio.Task[None]]:
    waiting = set(tasks)
    if not waiting:
        return set()
    _, late = await asyncio.wait(waiting, timeout=timeout_s)
    return late
