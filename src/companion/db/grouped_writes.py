"""Writes that share a transaction, and with it the wait for the disk.

SQLite has one writer, and a commit that must reach the disk takes milliseconds, however
little is in it. So whoever waits for its turn joins the transaction of the one before:
each part is undone alone when it fails, and none returns before all of it is committed.
Nobody is waited for: without anyone in line a transaction ends with its only part.

In the line an answer that begins goes before the rest: a person looks at an empty message,
and few begin at once. Ends, and notes of what was shown, come by the hundred when a crowd's
answers end together.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from companion.db.engine import Engines
from companion.db.kept_connections import SQLITE_QUEUE_S
from companion.db.statements import Statements
from companion.db.waiting_line import WaitingLine
from companion.domain.errors import StorageUnavailable

LONGEST_S: Final = 0.05
"""How long others may join: the first part waits as long for its commit."""
IN_A_ROW: Final = 2
"""So many of the first write before one of the rest does."""


class _Group:
    """One transaction of several parts."""

    def __init__(self, run: Statements, resources: AsyncExitStack, *, durable: bool) -> None:
        self.run = run
        self.durable = durable
        self._resources = resources
        self._ends_at = asyncio.get_running_loop().time() + LONGEST_S
        self._parts = 0
        self._failure: StorageUnavailable | None = None
        self._over = asyncio.Event()

    @classmethod
    async def begin(cls, engines: Engines, *, durable: bool) -> _Group:
        """Begin a transaction."""
        async with AsyncExitStack() as stack:
            run = await stack.enter_async_context(engines.writing(durable=durable))
            return cls(run, stack.pop_all(), durable=durable)

    @property
    def takes_more(self) -> bool:
        """Whether another part may join."""
        return self._failure is None and asyncio.get_running_loop().time() < self._ends_at

    @asynccontextmanager
    async def part(self) -> AsyncGenerator[Statements]:
        """Run a part; what it did is undone when it raises."""
        first, self._parts = self._parts == 0, self._parts + 1
        done = False
        try:
            if first:  # nobody else's yet: it is undone with the whole
                yield self.run
            else:
                async with self.run.undoable():
                    yield self.run
            done = True
        finally:
            if not done and (first or self.run.is_broken):
                self._failure = StorageUnavailable(reason="undone")

    async def end(self) -> None:
        """Commit, or undo all of it when it cannot be."""
        failure, self._failure = self._failure, StorageUnavailable(reason="undone")
        try:
            if failure is None:
                await self._resources.aclose()
            else:
                await self._resources.__aexit__(type(failure), failure, None)
            self._failure = failure
        except StorageUnavailable as error:
            self._failure = error
        finally:
            self._over.set()

    async def committed(self) -> None:
        """Wait until it is stored; raises `StorageUnavailable` when it could not be."""
        await self._over.wait()
        if self._failure is not None:
            raise StorageUnavailable(reason=self._failure.reason) from self._failure


class GroupedWrites:
    """The writes of one process to SQLite."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._turn = WaitingLine(1, in_a_row=IN_A_ROW)
        self._waiting = 0
        self._group: _Group | None = None
        self._ending: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def part(self, *, durable: bool, first: bool = False) -> AsyncGenerator[Statements]:
        """Run one part; afterwards it is stored.

        `durable`: it also outlives a loss of power. `first`: it goes before others who wait.
        """
        group = await self._enter(durable=durable, first=first)
        try:
            async with group.part() as run:
                yield run
        finally:
            await self._leave(group)
        await group.committed()

    async def _enter(self, *, durable: bool, first: bool) -> _Group:
        await self._take_turn(first=first)
        joined = False
        try:
            group = await self._join(durable=durable)
            joined = True
        finally:
            if not joined:
                self._turn.release()
        return group

    async def _take_turn(self, *, first: bool) -> None:
        self._waiting += 1
        taken = False
        try:
            await self._turn.acquire(first=first, within_s=SQLITE_QUEUE_S)
            taken = True
        finally:
            self._waiting -= 1
            if not taken:
                await self._end_what_was_left_open()

    async def _join(self, *, durable: bool) -> _Group:
        if self._group is not None and durable and not self._group.durable:
            await self._end()  # what its commit waits for was settled when it began
        if self._group is None:
            self._group = await _Group.begin(self._engines, durable=durable)
        return self._group

    async def _leave(self, group: _Group) -> None:
        try:
            if not self._waiting or not group.takes_more:
                await self._end()
        finally:
            self._turn.release()

    async def _end_what_was_left_open(self) -> None:
        """End the transaction that was kept open for someone who gave up waiting."""
        if self._waiting or self._turn.is_full:
            return  # whoever has the turn, or gets it, will
        await self._turn.acquire(first=True)
        try:
            if self._group is not None:
                await self._end()
        finally:
            self._turn.release()

    async def _end(self) -> None:
        group, self._group = self._group, None
        assert group is not None
        # a task of its own: others wait for this commit too, whatever becomes of who began it
        ending = asyncio.create_task(group.end())
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
        await asyncio.shield(ending)
