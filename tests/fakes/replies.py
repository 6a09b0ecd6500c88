from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from companion.domain.conversation import TurnId
from companion.domain.delivery import Delivery, Ending, ReplyId, ReplyState, Shown, Terms
from companion.ports import replies as port
from companion.ports.replies import Lease, StoredReply
from tests.fakes.tables import LeasedReply, Tables


class FakeReplies(port.Replies):
    def __init__(self, tables: Tables) -> None:
        self._rows = tables.replies

    async def arrive(self, deliveries: Sequence[Delivery], owner: str, until: datetime) -> None:
        for each in deliveries:
            lease = Lease(reply=each.id, owner=owner)
            new = StoredReply(lease=lease, delivery=each, state=ReplyState.ARRIVED, attempts=0)
            self._rows.setdefault(each.id, LeasedReply(new, until))

    async def accept(
        self, delivery: Delivery, lease: Lease, turn: TurnId, terms: Terms, until: datetime
    ) -> bool:
        new = StoredReply(lease=lease, delivery=delivery, state=ReplyState.RUNNING, attempts=0)
        stored = self._rows.setdefault(delivery.id, LeasedReply(new, until)).reply
        if stored.lease != lease:
            return False
        begun = replace(
            stored, delivery=delivery, state=ReplyState.RUNNING, turn_id=turn, terms=terms
        )
        self._rows[delivery.id] = LeasedReply(begun, until)
        return True

    async def renew(self, owner: str, until: datetime) -> Mapping[ReplyId, int]:
        mine = {id_: row.reply for id_, row in self._rows.items() if row.reply.lease.owner == owner}
        self._rows.update({id_: LeasedReply(reply, until) for id_, reply in mine.items()})
        return {id_: reply.lease.fence for id_, reply in mine.items()}

    async def note_shown(self, shown: Sequence[tuple[Lease, Shown]]) -> None:
        for lease, messages in shown:
            if row := self._held(lease):
                self._change(row, replace(row.reply, shown=messages))

    async def answered(self, lease: Lease, ending: Ending) -> bool:
        row = self._held(lease)
        if row is None:
            return False
        self._change(row, replace(row.reply, state=ReplyState.ANSWERED, ending=ending))
        return True

    async def remove(self, leases: Sequence[Lease]) -> None:
        for lease in leases:
            if self._held(lease):
                del self._rows[lease.reply]

    async def release(self, owner: str, now: datetime) -> int:
        return len(await self.renew(owner, now))

    async def any_expired(self, owner: str, now: datetime) -> bool:
        return bool(self._expired(owner, now))

    async def take_expired(
        self, owner: str, now: datetime, until: datetime, limit: int
    ) -> Sequence[StoredReply]:
        taken: list[StoredReply] = []
        for row in self._expired(owner, now)[:limit]:
            lease = replace(row.reply.lease, owner=owner, fence=row.reply.lease.fence + 1)
            taken.append(replace(row.reply, lease=lease, attempts=row.reply.attempts + 1))
            self._rows[lease.reply] = LeasedReply(taken[-1], until)
        return taken

    def _expired(self, owner: str, now: datetime) -> list[LeasedReply]:
        rows = [r for r in self._rows.values() if r.until <= now and r.reply.lease.owner != owner]
        return sorted(rows, key=lambda row: row.until)

    def _held(self, lease: Lease) -> LeasedReply | None:
        row = self._rows.get(lease.reply)
        return row if row and row.reply.lease == lease else None

    def _change(self, row: LeasedReply, reply: StoredReply) -> None:
        self._rows[reply.lease.reply] = LeasedReply(reply, row.until)
