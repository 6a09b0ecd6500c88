"""The replies of this process that are on their way to Discord, and its leases on them.

What they have come to is kept about once a second, for all of them in one transaction, so
that another process can finish what this one does not. A reply is stored at once when it
arrives and when it gets another message: those two cannot be guessed afterwards.

A lease that ran out is no more than a question. Nothing is written to Discord before the
database has said whose the reply is now; a database that cannot store anything for anybody
(full, read-only) leaves it ours.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from companion.domain.actor import GuildId
from companion.domain.conversation import NewTurn, TurnId
from companion.domain.delivery import (
    NOTHING_SHOWN,
    Checkpoint,
    Delivery,
    Ending,
    ReplyId,
    Shown,
    Terms,
)
from companion.domain.errors import AlreadyAnswered, StorageError, StorageUnavailable
from companion.ports.clock import Clock
from companion.ports.replies import Lease, StoredReply
from companion.ports.store import Store, UnitOfWork
from companion.services.background import BackgroundTasks
from companion.services.running_turns import Cut, Running

EVERY_S: Final = 1.0
LEASE_S: Final = 6.0
LONGEST_ARRIVAL_S: Final = 0.3
"""How long an acknowledgement may wait for the database: people wait for it."""
_NOBODYS: Final = {"full", "read_only"}
"""Why the database takes nothing from anybody, so that nobody else can have the lease."""
_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True, eq=False)
class _Held:
    """A reply of this process. `until` is a reading of the monotonic clock.

    `open` while its turn's end is not stored: until then its row stays, shown or not.
    `silent` where the app is not a member any more.
    """

    delivery: Delivery
    lease: Lease
    until: float
    stored: bool = False
    shown: Shown = NOTHING_SHOWN
    shown_stored: Shown = NOTHING_SHOWN
    turn: NewTurn | None = None
    running: Running | None = None
    texts: Sequence[str] = ()
    texts_stored: int = 0
    open: bool = False
    lost: bool = False
    silent: bool = False
    done: bool = False

    def checkpoint(self) -> Checkpoint | None:
        """Return what was written since the last one."""
        turn = self.turn
        if turn is None or len(self.texts) <= self.texts_stored:
            return None
        return Checkpoint(
            turn_id=turn.id,
            conversation_id=turn.conversation_id,
            author_id=turn.author_id,
            answer="".join(self.texts),
        )


class Deliveries:
    """Keeps replies and their leases; one a process."""

    def __init__(self, *, store: Store, clock: Clock, tasks: BackgroundTasks) -> None:
        self.owner = uuid4().hex
        self._store = store
        self._clock = clock
        self._tasks = tasks
        self._held: dict[ReplyId, _Held] = {}
        self._urgent = asyncio.Event()
        self._kept = asyncio.Condition()
        self._renew_at = 0.0
        self._is_failing = False
        self._keeper: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._held)

    # What the doors tell

    async def arrive(self, delivery: Delivery) -> None:
        """Hold a reply from now on. It is stored on return, unless the database is slow."""
        held = self._arrived(delivery)
        if self._is_failing:
            return
        try:
            async with asyncio.timeout(LONGEST_ARRIVAL_S), self._kept:
                await self._kept.wait_for(lambda: held.stored)
        except TimeoutError:
            self._is_failing = True  # until it answers again, nobody else waits

    def adopt(self, reply: StoredReply) -> None:
        """Hold a reply that was taken over from another process."""
        held = _Held(
            delivery=reply.delivery,
            lease=reply.lease,
            until=self._lease_end(),
            stored=True,
            shown=reply.shown,
            shown_stored=reply.shown,
        )
        self._hold(held)

    def show(self, reply: ReplyId, shown: Shown) -> None:
        """Note which messages show it."""
        held = self._held.get(reply)
        if held is None or held.shown == shown:
            return
        if held.shown.follow_ups != shown.follow_ups:
            self._urgent.set()  # a message in the channel is found again by its nonce
        held.shown = shown

    def finish(self, reply: ReplyId) -> None:
        """Let go of a reply: its end is shown, or nothing more can be."""
        if held := self._held.get(reply):
            held.done = True

    def about_to_show(self, reply: ReplyId) -> None:
        """Keep the first words now: once people have seen some, they are not written anew."""
        held = self._held.get(reply)
        if held is not None and held.texts and not held.texts_stored:
            self._urgent.set()

    def watch(self, delivery: Delivery, running: Running) -> None:
        """Cut the reply when another process takes it over, or when it is given up."""
        held = self._held.get(delivery.id) or self._arrived(delivery)
        held.running = running

    def give_up(self, reply: ReplyId) -> None:
        """End the work on a reply that nobody can see any more of, as *Stop* would."""
        held = self._held.get(reply)
        if held is not None and held.running is not None:
            held.running.cut(Cut.UNSEEN)

    def silence(self, guild: GuildId) -> None:
        """Write nothing more to Discord for replies of a server that the app is not in any more."""
        for held in self._held.values():
            held.silent = held.silent or held.delivery.place.server == guild

    async def holds(self, reply: ReplyId) -> bool:
        """Say whether this process may still write to Discord for it; waits for the answer."""
        held = self._held.get(reply)
        while held is not None and not held.lost and held.until <= self._clock.monotonic():
            self._renew_at = 0.0
            self._urgent.set()
            async with self._kept:
                await self._kept.wait()
        return held is not None and not (held.lost or held.silent)

    # What the recorder tells, within its transactions

    async def begin(self, unit: UnitOfWork, delivery: Delivery, turn: TurnId, terms: Terms) -> None:
        """Store that a turn will answer it; raises `AlreadyAnswered` when it is another process's.

        First in the transaction: replies are locked before conversations, turns and the log.
        """
        if delivery.id not in self._held:
            self._arrived(delivery)
        held = self._held[delivery.id]
        until = self._lease_until()
        if not await unit.replies.accept(delivery, held.lease, turn, terms, until):
            raise AlreadyAnswered
        held.delivery = delivery

    def follow(self, reply: ReplyId, turn: NewTurn, texts: Sequence[str]) -> None:
        """Keep from now on what gathers in `texts` as the answer of that turn."""
        if held := self._held.get(reply):
            held.turn, held.texts, held.texts_stored = turn, texts, 0
            held.open = True

    async def end(self, unit: UnitOfWork, reply: ReplyId, ending: Ending) -> bool:
        """Store that the answer is complete; false when another process decides about it now."""
        held = self._held.get(reply)
        if held is None or held.lost:
            return False
        held.turn = None  # nothing is kept of it beside the answer itself
        return await unit.replies.answered(held.lease, ending)

    def ended(self, reply: ReplyId) -> None:
        """Hear that the end is stored, or never will be."""
        if held := self._held.get(reply):
            held.open = False

    # The one transaction

    async def keep(self) -> None:
        """Store what came to be, and prolong the leases when it is time; raises `StorageError`."""
        now, held = self._clock.monotonic(), list(self._held.values())
        shown = [(each, each.shown) for each in held if each.shown != each.shown_stored]
        done = [each for each in held if each.done and not each.open]
        new = [each for each in held if not (each.stored or each.done)]
        renews = now >= self._renew_at
        texts = [
            (each, len(each.texts), checkpoint)
            for each in held
            if (renews or not each.texts_stored) and (checkpoint := each.checkpoint())
        ]
        fences: Mapping[ReplyId, int] | None = None
        async with self._store.note() as unit:
            await unit.replies.arrive(
                [each.delivery for each in new], self.owner, self._lease_until()
            )
            await unit.replies.note_shown([(each.lease, messages) for each, messages in shown])
            await unit.replies.remove([each.lease for each in done])
            if renews:
                fences = await unit.replies.renew(self.owner, self._lease_until())
            await unit.turns.checkpoint([checkpoint for _, _, checkpoint in texts])
        for each in new:
            each.stored = True
        for each, messages in shown:
            each.shown_stored = messages
        for each, count, _ in texts:
            each.texts_stored = count
        self._let_go(done)
        gone = set(done)
        if fences is not None:
            self._renew_at = now + EVERY_S
            self._note_leases([each for each in held if each not in gone], fences, now)

    async def release(self) -> None:
        """Leave what is not shown yet to another process, at once if the database is there."""
        if not self._held:
            return
        self._renew_at = 0.0
        try:
            await self.keep()
            left = await self._hand_over() if self._held else 0
        except StorageError as error:
            _log.warning("replies_not_handed_over", extra={"reason": error.code})
        else:
            _log.info("replies_handed_over", extra={"count": left})
        self._held.clear()

    async def _hand_over(self) -> int:
        async with self._store.note() as unit:
            return await unit.replies.release(self.owner, self._clock.now())

    def _note_leases(
        self, held: Iterable[_Held], fences: Mapping[ReplyId, int], asked_at: float
    ) -> None:
        for each in held:
            if fences.get(each.lease.reply) == each.lease.fence:
                each.stored, each.until = True, asked_at + LEASE_S
                continue
            each.lost = True
            _log.warning("reply_taken_over", extra={"reply": str(each.lease.reply)})
            if each.running is not None:
                each.running.cut(Cut.DOOR_GONE)

    def _let_go(self, done: Iterable[_Held]) -> None:
        for each in done:
            if self._held.get(each.lease.reply) is each:
                del self._held[each.lease.reply]

    def _arrived(self, delivery: Delivery) -> _Held:
        lease = Lease(reply=delivery.id, owner=self.owner)
        held = _Held(delivery=delivery, lease=lease, until=self._lease_end())
        self._hold(held)
        self._urgent.set()
        return held

    def _hold(self, held: _Held) -> None:
        self._held[held.lease.reply] = held
        if self._keeper is None or self._keeper.done():
            self._keeper = self._tasks.start("deliveries", self._run())

    async def _run(self) -> None:
        while self._held:
            self._urgent.clear()
            try:
                await self.keep()
                self._is_failing = False
            except StorageError as error:
                self._is_failing = True
                await self._bear(error)
            async with self._kept:
                self._kept.notify_all()
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await self._urgent.wait()

    async def _bear(self, error: StorageError) -> None:
        """Go on without the database; leases last when nobody else can have them either."""
        _log.warning("replies_not_kept", extra={"reason": error.code})
        if isinstance(error, StorageUnavailable) and error.reason in _NOBODYS:
            for held in self._held.values():
                held.until = self._lease_end()
        await self._clock.sleep(EVERY_S)

    def _lease_end(self) -> float:
        return self._clock.monotonic() + LEASE_S

    def _lease_until(self) -> datetime:
        return self._clock.now() + timedelta(seconds=LEASE_S)
