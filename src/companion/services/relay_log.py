"""The log rows of relayed requests, many to a transaction.

A transaction that must reach the disk takes milliseconds, however little is in it. So
one writer takes all rows that wait when it is free; whoever comes meanwhile shares the
next transaction. A start is stored before its request goes out; an end follows the answer.
Rows outlive the process: a kill takes no start.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from companion.domain.actor import Actor, PersonId
from companion.domain.errors import CompanionError, StorageError, StorageUnavailable
from companion.ports.clock import Clock
from companion.ports.store import CallEnd, CallId, CallStart, LoggedEnd, Store, UnitOfWork
from companion.services.access import identity
from companion.services.background import BackgroundTasks
from companion.services.later import written_later
from companion.services.payers import Payers, Paying

MOST: Final = 200
"""Rows of one transaction: others wait for the writer too."""
ENDS_WAIT_S: Final = 0.1
"""How long an end waits for a start whose transaction it can share."""
_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Start:
    """A start row to be; `durable` gets the person's id. `known` is that id, if looked up."""

    actor: Actor
    known: PersonId | None
    row: Callable[[PersonId], CallStart]
    durable: asyncio.Future[PersonId]


@dataclass(slots=True, kw_only=True)
class _End:
    logged: LoggedEnd
    paying: Paying
    learned: CompanionError | None
    tells: bool


@dataclass(slots=True)
class _Batch:
    starts: list[_Start] = field(default_factory=list[_Start])
    ends: list[_End] = field(default_factory=list[_End])

    @property
    def waits(self) -> bool:
        return bool(self.starts or self.ends)

    def take(self) -> _Batch:
        """Take the oldest rows out."""
        taken = _Batch(self.starts[:MOST], self.ends[:MOST])
        del self.starts[:MOST], self.ends[:MOST]
        return taken


class RelayLog:
    """Writes starts and ends together."""

    def __init__(
        self, *, store: Store, payers: Payers, tasks: BackgroundTasks, clock: Clock
    ) -> None:
        self._store = store
        self._payers = payers
        self._tasks = tasks
        self._clock = clock
        self._waiting = _Batch()
        self._writer: asyncio.Task[None] | None = None
        self._soon: asyncio.TimerHandle | None = None

    async def start(
        self, actor: Actor, row: Callable[[PersonId], CallStart], *, known: PersonId | None
    ) -> PersonId:
        """Return the actor's person once the start row is on disk; raises a `StorageError`.

        `known` is the person's id, when it was looked up just now.
        """
        durable = asyncio.get_running_loop().create_future()
        self._waiting.starts.append(_Start(actor=actor, known=known, row=row, durable=durable))
        self._wake()
        return await durable

    def end(
        self,
        call: CallId,
        person: PersonId,
        end: CallEnd,
        *,
        paying: Paying,
        learned: CompanionError | None,
        tells: bool,
    ) -> None:
        """Have an end written soon; it is tried again while the database is away.

        `tells`: the answer says something of the key, `learned` what (`None`: it works).
        """
        logged = LoggedEnd(call=call, person=person, end=end)
        self._waiting.ends.append(_End(logged=logged, paying=paying, learned=learned, tells=tells))
        self._wake_soon()

    async def settled(self) -> None:
        """Wait until nothing is left to write."""
        while self._writer is not None or self._waiting.waits:
            self._wake()
            if self._writer is not None:
                await asyncio.wait({self._writer})

    def _wake(self) -> None:
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        if self._writer is None and self._waiting.waits:
            self._writer = self._tasks.start("relay log", self._write_all())

    def _wake_soon(self) -> None:
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(ENDS_WAIT_S, self._wake)

    async def _write_all(self) -> None:
        try:
            await self._write(self._waiting.take())
            while self._waiting.starts:
                await self._write(self._waiting.take())
        finally:
            self._writer = None
            if self._waiting.ends:
                self._wake_soon()

    async def _write(self, batch: _Batch) -> None:
        # said also when something nobody foresaw happens: a caller must not wait for ever
        refusal: StorageError = StorageUnavailable(reason="failed")
        try:
            met = await self._transact(batch)
            for start in batch.starts:
                if not start.durable.done():
                    start.durable.set_result(met[identity(start.actor)])
        except StorageError as error:
            refusal = error
            if batch.ends:
                _log.warning("calls_not_ended", extra={"reason": error.code})
                self._tasks.start("end calls later", self._end_later(batch.ends))
        finally:
            _refuse(batch.starts, refusal)

    async def _transact(self, batch: _Batch) -> dict[str, PersonId]:
        async with self._store.note() as unit:
            met = await _meet(unit, batch.starts)
            # who has gone by now has no row; who goes later has asked for its end by then
            wanted = [start for start in batch.starts if not start.durable.done()]
            rows = [start.row(met[identity(start.actor)]) for start in wanted]
            if rows:
                await unit.provider_log.start_all(rows)
            await self._end(unit, batch.ends)
        return met

    async def _end(self, unit: UnitOfWork, ends: list[_End]) -> None:
        if ends:
            await unit.provider_log.end_all([end.logged for end in ends])
        for end in ends:
            if end.tells:
                await self._payers.learn(unit, end.paying, end.learned)

    async def _end_later(self, ends: list[_End]) -> None:
        async def write() -> None:
            async with self._store.write() as unit:
                await self._end(unit, ends)

        if not await written_later(write, self._clock, "calls_not_ended"):
            _log.error("call_ends_lost", extra={"calls": len(ends)})


async def _meet(unit: UnitOfWork, starts: list[_Start]) -> dict[str, PersonId]:
    met: dict[str, PersonId] = {}
    for start in starts:
        who = identity(start.actor)
        if who not in met:
            met[who] = start.known or await unit.people.ensure(start.actor)
    return met


def _refuse(starts: list[_Start], error: StorageError) -> None:
    for start in starts:
        if not start.durable.done():
            start.durable.set_exception(error)
