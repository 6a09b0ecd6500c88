"""The log of requests to providers; what was said in them is sealed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import case, literal, or_, select, update

from companion.db.keyring import KeyRing
from companion.db.rows import CONTENT, ProviderCallRow, TurnRow
from companion.db.sealed import Purpose, Sealed
from companion.db.statements import Statements
from companion.db.usage_columns import usage_columns
from companion.ports.store import CallEnd, CallId, CallStart, CallStatus


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
        place = ProviderCallRow.place("request", call.id, call.person_id)
        request = None
        if keeps and call.request_text is not None:
            request = self._ring.seal(Purpose.CONTENT, call.request_text, place)
        insert = self._run.insert(ProviderCallRow).values(
            id=call.id,
            turn_id=call.turn_id,
            conversation_id=call.conversation_id,
            person_id=call.person_id,
            guild_id=call.guild_id,
            channel_id=call.channel_id,
            door=call.door,
            endpoint=call.endpoint,
            model=call.model,
            payer=call.payer,
            fingerprint=call.fingerprint,
            status=CallStatus.RUNNING,
            started_at=call.started_at,
            keeps_contents=keeps,
            request=request,
        )
        await self._run.run(insert)

    async def end(self, call: CallId, end: CallEnd) -> None:
        """Complete the row; a row that is already complete stays as it is."""
        running = (ProviderCallRow.id == call, ProviderCallRow.status == CallStatus.RUNNING)
        response = await self._sealed_response(call, end.response_text)
        await self._run.run(
            update(ProviderCallRow)
            .where(*running)
            .values(
                status=end.status,
                ended_at=end.ended_at,
                latency_ms=end.latency_ms,
                first_token_ms=end.first_token_ms,
                cost_micros=end.cost_micros,
                finish=end.finish,
                error_code=end.error_code,
                http_status=end.http_status,
                request_id=end.request_id,
                # decided by the row as it is now: it may have been cleared a moment ago
                response=case((ProviderCallRow.keeps_contents, literal(response, CONTENT))),
                **usage_columns(end.usage),
            )
        )

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

    async def _may_keep_contents(self, call: CallStart) -> bool:
        if call.turn_id is None:
            return True
        # the lock (PostgreSQL) makes clearing wait until this call is there to be cleared too
        query = select(TurnRow.id).where(TurnRow.id == call.turn_id)
        return await self._run.one(query.with_for_update(key_share=True, read=True)) is not None

    async def _sealed_response(self, call: CallId, text: str | None) -> Sealed | None:
        if text is None:
            return None
        person = await self._run.one(
            select(ProviderCallRow.person_id).where(ProviderCallRow.id == call)
        )
        if person is None:
            return None
        place = ProviderCallRow.place("response", call, person)
        return self._ring.seal(Purpose.CONTENT, text, place)
