"""Replies under way, and who holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Executable, and_, bindparam, delete, select, update

from companion.db import reply_columns as columns
from companion.db.keyring import KeyRing
from companion.db.reply_rows import ReplyRow
from companion.db.sealed import Purpose, Sealed
from companion.db.statements import Insert, Statements, insert_into
from companion.domain.conversation import TurnId
from companion.domain.delivery import Delivery, Ending, ReplyId, ReplyState, Shown, Terms
from companion.domain.errors import SealError
from companion.ports.replies import Lease, StoredReply

_TABLE: Final = ReplyRow.metadata.tables[ReplyRow.__tablename__]
_OF_HOLDER: Final = update(_TABLE).where(
    _TABLE.c.id == bindparam("reply"),
    _TABLE.c.owner == bindparam("holder"),
    _TABLE.c.fence == bindparam("at"),
)
"""Changes a reply while exactly this lease is held."""
_NOTE_SHOWN: Final = _OF_HOLDER.values(shown=bindparam("now_shown"))
_ANSWERED: Final = _OF_HOLDER.values(state=ReplyState.ANSWERED, ending=bindparam("now_ending"))
_REMOVE: Final = delete(_TABLE).where(
    _TABLE.c.id == bindparam("reply"),
    _TABLE.c.owner == bindparam("holder"),
    _TABLE.c.fence == bindparam("at"),
)
_ANY_EXPIRED: Final = (
    select(_TABLE.c.id)
    .where(_TABLE.c.leased_until <= bindparam("now"), _TABLE.c.owner != bindparam("holder"))
    .limit(1)
)
_RENEW: Final = (
    update(_TABLE)
    .where(_TABLE.c.owner == bindparam("holder"))
    .values(leased_until=bindparam("until", type_=_TABLE.c.leased_until.type))
    .returning(_TABLE.c.id, _TABLE.c.fence)
)


@cache
def _arrival(*, on_sqlite: bool) -> Insert:
    insert = insert_into(_TABLE, on_sqlite=on_sqlite)
    return insert.on_conflict_do_nothing(index_elements=[_TABLE.c.id])


@cache
def _acceptance(*, on_sqlite: bool) -> Executable:
    """Return the INSERT of a reply that a turn answers, or its UPDATE while the lease holds."""
    insert = insert_into(_TABLE, on_sqlite=on_sqlite)
    new = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=[_TABLE.c.id],
        set_={name: new[name] for name in ("state", "leased_until", "route", "turn_id", "terms")},
        where=and_(_TABLE.c.owner == new.owner, _TABLE.c.fence == new.fence),
    )


class SqlReplies:
    """One row a reply."""

    def __init__(self, run: Statements, ring: KeyRing) -> None:
        self._run = run
        self._ring = ring

    async def arrive(self, deliveries: Sequence[Delivery], owner: str, until: datetime) -> None:
        """Store replies that were acknowledged; those that are stored already stay as they are."""
        rows = [
            self._row(each, Lease(reply=each.id, owner=owner), until, ReplyState.ARRIVED)
            # in one order, so that two processes that heard the same do not wait in a ring
            for each in sorted(deliveries, key=lambda delivery: delivery.id)
        ]
        await self._run.run_all(_arrival(on_sqlite=self._run.on_sqlite), rows)

    async def accept(
        self, delivery: Delivery, lease: Lease, turn: TurnId, terms: Terms, until: datetime
    ) -> bool:
        """Store that a turn answers it; false when the lease is somebody else's now."""
        row = self._row(delivery, lease, until, ReplyState.RUNNING)
        row |= {"turn_id": turn, "terms": columns.dumped_terms(terms)}
        change = _acceptance(on_sqlite=self._run.on_sqlite)
        return (await self._run.quick(change, row)).touched > 0

    async def renew(self, owner: str, until: datetime) -> Mapping[ReplyId, int]:
        """Prolong all leases of an owner; return the fences of those it still has."""
        held = await self._run.quick(_RENEW, {"holder": owner, "until": until})
        return {ReplyId(row.id): row.fence for row in held.rows}

    async def note_shown(self, shown: Sequence[tuple[Lease, Shown]]) -> None:
        """Store which messages show the replies."""
        values = [
            {**_held(lease), "now_shown": columns.dumped_shown(messages)}
            for lease, messages in shown
        ]
        await self._run.run_all(_NOTE_SHOWN, values)

    async def answered(self, lease: Lease, ending: Ending) -> bool:
        """Store that the turn has ended; false when the lease is somebody else's now."""
        values = {**_held(lease), "now_ending": columns.dumped_ending(ending)}
        return (await self._run.quick(_ANSWERED, values)).touched > 0

    async def remove(self, leases: Sequence[Lease]) -> None:
        """Delete replies that need nothing more."""
        await self._run.run_all(_REMOVE, [_held(lease) for lease in leases])

    async def release(self, owner: str, now: datetime) -> int:
        """Let others take over at once what an owner still has; return how many."""
        change = update(ReplyRow).where(ReplyRow.owner == owner)
        return await self._run.run(change.values(leased_until=now))

    async def any_expired(self, owner: str, now: datetime) -> bool:
        """Return whether there is somebody else's reply that nobody works on."""
        found = await self._run.quick(_ANY_EXPIRED, {"holder": owner, "now": now})
        return found.first() is not None

    async def take_expired(
        self, owner: str, now: datetime, until: datetime, limit: int
    ) -> Sequence[StoredReply]:
        """Take over replies that nobody works on."""
        nobodys = (ReplyRow.leased_until <= now, ReplyRow.owner != owner)
        expired = select(ReplyRow.id).where(*nobodys)
        chosen = expired.order_by(ReplyRow.leased_until).limit(limit)
        change = (
            update(ReplyRow)
            .where(ReplyRow.id.in_(chosen.with_for_update(skip_locked=True)))
            .values(
                owner=owner,
                fence=ReplyRow.fence + 1,
                leased_until=until,
                attempts=ReplyRow.attempts + 1,
            )
        )
        return [self._reply(row) for row in await self._run.all(change.returning(ReplyRow))]

    def _row(
        self, delivery: Delivery, lease: Lease, until: datetime, state: ReplyState
    ) -> dict[str, Any]:
        return {
            "id": delivery.id,
            "state": state,
            "owner": lease.owner,
            "fence": lease.fence,
            "leased_until": until,
            "attempts": 0,
            "token": self._sealed(delivery),
            "route": columns.route_of(delivery),
        }

    def _sealed(self, delivery: Delivery) -> Sealed | None:
        if delivery.token is None:
            return None
        place = ReplyRow.place(delivery.id)
        return self._ring.seal(Purpose.INTERACTION_TOKEN, delivery.token.reveal(), place)

    def _reply(self, row: ReplyRow) -> StoredReply:
        reply = ReplyId(row.id)
        return StoredReply(
            lease=Lease(reply=reply, owner=row.owner, fence=row.fence),
            delivery=columns.delivery_of(reply, row.route, self._token(row)),
            state=row.state,
            attempts=row.attempts,
            turn_id=None if row.turn_id is None else TurnId(row.turn_id),
            terms=columns.terms_of(row.terms),
            shown=columns.shown_of(row.shown),
            ending=columns.ending_of(row.ending),
        )

    def _token(self, row: ReplyRow) -> str | None:
        """Open the token; one that does not open is a way less, and holds up no other reply."""
        if row.token is None:
            return None
        try:
            return self._ring.open(Purpose.INTERACTION_TOKEN, row.token, row.binding("token"))
        except SealError:
            return None


def _held(lease: Lease) -> dict[str, Any]:
    return {"reply": lease.reply, "holder": lease.owner, "at": lease.fence}
