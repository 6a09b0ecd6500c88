"""The log of requests to providers; what was said in them is sealed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, case, func, insert, or_, select, update

from companion.db.keyring import KeyRing
from companion.db.repositories.forgetting import forget_contents_of
from companion.db.rows import CONTENT, ProviderCallRow, TurnRow
from companion.db.sealed import Purpose, Sealed
from companion.db.statements import Statements
from companion.db.usage_columns import usage_columns
from companion.domain.actor import GuildId, PersonId
from companion.domain.conversation import Finish, TurnId
from companion.domain.usage import Micros, ModelUse, Usage
from companion.ports.store import LOST, CallEnd, CallId, CallStart, CallStatus, LoggedEnd

_TABLE: Final = ProviderCallRow.metadata.tables[ProviderCallRow.__tablename__]
_INSERT: Final = insert(_TABLE)
_END: Final = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("call"), _TABLE.c.status == CallStatus.RUNNING)
    .values(response=case((_TABLE.c.keeps_contents, bindparam("said", type_=CONTENT))))
)
"""Completes one row; run with the values of many. The other columns come with the values."""
_PERSON: Final = select(_TABLE.c.person_id).where(_TABLE.c.id == bindparam("call"))
_TURNS: Final = TurnRow.metadata.tables[TurnRow.__tablename__]
_HOLD_TURN: Final = (
    select(_TURNS.c.id)
    .where(_TURNS.c.id == bindparam("turn"))
    .with_for_update(key_share=True, read=True)
)


class SqlProviderLog:
    """One row per request."""

    def __init__(self, run: Statements, ring: KeyRing) -> None:
        self._run = run
        self._ring = ring

    async def start(self, call: CallStart) -> None:
        """Write the start row, before the request goes out.

        A call for a turn that was cleared meanwhile is logged without contents.
        """
        keeps = await self._may_keep_contents(call)
        await self._run.quick(_INSERT, self._started(call, keeps=keeps))

    async def start_all(self, calls: Sequence[CallStart]) -> None:
        """Write the start rows of many requests, in one statement; their turns are new too."""
        await self._run.run_all(_INSERT, [self._started(call, keeps=True) for call in calls])

    def _started(self, call: CallStart, *, keeps: bool) -> dict[str, Any]:
        place = ProviderCallRow.place("request", call.id, call.person_id)
        request = None
        if keeps and call.request_text is not None:
            request = self._ring.seal(Purpose.CONTENT, call.request_text, place)
        return {
            "id": call.id,
            "turn_id": call.turn_id,
            "conversation_id": call.conversation_id,
            "person_id": call.person_id,
            "guild_id": call.guild_id,
            "channel_id": call.channel_id,
            "door": call.door,
            "endpoint": call.endpoint,
            "model": call.model,
            "payer": call.payer,
            "fingerprint": call.fingerprint,
            "status": CallStatus.RUNNING,
            "started_at": call.started_at,
            "keeps_contents": keeps,
            "request": request,
        }

    async def end(self, call: CallId, end: CallEnd) -> None:
        """Complete the row; a row that is already complete stays as it is."""
        said = await self._sealed_response(call, end.response_text)
        # what is kept is decided by the row as it is now: it may have been cleared a moment ago
        await self._run.quick(_END, {"call": call, "said": said, **_ended(end)})

    async def end_all(self, ends: Sequence[LoggedEnd]) -> None:
        """Complete many rows in one statement, each as `end` does."""
        await self._run.run_all(_END, [self._completed(logged) for logged in ends])

    def _completed(self, logged: LoggedEnd) -> dict[str, Any]:
        text, place = logged.end.response_text, None
        if text is not None:
            place = ProviderCallRow.place("response", logged.call, logged.person)
        sealed = place and self._ring.seal(Purpose.CONTENT, text or "", place)
        return {"call": logged.call, "said": sealed, **_ended(logged.end)}

    async def close_lost(self, started_before: datetime, now: datetime) -> int:
        """Complete rows of requests that began before then and whose process died; how many."""
        running = ProviderCallRow.status == CallStatus.RUNNING
        return await self._run.run(
            update(ProviderCallRow)
            .where(running, ProviderCallRow.started_at < started_before)
            .values(status=CallStatus.CUT, ended_at=now, error_code=LOST)
        )

    async def close_turn(
        self, turn: TurnId, now: datetime, usage: Usage, cost_micros: Micros | None
    ) -> int:
        """Complete rows of a turn whose process died; return how many."""
        conversation = select(TurnRow.conversation_id).where(TurnRow.id == turn).scalar_subquery()
        # by conversation, which has an index
        its_own = (
            ProviderCallRow.conversation_id == conversation,
            ProviderCallRow.turn_id == turn,
            ProviderCallRow.status == CallStatus.RUNNING,
        )
        return await self._run.run(
            update(ProviderCallRow)
            .where(*its_own)
            .values(
                status=CallStatus.CUT,
                ended_at=now,
                error_code=LOST,
                finish=Finish.INTERRUPTED,
                cost_micros=cost_micros,
                **usage_columns(usage),
            )
        )

    async def used(
        self, since: datetime, *, person: PersonId | None = None, guild: GuildId | None = None
    ) -> Sequence[ModelUse]:
        """Return what that person or server used since then, by model, most expensive first."""
        row, cost = ProviderCallRow, func.coalesce(func.sum(ProviderCallRow.cost_micros), 0)
        whose = row.guild_id == guild if person is None else row.person_id == person
        query = (
            select(
                row.model,
                func.count(),
                func.sum(row.prompt_tokens) + func.sum(row.completion_tokens),
                cost,
                func.sum(case((row.usage_estimated.is_(True), 1), else_=0)),
                func.sum(case((row.cost_micros.is_(None), 1), else_=0)),
            )
            .where(whose, row.started_at >= since, row.prompt_tokens.is_not(None))
            .group_by(row.model)
            .order_by(cost.desc(), func.count().desc(), row.model)
        )
        return [_use(*found) for found in await self._run.rows(query)]

    async def drop_contents_before(self, moment: datetime) -> int:
        """Delete contents older than `moment`; return how many rows lost theirs."""
        return await self._run.run(
            update(ProviderCallRow)
            .where(
                ProviderCallRow.started_at < moment,
                or_(ProviderCallRow.request.is_not(None), ProviderCallRow.response.is_not(None)),
            )
            .values(request=None, response=None)
        )

    async def drop_contents_of(self, guild: GuildId, until: datetime) -> None:
        """Delete the contents of what was asked in a server up to then; none come any more."""
        await forget_contents_of(self._run, guild, until)

    async def _may_keep_contents(self, call: CallStart) -> bool:
        if call.turn_id is None:
            return True
        # the lock (PostgreSQL) makes clearing wait until this call is there to be cleared too
        held = await self._run.quick(_HOLD_TURN, {"turn": call.turn_id})
        return held.value() is not None

    async def _sealed_response(self, call: CallId, text: str | None) -> Sealed | None:
        if text is None:
            return None
        person = (await self._run.quick(_PERSON, {"call": call})).value()
        if person is None:
            return None
        place = ProviderCallRow.place("response", call, person)
        return self._ring.seal(Purpose.CONTENT, text, place)


def _use(model: str, *sums: int) -> ModelUse:
    requests, tokens, cost, estimated, unpriced = map(int, sums)  # PostgreSQL adds up decimals
    return ModelUse(
        model=model,
        requests=requests,
        tokens=tokens,
        cost_micros=Micros(cost),
        estimated=estimated,
        unpriced=unpriced,
    )


def _ended(end: CallEnd) -> dict[str, Any]:
    return {
        "status": end.status,
        "ended_at": end.ended_at,
        "latency_ms": end.latency_ms,
        "first_token_ms": end.first_token_ms,
        "cost_micros": end.cost_micros,
        "finish": end.finish,
        "error_code": end.error_code,
        "http_status": end.http_status,
        "request_id": end.request_id,
        **usage_columns(end.usage),
    }
